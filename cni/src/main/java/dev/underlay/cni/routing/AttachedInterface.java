package dev.underlay.cni.routing;

import dev.underlay.cni.netlink.IpPrefix;
import dev.underlay.cni.netlink.LinkAddress;
import dev.underlay.cni.netlink.Route;
import dev.underlay.cni.netlink.Rule;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * An interface that was attached to the node after its boot.
 *
 * @param number 2 to {@link Marks#MAX_INTERFACE}: its mark, table and rules follow from it
 * @param linkIndex its link
 * @param mtuBytes for the link
 * @param addresses its own addresses, never a pod's; at most one per family
 */
public record AttachedInterface(
        int number, int linkIndex, int mtuBytes, List<OwnAddress> addresses) {
    /**
     * An interface's own address.
     *
     * @param address with its subnet's prefix length
     * @param gateway the subnet's router; for IPv6 a link-local address
     */
    public record OwnAddress(IpPrefix address, InetAddress gateway) {}

    /** Keeps its own copy of the addresses. */
    public AttachedInterface {
        addresses = List.copyOf(addresses);
        if (number <= Marks.PRIMARY_INTERFACE || number > Marks.MAX_INTERFACE) {
            throw new IllegalArgumentException(
                    "an attached interface has a number from 2 to 127: " + number);
        }
        if (addresses.isEmpty()) {
            throw new IllegalArgumentException("interface " + number + " has no address");
        }
    }

    int table() {
        return Marks.INTERFACE_TABLE_BASE + number;
    }

    List<LinkAddress> linkAddresses() {
        return addresses.stream()
                .map(a -> {
                    int nodad = a.address().isIpv6() ? LinkAddress.NODAD : 0;
                    return new LinkAddress(
                            linkIndex, a.address(), LinkAddress.NOPREFIXROUTE | nodad);
                })
                .toList();
    }

    /** The subnet's router and everything behind it; neighbours in the subnet too. */
    List<Route> routes(boolean ipv6) {
        return addresses.stream()
                .filter(a -> a.address().isIpv6() == ipv6)
                .flatMap(this::routes)
                .toList();
    }

    private Stream<Route> routes(OwnAddress own) {
        boolean ipv6 = own.address().isIpv6();
        Route everything =
                Route.via(
                        IpPrefix.everything(ipv6),
                        own.gateway(),
                        linkIndex,
                        table(),
                        Marks.PROTOCOL);
        Route gateway =
                Route.onLink(
                        IpPrefix.host(own.gateway()),
                        linkIndex,
                        Optional.empty(),
                        table(),
                        Marks.PROTOCOL);
        return ipv6 ? Stream.of(everything) : Stream.of(gateway, everything);
    }

    List<Rule> ownAddressRules() {
        return addresses.stream()
                .map(a ->
                        new Rule(
                                a.address().isIpv6(),
                                Marks.OWN_ADDRESS_RULE_BASE + number,
                                Optional.of(IpPrefix.host(a.address().address())),
                                0,
                                0,
                                table(),
                                Marks.PROTOCOL))
                .toList();
    }
}
