package dev.underlay.localvpc;

/** Time that passes between an answer and its effect. Each can be set, and some can be pinned. */
public enum Lag {
    /** CreateNetworkInterface answered: {@code pending} to {@code available}. */
    PENDING,
    /** AttachNetworkInterface answered: {@code attaching} to {@code attached}. */
    ATTACH,
    /** AttachNetworkInterface answered: the device appears in the instance. */
    DEVICE,
    /** DetachNetworkInterface answered: {@code detaching} to {@code available}. */
    DETACH,
    /** Attached: the MAC appears in the metadata. */
    METADATA_INTERFACE,
    /** The MAC appears in the metadata: its leaves do. */
    METADATA_LEAVES,
    /** An address was assigned or unassigned: the metadata says so. */
    METADATA_ADDRESSES,
    /** Detached: the MAC leaves the metadata. */
    METADATA_LINGER,
    /** A change of state: Describe calls show it. At most ten minutes. */
    DESCRIBE,
    /** An address was given back: it can be given out again. */
    ADDRESS_REUSE
}
