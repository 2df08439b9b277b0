package dev.underlay.ipamd.kernel;

import dev.underlay.ipamd.observe.Events;
import dev.underlay.ipamd.observe.GuardedLoop;
import dev.underlay.ipamd.observe.Metrics;
import java.io.IOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Deletes the links of pods that were taken down, in the background and in batches: one batch costs
 * one grace period of the kernel (about 20 ms), however many links it has.
 */
final class Trash implements AutoCloseable {
    /** How long links may gather; every deletion holds the kernel's lock that ADDs need too. */
    private static final long GATHER_MILLIS = 250;

    private final Emptying emptying;
    private final Semaphore work = new Semaphore(0);
    private final Metrics metrics;
    private @Nullable GuardedLoop loop;
    private final Set<String> named = new HashSet<>();

    /** Deletes what waits and names foreign links that it left alone. */
    @FunctionalInterface
    interface Emptying {
        List<String> run() throws IOException;
    }

    Trash(Emptying emptying, Metrics metrics) {
        this.emptying = emptying;
        this.metrics = metrics;
    }

    /** Starts with what an earlier process left. */
    void start() {
        loop =
                GuardedLoop.start(
                        Thread.ofPlatform().daemon(true),
                        "trash",
                        Duration.ZERO,
                        metrics,
                        this::gatherAndEmpty);
        wake();
    }

    /** There is a link to delete. Does not block. */
    void wake() {
        work.release();
    }

    private void gatherAndEmpty() throws InterruptedException {
        work.acquire();
        TimeUnit.MILLISECONDS.sleep(GATHER_MILLIS);
        work.drainPermits();
        empty();
    }

    private void empty() {
        try {
            emptying.run().stream()
                    .filter(named::add)
                    .forEach(name -> Events.warn("trash.foreign", "link", name));
        } catch (IOException e) {
            Events.warn("trash.failed", "error", e.getMessage());
        }
    }

    /** What is not deleted yet is left to the next process. */
    @Override
    public void close() {
        if (loop != null) {
            loop.close();
        }
    }
}
