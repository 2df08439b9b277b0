package dev.underlay.ipamd.kernel;

import dev.underlay.ipamd.observe.Events;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Deletes the links of pods that were taken down, in the background and in batches: one batch costs
 * one grace period of the kernel (about 20 ms), however many links it has.
 */
final class Trash implements AutoCloseable {
    /** How long links may gather; every deletion holds the kernel's lock that ADDs need too. */
    private static final long GATHER_MILLIS = 250;

    private final Emptying emptying;
    private final Semaphore work = new Semaphore(0);
    private final Thread thread =
            Thread.ofPlatform().name("trash").daemon(true).unstarted(this::run);
    private final Set<String> named = new HashSet<>();

    /** Deletes what waits and names foreign links that it left alone. */
    @FunctionalInterface
    interface Emptying {
        List<String> run() throws IOException;
    }

    Trash(Emptying emptying) {
        this.emptying = emptying;
    }

    /** Starts with what an earlier process left. */
    void start() {
        thread.start();
        wake();
    }

    /** There is a link to delete. Does not block. */
    void wake() {
        work.release();
    }

    private void run() {
        try {
            while (true) {
                work.acquire();
                TimeUnit.MILLISECONDS.sleep(GATHER_MILLIS);
                work.drainPermits();
                empty();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // Closed; the next process goes on.
        }
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

    @Override
    public void close() {
        thread.interrupt();
    }
}
