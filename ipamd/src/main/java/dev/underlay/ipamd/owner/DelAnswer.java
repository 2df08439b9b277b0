package dev.underlay.ipamd.owner;

/** What a DEL gets from the pool's owner. */
public sealed interface DelAnswer {
    /** There is no such lease, or only one that began after what the DEL means. */
    record Nothing() implements DelAnswer {}

    /**
     * The caller takes the pod's links down and then says {@link PoolOwner#released} or {@link
     * PoolOwner#kept}; until then the attachment's turn is its own.
     */
    record Unwire(StandingLease what) implements DelAnswer {}
}
