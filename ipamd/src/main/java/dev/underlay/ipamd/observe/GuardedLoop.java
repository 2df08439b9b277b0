package dev.underlay.ipamd.observe;

import java.time.Duration;

/**
 * What a thread of its own does again and again until it is closed. A round that fails unexpectedly
 * is told and counted, and the next one comes all the same.
 */
public final class GuardedLoop implements AutoCloseable {
    /** How long {@link #close} waits for the round that runs. */
    private static final Duration LAST_ROUND = Duration.ofSeconds(2);

    private final String place;
    private final Duration pause;
    private final Metrics metrics;
    private final Round round;
    private final Thread thread;
    private String trouble = ""; // on the thread only

    /** One round; it ends early when it is interrupted. */
    @FunctionalInterface
    public interface Round {
        void run() throws InterruptedException;
    }

    private GuardedLoop(
            Thread.Builder kind, String place, Duration pause, Metrics metrics, Round round) {
        this.place = place;
        this.pause = pause;
        this.metrics = metrics;
        this.round = round;
        this.thread = kind.name(place).unstarted(this::run);
    }

    /**
     * Starts; the first round comes at once.
     *
     * @param kind a daemon thread, virtual unless the round blocks in native code
     * @param place names the thread, and the loop in log and metrics
     * @param pause between two rounds
     */
    public static GuardedLoop start(
            Thread.Builder kind, String place, Duration pause, Metrics metrics, Round round) {
        GuardedLoop loop = new GuardedLoop(kind, place, pause, metrics, round);
        loop.thread.start();
        return loop;
    }

    private void run() {
        try {
            while (true) {
                guarded();
                Thread.sleep(pause);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The same trouble round after round is one line. */
    private void guarded() throws InterruptedException {
        try {
            round.run();
            trouble = "";
        } catch (RuntimeException e) {
            metrics.fault(place);
            if (!e.toString().equals(trouble)) {
                trouble = e.toString();
                Events.error("loop.failed", e, "loop", place, "error", e, "next", "it goes on");
            }
        }
    }

    /** Interrupts the round that runs and waits a moment for its end; no other one comes. */
    @Override
    public void close() {
        thread.interrupt();
        try {
            var _ = thread.join(LAST_ROUND);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
