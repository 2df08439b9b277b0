package dev.underlay.cni.routing;

/**
 * Every bit, table, priority and group number that Underlay uses in the kernel. 0x80, 0x2000,
 * 0x4000 and 0x8000 of the packet mark belong to others.
 */
public final class Marks {
    /** Bits of the packet mark that carry the interface number. */
    public static final int INTERFACE_MASK = 0x7f;

    /** The interface number of the primary interface; an attached one has its device index + 1. */
    public static final int PRIMARY_INTERFACE = 1;

    /** The largest interface number. */
    public static final int MAX_INTERFACE = 127;

    /** Routes to this node's pods, and {@code unreachable} routes of its blocks. */
    public static final int TO_POD_TABLE = 20000;

    /** The table of attached interface n is this plus n. */
    public static final int INTERFACE_TABLE_BASE = 20000;

    /** {@code from all lookup TO_POD_TABLE}. */
    public static final int TO_POD_RULE = 512;

    /** {@code fwmark n/0x7f} of interface n has this priority plus n. */
    public static final int MARK_RULE_BASE = 600;

    /** {@code from} attached interface n's own primary address has this priority plus n. */
    public static final int OWN_ADDRESS_RULE_BASE = 800;

    /** {@code IFLA_GROUP} of pods' host links. */
    public static final int POD_LINK_GROUP = 21;

    /** {@code IFLA_GROUP} of host links that wait for their deletion in a batch. */
    public static final int TRASH_LINK_GROUP = 22;

    /**
     * Metric of the {@code unreachable} routes of interface n's blocks is this plus n: worse than
     * any pod's own route, and so the kernel remembers whose block it is.
     */
    public static final int UNREACHABLE_METRIC = 0xff000000;

    /**
     * {@code rtm_protocol} and {@code FRA_PROTOCOL} of everything that is ours (unassigned value).
     */
    public static final int PROTOCOL = 85;

    private Marks() {}
}
