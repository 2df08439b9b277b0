package dev.underlay.cloud.aws;

import dev.underlay.pool.Refusal;
import org.jspecify.annotations.Nullable;

/**
 * A cloud call that did not do what was asked. It stays inside this package: the port turns it into
 * an answer.
 */
final class CallFailure extends Exception {
    private final Refusal refusal;
    private final boolean ambiguous;

    private CallFailure(
            Refusal refusal, boolean ambiguous, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.refusal = refusal;
        this.ambiguous = ambiguous;
    }

    /** The cloud certainly did nothing. */
    static CallFailure certain(Refusal refusal, String message, @Nullable Throwable cause) {
        return new CallFailure(refusal, false, message, cause);
    }

    /** The cloud certainly did nothing. */
    static CallFailure certain(Refusal refusal, String message) {
        return certain(refusal, message, null);
    }

    /** The cloud may have done it: no answer came, or one that says nothing about it. */
    static CallFailure ambiguous(String message, @Nullable Throwable cause) {
        return new CallFailure(Refusal.UNAVAILABLE, true, message, cause);
    }

    Refusal refusal() {
        return refusal;
    }

    /** Whether the effect may have happened all the same. */
    boolean ambiguous() {
        return ambiguous;
    }

    /** Whether the same request may succeed a moment later. */
    boolean passing() {
        return refusal == Refusal.THROTTLED || refusal == Refusal.UNAVAILABLE;
    }

    /** This failure after looks that did not find the effect. */
    CallFailure withoutEffect() {
        return certain(refusal, getMessage() + " (a look afterwards found no effect)", getCause());
    }

    /** This failure when the look failed as well. */
    CallFailure unknown(CallFailure look) {
        CallFailure unknown =
                certain(
                        Refusal.UNKNOWN_OUTCOME,
                        getMessage() + "; the look at what it did failed too: " + look.getMessage(),
                        getCause());
        unknown.addSuppressed(look);
        return unknown;
    }

    @Override
    public String getMessage() {
        return String.valueOf(super.getMessage());
    }
}
