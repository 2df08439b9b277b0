package dev.underlay.pool;

/** What the cloud says about a thing that the pool knows. */
public enum Standing {
    /** The cloud's last word is that it is there. */
    CONFIRMED,
    /**
     * Known from the journal or the kernel; the cloud has not been asked yet. Its addresses are
     * leased last and it is never given back.
     */
    UNCONFIRMED,
    /**
     * The cloud did not list it, but a pod uses it or its address still cools. It is kept, nothing
     * more of it is leased, and it is never given back.
     */
    MISSING
}
