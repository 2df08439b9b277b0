package dev.underlay.pool;

/** Whether the cluster sends pods to this node. */
public enum Cordon {
    /** It does, or there is no cluster that could say otherwise. */
    OPEN,
    /**
     * It does not: warm addresses are of no use, and the node may be about to end, so that giving
     * anything back is work for nothing. Pods that come all the same are served.
     */
    CORDONED,
    /** The cluster did not say. The node grows as if it were open and gives nothing back. */
    UNKNOWN
}
