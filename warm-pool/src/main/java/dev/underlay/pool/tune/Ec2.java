package dev.underlay.pool.tune;

import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The account's EC2 as far as time, limits and bills go: how long a call takes, how many may be
 * made, and who holds how many addresses. What each node's interfaces are is its own matter.
 */
final class Ec2 {
    static final long CALL_NANOS = 300 * Timeline.MILLISECOND;

    /**
     * An attach is answered like any call; both sides go on when the device is there, 2 s later.
     */
    static final long ATTACH_NANOS = CALL_NANOS + 2 * Timeline.SECOND;

    /** How long after the answer to a detach the interface is still there. */
    static final long DETACH_NANOS = 2 * Timeline.SECOND;

    private final Timeline time;
    private final Meter meter;
    private final TreeMap<String, Long> calls = new TreeMap<>();
    private final TokenBucket changes = new TokenBucket(50, 5);
    private final TokenBucket reads = new TokenBucket(100, 20);

    Ec2(Timeline time, Meter meter) {
        this.time = time;
        this.meter = meter;
    }

    /** Makes a call; what follows runs when it is answered. */
    void call(String action, Runnable then) {
        call(action, CALL_NANOS, then);
    }

    void call(String action, long nanos, Runnable then) {
        calls.merge(action, 1L, Long::sum);
        TokenBucket bucket = action.startsWith("Describe") ? reads : changes;
        time.after(bucket.take(time.now()) + nanos, then);
    }

    /** A node holds so many more addresses for pods; fewer, if negative. */
    void holds(int more) {
        meter.held(more, time.now());
    }

    void startCounting() {
        calls.clear();
        changes.startCounting();
        reads.startCounting();
    }

    SortedMap<String, Long> calls() {
        return calls;
    }

    TokenBucket changes() {
        return changes;
    }

    TokenBucket reads() {
        return reads;
    }
}
