package dev.underlay.pool;

/**
 * What pods want at this instant.
 *
 * @param waiting how many pods wait in the queue for an address
 */
public record Demand(int waiting) {
    /** Nobody waits. */
    public static final Demand NONE = new Demand(0);

    /** Refuses a negative count. */
    public Demand {
        if (waiting < 0) {
            throw new IllegalArgumentException("waiting " + waiting);
        }
    }
}
