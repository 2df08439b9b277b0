package dev.underlay.cni.routing;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.List;

/**
 * The interface the node booted with.
 *
 * @param linkIndex its link
 * @param addresses the node's own addresses on it: one IPv4 address, which is also what leaves the
 *     network is translated to, and at most one IPv6 address
 */
public record Primary(int linkIndex, List<InetAddress> addresses) {
    /** Keeps its own copy of the addresses. */
    public Primary {
        addresses = List.copyOf(addresses);
        if (addresses.stream().allMatch(Inet6Address.class::isInstance)) {
            throw new IllegalArgumentException(
                    "the primary interface needs an IPv4 address: " + addresses);
        }
    }

    InetAddress ipv4() {
        return addresses.stream()
                .filter(a -> !(a instanceof Inet6Address))
                .findFirst()
                .orElseThrow();
    }

    boolean hasIpv6() {
        return addresses.stream().anyMatch(Inet6Address.class::isInstance);
    }
}
