package dev.underlay.ipamd.simulation;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code ./underlay simulate --seeds N}; exits with 1 when a seed fails. */
@Command(
        name = "simulate",
        description = {
            "Random lives of a node on a virtual clock: the daemon's own pool, planner, queue, journal",
            "and recovery, with a cloud, a kernel and a runtime that fail in every way, and the daemon",
            "killed between any two effects."
        },
        sortOptions = false,
        mixinStandardHelpOptions = true)
final class SimulationMain implements Callable<Integer> {
    static final int STEPS = 1000;

    @Option(names = "--seeds", required = true, description = "How many lives.")
    private long seeds;

    @Option(
            names = "--from",
            defaultValue = "1",
            description = "The first seed. Default: ${DEFAULT-VALUE}")
    private long from;

    @Option(
            names = "--steps",
            defaultValue = "" + STEPS,
            description = "Steps with faults, of each. Default: ${DEFAULT-VALUE}")
    private int steps;

    @Option(
            names = "--history",
            defaultValue = "80",
            description = "How much is told of a life that fails. Default: ${DEFAULT-VALUE} lines")
    private int lines;

    /** A seed that failed. */
    private record Failure(long seed, Throwable cause, String history) {}

    private final Tally all = new Tally();
    private final List<Failure> failures = new ArrayList<>();

    /** Runs the command line. */
    public static void main(String[] arguments) {
        Locale.setDefault(Locale.ROOT);
        ((Logger) LoggerFactory.getLogger("underlay")).setLevel(Level.OFF);
        System.exit(new CommandLine(new SimulationMain()).execute(arguments));
    }

    @Override
    public Integer call() throws InterruptedException {
        long begin = System.nanoTime();
        int threads = (int) Math.min(seeds, Runtime.getRuntime().availableProcessors());
        AtomicLong next = new AtomicLong(from);
        List<Thread> workers = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            workers.add(Thread.ofPlatform().start(() -> work(next)));
        }
        for (Thread worker : workers) {
            worker.join();
        }
        failures.forEach(this::tell);
        summary((System.nanoTime() - begin) / 1e9);
        return failures.isEmpty() ? 0 : 1;
    }

    private void work(AtomicLong next) {
        for (long seed = next.getAndIncrement();
                seed < from + seeds;
                seed = next.getAndIncrement()) {
            one(seed);
        }
    }

    private void one(long seed) {
        try (Folder folder = new Folder()) {
            Simulation simulation = new Simulation(seed, folder.path());
            try {
                simulation.schedule.linesKept = lines;
                simulation.live(steps);
            } catch (RuntimeException | AssertionError e) {
                synchronized (all) {
                    failures.add(new Failure(seed, e, simulation.schedule.history()));
                }
            }
            synchronized (all) {
                all.add(simulation.tally);
            }
        }
    }

    /** A folder for a journal, gone when closed. */
    record Folder(Path path) implements AutoCloseable {
        Folder() {
            this(make());
        }

        private static Path make() {
            try {
                return Files.createTempDirectory("underlay-simulation");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void close() {
            try (var files = Files.list(path)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
                Files.delete(path);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private void tell(Failure failure) {
        System.out.println("seed " + failure.seed() + ", the last things that happened:");
        System.out.println(failure.history());
        System.out.println("seed " + failure.seed() + " FAILED: " + failure.cause().getMessage());
        if (!(failure.cause() instanceof Violation)) {
            failure.cause().printStackTrace(System.out);
        }
        System.out.println(
                "replay: ./underlay simulate --from "
                        + failure.seed()
                        + " --seeds 1"
                        + (steps == STEPS ? "" : " --steps " + steps));
    }

    private void summary(double seconds) {
        System.out.printf(
                "seeds %d to %d in %.0f s: %,d steps, %,d pods, %,d calls to the cloud, %,d kills%n",
                from,
                from + seeds - 1,
                seconds,
                all.steps,
                all.pods,
                all.calls,
                all.faults.getOrDefault(Fault.KILLED, 0L));
        System.out.println("faults injected:");
        for (Fault fault : Fault.values()) {
            System.out.printf("  %,12d  %s%n", all.faults.getOrDefault(fault, 0L), words(fault));
        }
        System.out.println("invariants checked:");
        for (Invariant one : Invariant.values()) {
            System.out.printf("  %,12d  %s%n", all.checks.getOrDefault(one, 0L), one.means);
        }
        System.out.println(
                failures.isEmpty() ? "all seeds passed" : failures.size() + " seeds FAILED");
    }

    private static String words(Fault fault) {
        return fault.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
}
