package dev.underlay.pool;

/** Every waiting time of the pool and its planner, in nanoseconds. */
final class Timing {
    private static final long SECOND = 1_000_000_000L;

    /**
     * How long a description may lag behind what other calls already answered. Within it a granted
     * block that is not listed is kept, and a returned one that is still listed is not believed.
     * EC2 documents eventual consistency without a bound; seconds are usual, and being late here
     * costs nothing, so: a minute.
     */
    static final long SETTLE_NANOS = 60 * SECOND;

    /**
     * How long an address, block or interface must lie idle before it is given back; also the least
     * life of each. A deployment that restarts one pod a minute keeps its addresses; a node that
     * was emptied at noon gives its interfaces back at five past. Calls to give back and ask again
     * cost more than five minutes of an idle address.
     */
    static final long QUIET_NANOS = 300 * SECOND;

    /** How long an attached interface may take to get its link; 1 to 3 s are usual. */
    static final long LINK_PATIENCE_NANOS = 60 * SECOND;

    /**
     * How often the cloud is looked at without a reason: a thousand nodes make 1.7 calls a second.
     */
    static final long LOOK_EVERY_NANOS = 600 * SECOND;

    /**
     * How long after its cooling the node may take to forget an address's flows before the address
     * is leased all the same. It takes 0.2 s beside 100,000 connections; where it cannot be done at
     * all, addresses come back this much later and nothing else changes.
     */
    static final long FORGET_NANOS = 10 * SECOND;

    /**
     * How often a cloud that is away is looked for while pods wait. One call in three seconds is no
     * storm, and pods that waited out an outage have their addresses ten seconds after it: three
     * for the look to come, then a look, an interface, its attachment and its link.
     */
    static final long PROBE_NANOS = 3 * SECOND;

    private Timing() {}

    /**
     * How long to wait after a refusal: the first time, doubled with each failure in a row, up to
     * the most. The cloud's adapter has retried and spread its calls already.
     *
     * @param failures how many in a row, 1 or more
     */
    static long backoffNanos(Refusal refusal, int failures) {
        return switch (refusal) {
            // Addresses come free when pods elsewhere end; waiting pods give up after a minute.
            case SUBNET_FULL -> doubled(10 * SECOND, 120 * SECOND, failures);
            // Single addresses serve meanwhile; a subnet that is in pieces heals with its pods.
            case NO_FREE_PREFIX -> doubled(30 * SECOND, 600 * SECOND, failures);
            // A look comes first and is the cure.
            case INTERFACE_FULL -> doubled(5 * SECOND, 300 * SECOND, failures);
            case DEVICE_INDEX_TAKEN -> doubled(SECOND / 10, 30 * SECOND, failures);
            // Just made things may not be known everywhere yet.
            case GONE -> doubled(SECOND, 60 * SECOND, failures);
            case BUSY -> doubled(SECOND, 30 * SECOND, failures);
            // A person must act.
            case ATTACHMENT_LIMIT, QUOTA_EXCEEDED -> doubled(60 * SECOND, 600 * SECOND, failures);
            case NOT_PERMITTED, MISCONFIGURED -> doubled(30 * SECOND, 600 * SECOND, failures);
            case THROTTLED, UNKNOWN_OUTCOME -> doubled(SECOND, 60 * SECOND, failures);
            case UNAVAILABLE -> doubled(SECOND, 30 * SECOND, failures);
        };
    }

    private static long doubled(long first, long most, int failures) {
        return Math.min(most, first << Math.min(failures - 1, 20)); // 2^20 is beyond every most
    }
}
