package dev.underlay.cni.wiring;

import dev.underlay.cni.netlink.Neighbour;
import java.net.InetAddress;
import java.util.List;

/**
 * The host end of a pod's link with what hangs on it.
 *
 * @param link the link; its addresses are those that are routed to it
 * @param mtuBytes its size
 * @param up whether it is administratively up
 * @param neighbours its permanent neighbours
 * @param ownAddresses its own addresses: a pod whose Ethernet address may change asks for them
 */
public record HostEnd(
        PodLink link,
        int mtuBytes,
        boolean up,
        List<Neighbour> neighbours,
        List<InetAddress> ownAddresses) {
    /** Keeps its own copies. */
    public HostEnd {
        neighbours = List.copyOf(neighbours);
        ownAddresses = List.copyOf(ownAddresses);
    }

    /** Whether packets to that pod address find its Ethernet address, known or asked for. */
    public boolean reaches(InetAddress pod) {
        return ownAddresses.contains(PodWiring.gateway(pod))
                || neighbours.contains(
                        Neighbour.permanent(link.index(), pod, Names.podMacBehind(link.mac())));
    }
}
