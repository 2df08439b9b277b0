package dev.underlay.cloud.aws;

import java.time.Duration;

/** The waits between looks: short at first, then doubling up to a bound. */
final class Pace {
    private final long boundMillis;
    private long nextMillis;

    Pace(CallPolicy policy) {
        this.boundMillis = policy.lookEvery().toMillis();
        this.nextMillis = Math.min(policy.backoffBase().toMillis(), boundMillis);
    }

    /** Waits; false when the deadline comes first, or the thread is to stop. */
    boolean sleep(Deadline deadline) {
        if (deadline.left().compareTo(Duration.ofMillis(nextMillis)) <= 0) {
            return false;
        }
        try {
            Thread.sleep(nextMillis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
        nextMillis = Math.min(nextMillis * 2, boundMillis);
        return true;
    }
}
