package dev.underlay.pool;

/**
 * The pool in numbers of addresses at one instant, counted from its state.
 *
 * @param leased held by pods
 * @param cooling given back by a pod less than the cooldown ago
 * @param free can be leased now
 * @param requested on their way: asked for, or granted and not ready to be leased
 * @param scattered those of the free and the requested ones that lie in a prefix of which another
 *     address is in use, so that the prefix is not free as a whole
 */
public record Counts(int leased, int cooling, int free, int requested, int scattered) {
    /** Counts of a pool without a prefix that is partly in use. */
    public Counts(int leased, int cooling, int free, int requested) {
        this(leased, cooling, free, requested, 0);
    }

    /** All addresses that are here: leased, cooling or free; those on their way not counted. */
    public int total() {
        return leased + cooling + free;
    }
}
