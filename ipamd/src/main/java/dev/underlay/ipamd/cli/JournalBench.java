package dev.underlay.ipamd.cli;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.underlay.cni.wiring.Attachment;
import dev.underlay.cni.wiring.PodLink;
import dev.underlay.ipamd.journal.Journal;
import dev.underlay.ipamd.journal.JournalRecord;
import dev.underlay.ipamd.journal.JournalRecord.Held;
import dev.underlay.ipamd.journal.JournalRecord.InterfaceKnown;
import dev.underlay.ipamd.journal.JournalRecord.Leased;
import dev.underlay.ipamd.journal.JournalRecord.Released;
import dev.underlay.ipamd.journal.JournalRecord.Wired;
import dev.underlay.ipamd.owner.Recovery;
import dev.underlay.pool.AttachmentKey;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.IpAddress;
import java.io.File;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code underlay bench journal}: what the journal costs an ADD, and a start. */
@Command(
        name = "journal",
        description = {
            "Measures the journal on tmpfs: what it costs one ADD, and how long a fresh process needs",
            "for journal and links of many pods.",
            "Exit code 0: within the bounds, 1: not."
        },
        mixinStandardHelpOptions = true)
public final class JournalBench implements Callable<Integer> {
    /** What an ADD may spend in the journal, at the median. */
    static final Duration ADD_GOAL = Duration.ofNanos(50_000);

    /** What a start may spend on {@link #RECORDS}, at the median. */
    static final Duration RECOVERY_GOAL = Duration.ofMillis(200);

    static final int RECORDS = 10_000;

    private static final int PODS = 110; // the most that Kubernetes recommends for a node
    private static final int WARM_UP = 2_000;
    private static final int ADDS = 20_000;
    private static final int STARTS = 9;
    private static final String BOOT = "bench";

    /** As long as the result of a real ADD: one interface, address, routes, DNS. */
    private static final String RESULT = "x".repeat(700);

    @Option(
            names = "--dir",
            defaultValue = "/dev/shm",
            description = "A folder on tmpfs. Default: ${DEFAULT-VALUE}")
    private Path folder = Path.of("");

    @Option(names = "--json", description = "Print one JSON object alone.")
    private boolean json;

    @Spec private CommandSpec spec = CommandSpec.create();

    /**
     * What was measured.
     *
     * @param name of what
     * @param count how often
     * @param boundMicros what the median may be
     */
    record Figure(
            String name,
            int count,
            long p50Micros,
            long p99Micros,
            long maxMicros,
            long boundMicros,
            boolean ok) {
        String text() {
            return "%s  %s: p50 %d µs, p99 %d µs, max %d µs of %d; the median may be %d µs"
                    .formatted(
                            ok ? "ok  " : "FAIL",
                            name,
                            p50Micros,
                            p99Micros,
                            maxMicros,
                            count,
                            boundMicros);
        }
    }

    /** Measures, or, with a file, is one of the fresh processes. */
    public static void main(String[] args) throws IOException {
        Locale.setDefault(Locale.ROOT);
        if (args.length == 2 && args[0].equals("start")) {
            System.out.println(start(Path.of(args[1])));
            return;
        }
        System.exit(new CommandLine(new JournalBench()).execute(args));
    }

    @Override
    public Integer call() throws IOException {
        String type = Files.getFileStore(folder).type();
        if (!type.equals("tmpfs")) {
            throw new CommandLine.ParameterException(
                    spec.commandLine(),
                    folder + " is on " + type + ", not on tmpfs; choose another --dir");
        }
        Path own = Files.createTempDirectory(folder, "underlay-bench-");
        try {
            List<Figure> figures =
                    List.of(adds(own.resolve("adds")), recovery(own.resolve("start")));
            PrintWriter out = spec.commandLine().getOut();
            boolean ok = figures.stream().allMatch(Figure::ok);
            out.println(
                    json
                            ? new JsonMapper()
                                    .writerWithDefaultPrettyPrinter()
                                    .writeValueAsString(Map.of("ok", ok, "figures", figures))
                            : String.join(
                                    System.lineSeparator(),
                                    figures.stream().map(Figure::text).toList()));
            out.flush();
            return ok ? 0 : 1;
        } finally {
            try (var files = Files.list(own)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(own);
        }
    }

    /** Pods come and go, each address the oldest one's next; rewrites of the file are in it. */
    private static Figure adds(Path path) throws IOException {
        long[] nanos = new long[ADDS];
        try (Journal journal = Journal.open(path, BOOT, 0).journal()) {
            journal.append(List.of(ENI), 0);
            for (int i = 0; i < WARM_UP + ADDS; i++) {
                if (i >= PODS) {
                    Leased oldest = lease(i - PODS);
                    journal.append(
                            List.of(new Released(oldest.key(), oldest.addresses(), i, i)), i);
                }
                Leased lease = lease(i);
                long before = System.nanoTime();
                journal.append(List.of(lease), i);
                journal.append(List.of(new Wired(lease.key(), RESULT)), i);
                if (i >= WARM_UP) {
                    nanos[i - WARM_UP] = System.nanoTime() - before;
                }
            }
        }
        Arrays.sort(nanos);
        return figure(
                "journalling one ADD, lease and result, with " + PODS + " pods", nanos, ADD_GOAL);
    }

    private static Figure recovery(Path path) throws IOException {
        List<JournalRecord> records = new ArrayList<>(List.of(ENI));
        for (int i = 0; i < RECORDS / 2; i++) {
            Leased lease = lease(i);
            records.add(lease);
            records.add(new Wired(lease.key(), RESULT));
        }
        try (Journal journal = Journal.open(path, BOOT, 0).journal()) {
            journal.append(records, 0);
        }
        long[] nanos = new long[STARTS];
        for (int i = 0; i < STARTS; i++) {
            nanos[i] = startInFreshProcess(path);
        }
        Arrays.sort(nanos);
        return figure(
                "recovery of " + records.size() + " records and their links in a fresh process",
                nanos,
                RECOVERY_GOAL);
    }

    /** With the options that the daemon runs with. */
    private static long startInFreshProcess(Path path) throws IOException {
        Path jar =
                Path.of(
                        URI.create(
                                JournalBench.class
                                        .getProtectionDomain()
                                        .getCodeSource()
                                        .getLocation()
                                        .toString()));
        Process process =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "@" + jar.resolveSibling("jvm.options"),
                                "-cp",
                                jar.getParent() + File.separator + "*",
                                JournalBench.class.getName(),
                                "start",
                                path.toString())
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        try (var out = process.getInputStream()) {
            String text = new String(out.readAllBytes(), StandardCharsets.UTF_8).strip();
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new IOException("the process that was to start told no time", e);
        }
    }

    /** What the daemon does before it serves, but for the kernel's list of links. */
    private static long start(Path path) throws IOException {
        List<PodLink> links = new ArrayList<>();
        for (int i = 0; i < RECORDS / 2; i++) {
            links.add(link(i));
        }
        long before = System.nanoTime();
        Journal.Opened opened = Journal.open(path, BOOT, 1);
        try (Journal journal = opened.journal()) {
            Recovery recovery = Recovery.of(journal.state(), links, 1, 1);
            long nanos = System.nanoTime() - before;
            if (recovery.state().leases().size() != links.size()
                    || !recovery.state().news().isEmpty()) {
                throw new IOException("the recovery is not complete");
            }
            return nanos;
        }
    }

    private static Figure figure(String name, long[] sortedNanos, Duration bound) {
        long median = sortedNanos[sortedNanos.length / 2];
        return new Figure(
                name,
                sortedNanos.length,
                median / 1000,
                sortedNanos[sortedNanos.length * 99 / 100] / 1000,
                sortedNanos[sortedNanos.length - 1] / 1000,
                bound.toNanos() / 1000,
                median <= bound.toNanos());
    }

    private static final InterfaceKnown ENI =
            new InterfaceKnown(
                    new CloudInterface(
                            "eni-0123456789abcdef0",
                            Optional.empty(),
                            "02:00:00:00:00:01",
                            "subnet-0123456789abcdef0",
                            Cidr.parse("10.0.0.0/16"),
                            IpAddress.parse("10.0.0.5"),
                            true,
                            Optional.of(
                                    new CloudInterface.Attachment(
                                            0, CloudInterface.State.ATTACHED)),
                            List.of(Cidr.parse("10.0.0.0/16")),
                            true));

    private static Leased lease(int i) {
        return new Leased(
                new AttachmentKey("underlay", container(i), "eth0"),
                i + 1,
                "some-namespace",
                "some-deployment-5d4f8c7b9-" + i,
                List.of(new Held(address(i), "eni-0123456789abcdef0")),
                i);
    }

    private static PodLink link(int i) {
        Leased lease = lease(i);
        InetAddress address = InetAddress.ofLiteral(lease.addresses().getFirst().toString());
        return new PodLink(
                i + 1,
                "ul" + i,
                "",
                2,
                Optional.of(
                        new Attachment(
                                "underlay",
                                container(i),
                                "eth0",
                                i + 1,
                                lease.podNamespace(),
                                lease.podName())),
                List.of(address));
    }

    /** 64 hexadecimal digits, as containerd makes them. */
    private static String container(int i) {
        return "%064x".formatted(i);
    }

    private static IpAddress address(int i) {
        int slot = i % 10_000;
        return IpAddress.parse("10.0." + (1 + slot / 200) + "." + (10 + slot % 200));
    }
}
