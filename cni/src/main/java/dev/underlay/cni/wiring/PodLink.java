package dev.underlay.cni.wiring;

import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/**
 * The host end of a pod's veth.
 *
 * @param index its identity on the node
 * @param name its name of the moment
 * @param mac its own Ethernet address
 * @param peerIndex the pod end's index in the pod's namespace
 * @param attachment whose it is; absent on one whose wiring was cut off before it was said
 * @param addresses the pod's addresses, as the routes to it say
 */
public record PodLink(
        int index,
        String name,
        String mac,
        int peerIndex,
        Optional<Attachment> attachment,
        List<InetAddress> addresses) {
    /** Keeps its own copy of the addresses. */
    public PodLink {
        addresses = List.copyOf(addresses);
    }
}
