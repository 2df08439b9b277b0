package dev.underlay.cni.wiring;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/**
 * What a pod's interface is to be.
 *
 * @param attachment whose it is; its interface name is the name inside the pod
 * @param mtuBytes of both ends, at least 1280 for IPv6
 * @param addresses one IPv4 address, one IPv6 address, or one of each
 * @param nodeAddresses the node's own addresses, at most one per family: the source of the node's
 *     packets to the pod
 * @param macMayChange whether a later plugin of the list may give the pod's end another Ethernet
 *     address; both ends then ask for each other instead of knowing it
 */
public record PodSpec(
        Attachment attachment,
        int mtuBytes,
        List<InetAddress> addresses,
        List<InetAddress> nodeAddresses,
        boolean macMayChange) {
    /** Checks the number of addresses. */
    public PodSpec {
        addresses = List.copyOf(addresses);
        nodeAddresses = List.copyOf(nodeAddresses);
        long ipv6 = addresses.stream().filter(Inet6Address.class::isInstance).count();
        if (addresses.isEmpty() || ipv6 > 1 || addresses.size() - ipv6 > 1) {
            throw new IllegalArgumentException(
                    "a pod has at most one address per family and at least one: " + addresses);
        }
    }

    boolean hasIpv6() {
        return addresses.stream().anyMatch(Inet6Address.class::isInstance);
    }

    Optional<InetAddress> nodeAddress(InetAddress pod) {
        return nodeAddresses.stream().filter(a -> a.getClass() == pod.getClass()).findFirst();
    }
}
