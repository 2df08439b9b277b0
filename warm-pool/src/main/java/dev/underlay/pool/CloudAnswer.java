package dev.underlay.pool;

/**
 * How a call to the cloud ended.
 *
 * @param <T> what a success carries
 */
public sealed interface CloudAnswer<T> {
    /** The cloud did it. */
    record Done<T>(T value) implements CloudAnswer<T> {}

    /**
     * The cloud did not do it, and after a look it is certain that nothing was done, except for
     * {@link Refusal#UNKNOWN_OUTCOME}.
     *
     * @param refusal the class of the reason, by which the planner reacts
     * @param message the call, the thing, the cloud's code and words, and what to do next
     */
    record Refused<T>(Refusal refusal, String message) implements CloudAnswer<T> {}
}
