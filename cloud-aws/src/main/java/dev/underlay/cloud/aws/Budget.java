package dev.underlay.cloud.aws;

import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import java.time.Duration;

/**
 * How many calls of one kind this node makes in a second. The account's budget is shared by all
 * nodes and unknown, so ours gives way: a throttled answer halves it, and each second with a
 * success gives one call back.
 */
final class Budget {
    private static final Duration PERIOD = Duration.ofSeconds(1);

    private final RateLimiter limiter;
    private final int full;
    private long changedAtNanos = System.nanoTime();

    /**
     * Starts full.
     *
     * @param perSecond calls a second, also the burst
     * @param wait how long a call may wait for its turn
     */
    Budget(String name, int perSecond, Duration wait) {
        this.full = perSecond;
        this.limiter =
                RateLimiter.of(
                        name,
                        RateLimiterConfig.custom()
                                .limitRefreshPeriod(PERIOD)
                                .limitForPeriod(perSecond)
                                .timeoutDuration(wait)
                                .build());
    }

    /** Waits for a turn; false when none comes in time. */
    boolean take() {
        return limiter.acquirePermission();
    }

    /** Calls a second at this moment. */
    int perSecond() {
        return limiter.getRateLimiterConfig().getLimitForPeriod();
    }

    /** The cloud throttled a call. */
    synchronized void throttled() {
        change(Math.max(1, perSecond() / 2));
    }

    /** The cloud answered a call. */
    synchronized void answered() {
        if (perSecond() < full && System.nanoTime() - changedAtNanos >= PERIOD.toNanos()) {
            change(perSecond() + 1);
        }
    }

    private void change(int perSecond) {
        limiter.changeLimitForPeriod(perSecond);
        changedAtNanos = System.nanoTime();
    }
}
