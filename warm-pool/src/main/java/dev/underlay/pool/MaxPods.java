package dev.underlay.pool;

/**
 * How many pods a node can have, for its kubelet.
 *
 * @param addresses how many pods get an address of their own
 * @param kubelet what to give the kubelet as its most pods
 */
public record MaxPods(long addresses, long kubelet) {
    /** Pods in the host's network that each EKS node runs: the pod network's own and kube-proxy. */
    private static final int HOST_NETWORK_PODS = 2;

    /** What Kubernetes was tested with, by EKS's guide for a node with prefixes. */
    private static final int RECOMMENDED = 110;

    private static final int RECOMMENDED_ON_LARGE = 250;
    private static final int LARGE_CPUS = 30;

    /**
     * The numbers of an instance type.
     *
     * @param interfaces how many interfaces serve pods: the type's, MAX_ENI's at most, and one less
     *     with custom networking, where the primary one has no pods
     * @param cpus of the type; above 30 EKS recommends up to 250 pods, else 110. It counts with
     *     prefixes only: single addresses run out before, or are what was asked for
     */
    public static MaxPods of(NodeIdentity.Limits limits, int interfaces, BlockKind kind, int cpus) {
        long blocks = (long) interfaces * (limits.addressesPerInterface() - 1);
        long addresses = blocks * kind.usable();
        long kubelet = addresses + HOST_NETWORK_PODS;
        long recommended = cpus > LARGE_CPUS ? RECOMMENDED_ON_LARGE : RECOMMENDED;
        return new MaxPods(addresses, kind.delegated() ? Math.min(kubelet, recommended) : kubelet);
    }
}
