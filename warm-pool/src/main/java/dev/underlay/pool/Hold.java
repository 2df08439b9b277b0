package dev.underlay.pool;

/**
 * A refusal that keeps the planner from asking the same again for a while. It is held against the
 * thing that caused it alone: one full subnet does not stop another.
 *
 * @param subject what waits, such as {@code subnet-77c2}, {@code eni-0ab1} or {@code
 *     CreateInterface}
 * @param refusal the class of the reason
 * @param message the cloud's words, with what to do next
 * @param failures how many times in a row, 1 or more
 * @param untilNanos when it may be tried again, nanoseconds since boot
 */
public record Hold(String subject, Refusal refusal, String message, int failures, long untilNanos) {
    /** When the refusal came. */
    long sinceNanos() {
        return untilNanos - Timing.backoffNanos(refusal, failures);
    }

    /** Whether the cloud was not reached, so that any other call may tell that it is back. */
    boolean away() {
        return refusal == Refusal.UNAVAILABLE || refusal == Refusal.UNKNOWN_OUTCOME;
    }
}
