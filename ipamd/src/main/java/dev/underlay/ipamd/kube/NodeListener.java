package dev.underlay.ipamd.kube;

import dev.underlay.pool.Cordon;

/** Hears what the cluster says of this node, each change once. Must not block. */
public interface NodeListener {
    /** Whether pods are sent here; {@link Cordon#UNKNOWN} until the cluster says so, and again. */
    void cordon(Cordon cordon);

    /** How many pods the node may run, host's network or not: {@code status.capacity}. */
    void podCapacity(int pods);
}
