package dev.underlay.pool.tune;

import java.util.ArrayDeque;

/**
 * The cloud's limit for calls of one kind, shared by all nodes of the account: so many at once, so
 * many a second in the long run. A call that finds the bucket empty waits for its token, as a
 * client does that is throttled and tries again.
 */
final class TokenBucket {
    private final int burst;
    private final double perNano;
    private double tokens;
    private long asOf;

    private final ArrayDeque<Long> lastSecond = new ArrayDeque<>();
    private long calls;
    private long throttled;
    private int mostInOneSecond;
    private double least;

    TokenBucket(int burst, int perSecond) {
        this.burst = burst;
        this.perNano = perSecond / (double) Timeline.SECOND;
        tokens = burst;
        least = burst;
    }

    /** Takes a token; answers how long the call must wait for it, 0 while there are some. */
    long take(long nowNanos) {
        tokens = Math.min(burst, tokens + (nowNanos - asOf) * perNano) - 1;
        asOf = nowNanos;
        long wait = tokens >= 0 ? 0 : (long) Math.ceil(-tokens / perNano);
        calls++;
        throttled += wait > 0 ? 1 : 0;
        least = Math.min(least, tokens);
        while (!lastSecond.isEmpty() && lastSecond.getFirst() <= nowNanos - Timeline.SECOND) {
            lastSecond.removeFirst();
        }
        lastSecond.addLast(nowNanos);
        mostInOneSecond = Math.max(mostInOneSecond, lastSecond.size());
        return wait;
    }

    /** Counts from here. */
    void startCounting() {
        calls = 0;
        throttled = 0;
        mostInOneSecond = 0;
        least = tokens;
        lastSecond.clear();
    }

    Outcome.Rate rate() {
        return new Outcome.Rate(
                calls, mostInOneSecond, (int) Math.ceil(burst - least), burst, throttled);
    }
}
