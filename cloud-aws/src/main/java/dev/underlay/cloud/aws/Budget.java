package dev.underlay.cloud.aws;

import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import java.time.Duration;

/**
 * How many calls of one kind this node makes in a second, on average over {@link #PERIOD_SECONDS}.
 * The account's budget is shared by all nodes and unknown, so ours gives way: a throttled answer
 * halves it, and each second with a success gives one call back.
 */
final class Budget {
    /**
     * Over how long the calls of one burst may be spread. With 5 changes a second a burst has 10,
     * so that a full m5.xlarge (2 assigns, 3 creates, 3 attaches) waits for the cloud alone.
     */
    private static final int PERIOD_SECONDS = 2;

    private static final long RECOVERY_NANOS = 1_000_000_000L;

    private final RateLimiter limiter;
    private final int full;
    private long changedAtNanos = System.nanoTime();

    /**
     * Starts full.
     *
     * @param perSecond calls a second; a burst has those of a whole period
     * @param wait how long a call may wait for its turn
     */
    Budget(String name, int perSecond, Duration wait) {
        this.full = perSecond;
        this.limiter =
                RateLimiter.of(
                        name,
                        RateLimiterConfig.custom()
                                .limitRefreshPeriod(Duration.ofSeconds(PERIOD_SECONDS))
                                .limitForPeriod(perSecond * PERIOD_SECONDS)
                                .timeoutDuration(wait)
                                .build());
    }

    /**
     * Waits for a turn; false when none comes in time, or the thread is to stop.
     *
     * @param atMost what the caller has left
     */
    boolean take(Duration atMost) {
        long nanos = limiter.reservePermission();
        if (nanos < 0 || nanos > atMost.toNanos()) {
            return false;
        }
        try {
            Thread.sleep(Duration.ofNanos(nanos));
            return true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /** Calls a second at this moment. */
    int perSecond() {
        return limiter.getRateLimiterConfig().getLimitForPeriod() / PERIOD_SECONDS;
    }

    /** The cloud throttled a call. */
    synchronized void throttled() {
        change(Math.max(1, perSecond() / 2));
    }

    /** The cloud answered a call. */
    synchronized void answered() {
        if (perSecond() < full && System.nanoTime() - changedAtNanos >= RECOVERY_NANOS) {
            change(perSecond() + 1);
        }
    }

    private void change(int perSecond) {
        limiter.changeLimitForPeriod(perSecond * PERIOD_SECONDS);
        changedAtNanos = System.nanoTime();
    }
}
