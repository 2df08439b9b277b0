package dev.underlay.pool;

/**
 * What a lease belongs to: one interface of one pod sandbox. It is the identity that the runtime
 * repeats in every call about the same thing.
 *
 * @param network the name of the network configuration
 * @param containerId the sandbox's id, {@code CNI_CONTAINERID}
 * @param interfaceName its name inside the pod, {@code CNI_IFNAME}
 */
public record AttachmentKey(String network, String containerId, String interfaceName)
        implements Comparable<AttachmentKey> {
    @Override
    public int compareTo(AttachmentKey other) {
        int byNetwork = network.compareTo(other.network);
        if (byNetwork != 0) {
            return byNetwork;
        }
        int byContainer = containerId.compareTo(other.containerId);
        return byContainer != 0 ? byContainer : interfaceName.compareTo(other.interfaceName);
    }

    @Override
    public String toString() {
        return network + "/" + containerId + "/" + interfaceName;
    }
}
