package dev.underlay.pool;

/**
 * The life of one pod address on this node.
 *
 * <pre>
 *   Free    -> Leased    a pod sandbox took it (CNI ADD)
 *   Leased  -> Cooling   the sandbox gave it back (CNI DEL or GC)
 *   Cooling -> Free      coolUntilNanos passed, and the node has forgotten the flows of its last
 *                        pod or had Timing.FORGET_NANOS to do so
 * </pre>
 *
 * <p>All times are nanoseconds since boot.
 */
public sealed interface AddressState {
    /** The {@link Free#idleSinceNanos()} of an address that no pod has had: idle the longest. */
    long NEVER_USED = Long.MIN_VALUE;

    /**
     * Nobody holds it.
     *
     * @param idleSinceNanos when its last cooling ended, or {@link #NEVER_USED}
     */
    record Free(long idleSinceNanos) implements AddressState {}

    /** A pod holds it. */
    record Leased(AttachmentKey owner) implements AddressState {}

    /**
     * Nobody holds it, but others may still send to the pod that had it, or the node remembers its
     * flows.
     *
     * @param coolUntilNanos the last instant at which it must not be leased, whatever the node says
     */
    record Cooling(long coolUntilNanos) implements AddressState {}

    /** What became of a wish to change a state. */
    sealed interface Change {
        /** The new state. */
        record Moved(AddressState to) implements Change {}

        /** It is so already; a runtime may repeat every call. */
        record AlreadySo() implements Change {}

        /** It stays as it is. */
        record Refused(String reason) implements Change {}
    }

    /** Whether it cools at an instant. */
    static boolean cools(AddressState state, long nowNanos) {
        return state instanceof Cooling(long until) && until + Timing.FORGET_NANOS >= nowNanos;
    }

    /** Whether it cools only because the node has not said that it forgot its flows. */
    static boolean cooled(AddressState state, long nowNanos) {
        return state instanceof Cooling(long until) && until < nowNanos && cools(state, nowNanos);
    }

    /** The state once the node has forgotten its flows; it changes only one that has cooled. */
    static AddressState forgotten(AddressState state, long nowNanos) {
        return switch (state) {
            case Cooling(long until) when until < nowNanos -> new Free(until);
            case Cooling _, Free _, Leased _ -> state;
        };
    }

    /** The state at an instant: an address that waited long enough to be forgotten is free. */
    static AddressState at(AddressState state, long nowNanos) {
        return switch (state) {
            case Cooling(long until) when !cools(state, nowNanos) -> new Free(until);
            case Cooling _, Free _, Leased _ -> state;
        };
    }

    /** Gives an address to a pod. */
    static Change lease(AddressState from, AttachmentKey owner, long nowNanos) {
        return switch (at(from, nowNanos)) {
            case Free _ -> new Change.Moved(new Leased(owner));
            case Leased(var holder) when holder.equals(owner) -> new Change.AlreadySo();
            case Leased(var holder) -> new Change.Refused("held by " + holder);
            case Cooling(long until) when until < nowNanos ->
                    new Change.Refused("the node has not forgotten its flows yet");
            case Cooling(long until) ->
                    new Change.Refused("cooling for another " + (until - nowNanos) + " ns");
        };
    }

    /**
     * Takes an address back from a pod.
     *
     * @param coolForNanos how long others may still send to the old pod; 0 or more
     */
    static Change release(
            AddressState from, AttachmentKey owner, long nowNanos, long coolForNanos) {
        return switch (from) {
            case Leased(var holder) when holder.equals(owner) ->
                    new Change.Moved(new Cooling(nowNanos + coolForNanos));
            case Leased(var holder) -> new Change.Refused("held by " + holder);
            case Cooling _, Free _ -> new Change.AlreadySo(); // DEL may be sent more than once
        };
    }
}
