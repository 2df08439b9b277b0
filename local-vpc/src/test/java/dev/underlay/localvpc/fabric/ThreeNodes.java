package dev.underlay.localvpc.fabric;

import dev.underlay.cni.linux.Fd;
import dev.underlay.cni.linux.Linux;
import dev.underlay.cni.netlink.IpPrefix;
import dev.underlay.cni.netlink.RouteSocket;
import dev.underlay.cni.routing.AttachedInterface;
import dev.underlay.cni.routing.AttachedInterface.OwnAddress;
import dev.underlay.cni.routing.NodeRouting;
import dev.underlay.cni.routing.Primary;
import dev.underlay.cni.wiring.Attachment;
import dev.underlay.cni.wiring.PodLink;
import dev.underlay.cni.wiring.PodSpec;
import dev.underlay.cni.wiring.PodWiring;
import dev.underlay.localvpc.Fabric.Port;
import java.io.IOException;
import java.net.InetAddress;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Three nodes of a VPC with pods, wired and routed by the code that a real node runs, each holding
 * what a cloud would have assigned to it.
 *
 * <pre>
 *            ┌─ n1  10.0.0.10  eth0 ── pod A 10.0.0.11          all pods and nodes have an
 *            │      10.0.0.20  eth1 ── pod B 10.0.0.21          IPv6 address too
 *   fabric ──┤                      └─ pod D 10.0.0.22
 *     │      ├─ n2  10.0.1.10  eth0 ── pod C 10.0.1.11          another subnet
 *  internet  └─ n3  10.0.0.30  eth0 ── pod E in 10.0.0.48/28    n1's subnet, prefixes
 * </pre>
 *
 * <p>n1 and n3 boot with strict reverse-path filtering, n2 with none.
 */
final class ThreeNodes implements AutoCloseable {
    /** Who sends and who is sent to. */
    enum Place {
        A("10.0.0.11", "fd00:10::11"),
        B("10.0.0.21", "fd00:10::21"),
        C("10.0.1.11", "fd00:10:0:1::11"),
        D("10.0.0.22", "fd00:10::22"),
        E("10.0.0.50", "fd00:10:0:0:e::1"),
        N1("10.0.0.10", "fd00:10::10"),
        /** The first node by its attached interface's own address. */
        N1_ETH1("10.0.0.20", "fd00:10::20"),
        N2("10.0.1.10", "fd00:10:0:1::10"),
        N3("10.0.0.30", "fd00:10::30"),
        INTERNET(NamespaceFabric.INTERNET_ADDRESS, NamespaceFabric.INTERNET_ADDRESS_V6);

        private final String ipv4;
        private final String ipv6;

        Place(String ipv4, String ipv6) {
            this.ipv4 = ipv4;
            this.ipv6 = ipv6;
        }

        /** Its address in that family. */
        String in(Family family) {
            return switch (family) {
                case IPV4 -> ipv4;
                case IPV6 -> ipv6;
            };
        }

        InetAddress address(Family family) {
            return InetAddress.ofLiteral(in(family));
        }
    }

    enum Family {
        IPV4,
        IPV6
    }

    private static final List<IpPrefix> NETWORK = List.of(IpPrefix.parse("10.0.0.0/16"));

    private final String prefix;
    private final NamespaceFabric fabric;
    private final Map<Place, Node> nodes = new EnumMap<>(Place.class);
    private final Map<Place, PodLink> pods = new EnumMap<>(Place.class);

    /** One node: its namespace, and what a daemon would hold open in it. */
    private record Node(Netns netns, RouteSocket socket, NodeRouting routing, PodWiring wiring) {}

    ThreeNodes(String prefix) throws IOException {
        this.prefix = prefix;
        this.fabric = NamespaceFabric.create(prefix);
        node(Place.N1, "eni-n1", "02:00:00:00:10:00", "10.0.0.0");
        node(Place.N2, "eni-n2", "02:00:00:00:20:00", "10.0.1.0");
        node(Place.N3, "eni-n3", "02:00:00:00:30:00", "10.0.0.0");
        attach();
        assign(Place.N1, 1, "eni-n1", hosts(Place.A));
        assign(Place.N1, 2, "eni-n1-1", hosts(Place.B, Place.D));
        assign(Place.N2, 1, "eni-n2", hosts(Place.C));
        assign(
                Place.N3,
                1,
                "eni-n3",
                List.of(IpPrefix.parse("10.0.0.48/28"), IpPrefix.parse("fd00:10:0:0:e::/80")));
        for (Place pod : List.of(Place.A, Place.B, Place.D, Place.C, Place.E)) {
            Netns.create(prefix + pod);
            wire(pod);
        }
        for (Node node : nodes.values()) {
            Ipv6.awaitAddresses(node.netns);
        }
    }

    NamespaceFabric fabric() {
        return fabric;
    }

    /** The namespace of a place. */
    Netns at(Place place) {
        return switch (place) {
            case INTERNET -> fabric.internet();
            case A, B, C, D, E -> new Netns(prefix + place);
            case N1, N1_ETH1, N2, N3 -> node(place).netns;
        };
    }

    /** The fabric's end of the link that the place's packets must use. */
    String fabricLink(Place place) {
        return fabric.link(
                switch (place) {
                    case A, N1 -> "eni-n1";
                    case B, D, N1_ETH1 -> "eni-n1-1";
                    case C, N2 -> "eni-n2";
                    case E, N3 -> "eni-n3";
                    case INTERNET -> throw new IllegalArgumentException("not a node's");
                });
    }

    /** Wires a pod as an ADD does. */
    void wire(Place pod) throws IOException {
        Node node = nodeOf(pod);
        Netns netns = at(pod);
        PodSpec spec =
                new PodSpec(
                        new Attachment("underlay", "sandbox-" + pod, "eth0", 0, "", ""),
                        NamespaceFabric.MTU_BYTES,
                        both(pod),
                        both(placeOfNode(pod)),
                        false);
        Map<String, Fd> settings = openIpv6Settings(netns);
        try (Fd namespace = netns.open();
                RouteSocket inside = netns.call(RouteSocket::open)) {
            pods.put(pod, node.wiring.wire(inside, namespace, settings, spec).link());
        } finally {
            settings.values().forEach(Fd::close);
        }
        Ipv6.awaitAddresses(netns);
    }

    /** Takes a pod down as a DEL does. */
    void unwire(Place pod) throws IOException {
        PodLink link = pods.remove(pod);
        if (link == null) {
            throw new IllegalStateException(pod + " is not wired");
        }
        Node node = nodeOf(pod);
        try (RouteSocket inside = at(pod).call(RouteSocket::open)) {
            node.wiring.unwire(Optional.of(inside), link);
        }
        node.wiring.emptyTrash();
    }

    /** Closes what is open and removes all namespaces. */
    @Override
    public void close() throws IOException {
        for (Node node : nodes.values()) {
            node.routing.close();
            node.socket.close();
        }
        fabric.close();
    }

    private void node(Place place, String eni, String mac, String subnet) throws IOException {
        String id = "i-" + place.name().toLowerCase(Locale.ROOT);
        InetAddress own = place.address(Family.IPV4);
        fabric.boot(id, new Port(eni, mac, own, InetAddress.ofLiteral(subnet), 24));
        map(eni, hosts(place));
        Netns netns = fabric.instance(id);
        // As an image does that asks for an IPv6 address and hears the router's advertisement.
        netns.ip(
                "addr add " + place.in(Family.IPV6) + "/128 dev eth0 nodad",
                "route add default via fe80::1 dev eth0");
        if (place == Place.N2) {
            netns.sysctl(
                    "net/ipv4/conf/all/rp_filter=0",
                    "net/ipv4/conf/default/rp_filter=0",
                    "net/ipv4/conf/eth0/rp_filter=0");
        }
        RouteSocket socket = netns.call(RouteSocket::open);
        NodeRouting routing = netns.call(() -> NodeRouting.open(socket));
        Node node = new Node(netns, socket, routing, new PodWiring(socket));
        nodes.put(place, node);
        int link = socket.link("eth0").orElseThrow().index();
        inside(node, () -> routing.setup(new Primary(link, both(place)), NETWORK));
    }

    private void attach() throws IOException {
        Node node = node(Place.N1);
        String mac = "02:00:00:00:11:00";
        fabric.plug(
                "i-n1",
                new Port(
                        "eni-n1-1",
                        mac,
                        Place.N1_ETH1.address(Family.IPV4),
                        InetAddress.ofLiteral("10.0.0.0"),
                        24));
        map("eni-n1-1", hosts(Place.N1_ETH1));
        int link =
                node.socket.links().stream()
                        .filter(NodeRouting.isInterface(mac))
                        .findFirst()
                        .orElseThrow()
                        .index();
        OwnAddress ipv4 =
                new OwnAddress(IpPrefix.parse("10.0.0.20/24"), InetAddress.ofLiteral("10.0.0.1"));
        OwnAddress ipv6 =
                new OwnAddress(IpPrefix.parse("fd00:10::20/64"), InetAddress.ofLiteral("fe80::1"));
        AttachedInterface second =
                new AttachedInterface(2, link, NamespaceFabric.MTU_BYTES, List.of(ipv4, ipv6));
        inside(node, () -> node.routing.attachInterface(second));
    }

    /** The cloud assigns the blocks, and the node hears of it. */
    private void assign(Place place, int number, String eni, List<IpPrefix> blocks)
            throws IOException {
        map(eni, blocks);
        Node node = node(place);
        inside(node, () -> node.routing.setBlocks(number, blocks));
    }

    private void map(String eni, List<IpPrefix> blocks) {
        blocks.forEach(block -> fabric.map(eni, block.address(), block.length()));
    }

    private Node nodeOf(Place pod) {
        return node(placeOfNode(pod));
    }

    private static Place placeOfNode(Place pod) {
        return switch (pod) {
            case A, B, D -> Place.N1;
            case C -> Place.N2;
            case E -> Place.N3;
            case N1, N1_ETH1, N2, N3, INTERNET ->
                    throw new IllegalArgumentException(pod + " is not a pod");
        };
    }

    private Node node(Place place) {
        Node node = nodes.get(place == Place.N1_ETH1 ? Place.N1 : place);
        if (node == null) {
            throw new IllegalArgumentException(place + " is not a node");
        }
        return node;
    }

    private static List<InetAddress> both(Place place) {
        return List.of(place.address(Family.IPV4), place.address(Family.IPV6));
    }

    private static List<IpPrefix> hosts(Place... places) {
        return List.of(places).stream()
                .flatMap(place -> both(place).stream())
                .map(IpPrefix::host)
                .toList();
    }

    /** What the launcher opens in a pod's namespace and sends along. */
    private static Map<String, Fd> openIpv6Settings(Netns netns) throws IOException {
        return netns.call(() -> {
            Map<String, Fd> open = new HashMap<>();
            for (String scope : List.of("all", "default")) {
                for (String name : List.of("disable_ipv6", "accept_dad", "accept_ra")) {
                    String path = "net/ipv6/conf/" + scope + "/" + name;
                    open.put(path, Linux.open("/proc/sys/" + path, Linux.O_WRONLY));
                }
            }
            return open;
        });
    }

    @FunctionalInterface
    private interface Step {
        void run() throws IOException;
    }

    /** The node's routing writes settings of the thread's namespace. */
    private static void inside(Node node, Step step) throws IOException {
        node.netns.call(() -> {
            step.run();
            return node;
        });
    }
}
