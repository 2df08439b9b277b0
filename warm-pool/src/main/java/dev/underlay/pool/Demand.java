package dev.underlay.pool;

/**
 * What pods and the cluster want at this instant.
 *
 * @param waiting how many pods wait in the queue for an address
 * @param cordon whether more are to come
 */
public record Demand(int waiting, Cordon cordon) {
    /** Nobody waits. */
    public static final Demand NONE = new Demand(0);

    /** Refuses a negative count. */
    public Demand {
        if (waiting < 0) {
            throw new IllegalArgumentException("waiting " + waiting);
        }
    }

    /** What pods want of a node that is open. */
    public Demand(int waiting) {
        this(waiting, Cordon.OPEN);
    }

    Demand oneMore() {
        return new Demand(waiting + 1, cordon);
    }
}
