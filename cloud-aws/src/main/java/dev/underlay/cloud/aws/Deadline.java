package dev.underlay.cloud.aws;

import java.time.Duration;

/**
 * The moment at which a call of the port gives up.
 *
 * @param atNanos on the clock of {@link System#nanoTime()}
 */
record Deadline(long atNanos) {
    static Deadline in(Duration time) {
        return new Deadline(System.nanoTime() + time.toNanos());
    }

    /** What is left; never negative. */
    Duration left() {
        return Duration.ofNanos(Math.max(0, atNanos - System.nanoTime()));
    }

    boolean passed() {
        return atNanos - System.nanoTime() <= 0;
    }
}
