package dev.underlay.cloud.aws;

/**
 * Hears of every attempt at a cloud call, for metrics. Called on the thread that made the call; it
 * must be quick, thread-safe and must not throw.
 */
@FunctionalInterface
public interface CloudCallListener {
    /** How one attempt ended; a bounded set, fit for a metric's label. */
    enum Outcome {
        OK,
        /** The cloud answered with an error that a repeat would not change. */
        REFUSED,
        /** The cloud, or our own budget, slowed us down. */
        THROTTLED,
        /** No answer, an answer that is none, or a failure inside the cloud. */
        FAILED,
        /** Not sent: the circuit breaker is open, or the deadline passed. */
        NOT_SENT
    }

    /** A listener that hears nothing. */
    CloudCallListener NONE = (_, _, _) -> {};

    /**
     * One attempt ended.
     *
     * @param action the EC2 action, such as {@code AttachNetworkInterface}, or {@code Metadata}
     * @param outcome how it ended
     * @param nanos how long it took without waiting for our own budget, nanoseconds
     */
    void onCall(String action, Outcome outcome, long nanos);
}
