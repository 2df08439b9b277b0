package dev.underlay.pool;

/** Why the cloud did not do what it was asked; each class has one reaction. */
public enum Refusal {
    /** The subnet has no free address: another subnet, or later. */
    SUBNET_FULL,
    /** The subnet has no prefix left, it may still have addresses: those meanwhile. */
    NO_FREE_PREFIX,
    /** The interface holds all it may: our view is stale, describe it. */
    INTERFACE_FULL,
    /** The instance has all interfaces it may: delete the new one, describe. */
    ATTACHMENT_LIMIT,
    /** Another interface sits at this device index: take the next one. */
    DEVICE_INDEX_TAKEN,
    /** The account's or region's quota is used up: long back-off, a person must act. */
    QUOTA_EXCEEDED,
    /** The thing does not exist (any more). */
    GONE,
    /** The thing is in another state, still moving or in use: later. */
    BUSY,
    /** The credentials may not do this: the message names the permission; no retry storm. */
    NOT_PERMITTED,
    /** The call is wrong or names a subnet or group that is not there: a person must act. */
    MISCONFIGURED,
    /** The cloud or our own budget slows us down: later. */
    THROTTLED,
    /** The cloud did not answer or failed by itself; nothing was done. */
    UNAVAILABLE,
    /**
     * It may or may not have been done and a look gave no answer: describe before anything else.
     */
    UNKNOWN_OUTCOME
}
