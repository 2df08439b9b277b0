package dev.underlay.cni.wiring;

import dev.underlay.cni.netlink.IpPrefix;
import dev.underlay.cni.netlink.Link;
import dev.underlay.cni.netlink.LinkAddress;
import dev.underlay.cni.netlink.Neighbour;
import dev.underlay.cni.netlink.Route;
import dev.underlay.cni.netlink.RouteSocket;
import dev.underlay.cni.routing.Marks;
import java.io.IOException;
import java.net.InetAddress;
import java.util.List;
import java.util.Optional;

/** Compares one pod's wiring with what was promised, host side first, in the order of the ADD. */
final class WiringCheck {
    private final PodLink link;
    private final PodSpec spec;

    private WiringCheck(PodLink link, PodSpec spec) {
        this.link = link;
        this.spec = spec;
    }

    static void run(RouteSocket host, RouteSocket pod, PodLink link, PodSpec spec)
            throws IOException {
        WiringCheck check = new WiringCheck(link, spec);
        check.hostLink(host.link(link.index()));
        Link own = check.podLink(pod.link(link.peerIndex()));
        check.inPod(pod);
        check.onHost(host, own);
    }

    private void hostLink(Optional<Link> found) throws WiringException {
        String name = "the host's link " + link.name() + " (" + link.index() + ")";
        Link now = found.orElseThrow(() -> broken(name + " is gone"));
        require(now.group() == Marks.POD_LINK_GROUP, name + " left the pods' link group");
        require(
                Attachment.fromAlias(now.alias())
                        .filter(spec.attachment()::isSameSandbox)
                        .isPresent(),
                name + " carries another alias: " + now.alias());
        require(now.up(), name + " is down");
    }

    private Link podLink(Optional<Link> found) throws WiringException {
        String name = spec.attachment().interfaceName();
        Link own =
                found.filter(l -> l.peerIndex() == link.index())
                        .orElseThrow(() -> broken("the pod's link " + name + " is gone"));
        require(own.name().equals(name), "the pod's link is named " + own.name());
        require(own.up(), "the pod's link " + name + " is down");
        return own;
    }

    private void inPod(RouteSocket pod) throws IOException {
        List<IpPrefix> addresses =
                pod.addresses(link.peerIndex()).stream().map(LinkAddress::address).toList();
        List<Neighbour> neighbours = pod.neighbours(link.peerIndex());
        for (InetAddress address : spec.addresses()) {
            IpPrefix own = IpPrefix.host(address);
            require(addresses.contains(own), "the pod's address " + own + " is gone");
            Neighbour gateway =
                    Neighbour.permanent(link.peerIndex(), PodWiring.gateway(address), link.mac());
            require(
                    spec.macMayChange() || neighbours.contains(gateway),
                    "the pod's neighbour entry of its gateway "
                            + IpPrefix.text(gateway.address())
                            + " is gone or changed");
            List<Route> routes = pod.routes(own.isIpv6(), Route.TABLE_MAIN);
            for (Route route : PodWiring.podRoutes(link.peerIndex(), address)) {
                require(routes.contains(route), "the pod's route " + route + " is gone");
            }
        }
    }

    private void onHost(RouteSocket host, Link own) throws IOException {
        List<Neighbour> neighbours = host.neighbours(link.index());
        for (InetAddress address : spec.addresses()) {
            if (!spec.macMayChange()) {
                require(
                        neighbours.contains(Neighbour.permanent(link.index(), address, own.mac())),
                        "the host's neighbour entry of "
                                + IpPrefix.text(address)
                                + " is gone or not "
                                + own.mac());
            }
            Route route = PodWiring.toPod(address, link.index(), spec.nodeAddress(address));
            require(
                    host.routes(IpPrefix.host(address).isIpv6(), Marks.TO_POD_TABLE)
                            .contains(route),
                    "the host's route " + route + " is gone");
        }
    }

    private void require(boolean holds, String otherwise) throws WiringException {
        if (!holds) {
            throw broken(otherwise);
        }
    }

    private WiringException broken(String what) {
        return new WiringException(
                spec.attachment() + ": " + what + "; delete the pod to have it wired anew", null);
    }
}
