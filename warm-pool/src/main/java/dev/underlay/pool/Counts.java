package dev.underlay.pool;

/**
 * The pool in numbers of addresses at one instant, counted from its state.
 *
 * @param leased held by pods
 * @param cooling given back by a pod less than the cooldown ago
 * @param free can be leased now
 * @param requested on their way: asked for, or granted and not ready to be leased
 */
public record Counts(int leased, int cooling, int free, int requested) {
    /** All addresses that are here: leased, cooling or free; those on their way not counted. */
    public int total() {
        return leased + cooling + free;
    }
}
