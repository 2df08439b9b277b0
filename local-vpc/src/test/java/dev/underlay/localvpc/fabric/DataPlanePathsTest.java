package dev.underlay.localvpc.fabric;

import static dev.underlay.localvpc.fabric.ThreeNodes.Place.A;
import static dev.underlay.localvpc.fabric.ThreeNodes.Place.B;
import static dev.underlay.localvpc.fabric.ThreeNodes.Place.C;
import static dev.underlay.localvpc.fabric.ThreeNodes.Place.D;
import static dev.underlay.localvpc.fabric.ThreeNodes.Place.E;
import static dev.underlay.localvpc.fabric.ThreeNodes.Place.INTERNET;
import static dev.underlay.localvpc.fabric.ThreeNodes.Place.N1;
import static dev.underlay.localvpc.fabric.ThreeNodes.Place.N1_ETH1;
import static dev.underlay.localvpc.fabric.ThreeNodes.Place.N2;
import static dev.underlay.localvpc.fabric.ThreeNodes.Place.N3;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.underlay.localvpc.fabric.ThreeNodes.Family;
import dev.underlay.localvpc.fabric.ThreeNodes.Place;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every path that pods and nodes of a VPC need, and the controls that must fail, with real packets:
 * cni's wiring and routing on three nodes whose fabric drops what a VPC drops. TCP servers answer
 * with the address that they see, so that a translation on the way shows.
 */
@Tag("kernel")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DataPlanePathsTest {
    private static final String PREFIX = Kernel.prefix("paths");
    private static final int PORT = 8080;

    /** Services with the chain types, marks and order of kube-proxy's. */
    private static final String KUBE_PROXY =
            """
            table %1$s proxy {
              chain to {
                %1$s daddr %2$s tcp dport 80 dnat to %4$s
                %1$s daddr %3$s tcp dport 80 %1$s saddr %6$s meta mark set meta mark | 0x4000
                %1$s daddr %3$s tcp dport 80 dnat to %5$s
                fib daddr type local tcp dport 30080 meta mark set meta mark | 0x4000
                fib daddr type local tcp dport { 30080, 30081 } dnat to %5$s
                fib daddr type local tcp dport 30082 dnat to %7$s
              }
              chain pre { type nat hook prerouting priority dstnat; jump to; }
              chain out { type nat hook output priority -100; jump to; }
              chain post {
                type nat hook postrouting priority srcnat
                meta mark & 0x4000 == 0 return
                meta mark set meta mark ^ 0x4000
                masquerade fully-random
              }
            }
            """;

    private final List<ServerSocket> servers = new ArrayList<>();
    private ThreeNodes nodes;

    @BeforeAll
    void raise() throws IOException {
        Kernel.required();
        nodes = new ThreeNodes(PREFIX);
        for (Place place : List.of(B, C, E, N1, INTERNET)) {
            servers.add(serve(nodes.at(place)));
        }
        Netns n1 = nodes.at(N1);
        n1.nft(
                KUBE_PROXY.formatted(
                        "ip",
                        REMOTE_SERVICE.in(Family.IPV4),
                        OWN_SERVICE.in(Family.IPV4),
                        C.in(Family.IPV4) + ":" + PORT,
                        B.in(Family.IPV4) + ":" + PORT,
                        B.in(Family.IPV4),
                        N1.in(Family.IPV4) + ":" + PORT));
        n1.nft(
                KUBE_PROXY.formatted(
                        "ip6",
                        REMOTE_SERVICE.in(Family.IPV6),
                        OWN_SERVICE.in(Family.IPV6),
                        "[" + C.in(Family.IPV6) + "]:" + PORT,
                        "[" + B.in(Family.IPV6) + "]:" + PORT,
                        B.in(Family.IPV6),
                        "[" + N1.in(Family.IPV6) + "]:" + PORT));
    }

    @AfterAll
    void remove() throws IOException {
        for (ServerSocket server : servers) {
            server.close();
        }
        if (nodes != null) {
            nodes.close();
        }
        NamespaceFabric.removeLeftovers(PREFIX);
    }

    @ParameterizedTest(name = "{1} to {2}, {0}")
    @MethodSource
    void a_ping_is_answered(Family family, Place from, Place to) throws Exception {
        assertThat(ping(from, to.in(family))).contains(" 1 received");
    }

    static Stream<Arguments> a_ping_is_answered() {
        return inBoth(
                // pod to pod: on one node across interfaces and on one, then across nodes
                List.of(A, B),
                List.of(B, A),
                List.of(B, D),
                List.of(A, C),
                List.of(C, A),
                List.of(B, C),
                List.of(C, B),
                // pod to pod across two nodes of one subnet, one of them with prefixes
                List.of(A, E),
                List.of(E, A),
                List.of(B, E),
                List.of(E, B),
                List.of(C, E),
                List.of(E, C),
                // node to pod and pod to node
                List.of(N1, A),
                List.of(N1, B),
                List.of(A, N1),
                List.of(B, N1),
                List.of(N2, B),
                List.of(B, N2),
                List.of(N1, C),
                List.of(N3, A),
                List.of(N3, B),
                List.of(A, N3),
                List.of(B, N3),
                List.of(N1, E),
                // out of the VPC and into it
                List.of(A, INTERNET),
                List.of(B, INTERNET),
                List.of(E, INTERNET),
                List.of(INTERNET, B),
                List.of(INTERNET, E),
                // to the attached interface's own address
                List.of(N2, N1_ETH1),
                List.of(N3, N1_ETH1),
                List.of(C, N1_ETH1),
                List.of(E, N1_ETH1),
                List.of(INTERNET, N1_ETH1),
                List.of(A, N1_ETH1),
                List.of(B, N1_ETH1));
    }

    @ParameterizedTest
    @EnumSource
    void a_socket_bound_to_the_attached_interfaces_address_leaves_by_it(Family family)
            throws Exception {
        assertThat(ping(N1, C.in(family), "-I", N1_ETH1.in(family))).contains(" 1 received");
        assertThat(ping(N1, E.in(family), "-I", N1_ETH1.in(family))).contains(" 1 received");
    }

    @ParameterizedTest(name = "{1} to {2}, {0}, is seen as {3}")
    @MethodSource
    void tcp_arrives_with_the_address_it_should(Family family, Place from, Place to, Place seen)
            throws Exception {
        assertThat(connect(from, to.in(family), PORT)).isEqualTo(seen.address(family));
    }

    static Stream<Arguments> tcp_arrives_with_the_address_it_should() {
        return Stream.concat(
                inBoth(
                        List.of(B, C, B),
                        List.of(A, B, A),
                        List.of(N1, B, N1),
                        List.of(A, E, A),
                        List.of(B, E, B),
                        List.of(E, B, E),
                        List.of(E, C, E)),
                Stream.of(
                        // IPv4 leaves the VPC with the node's address, IPv6 with the pod's own
                        arguments(Family.IPV4, A, INTERNET, N1),
                        arguments(Family.IPV4, B, INTERNET, N1),
                        arguments(Family.IPV4, E, INTERNET, N3),
                        arguments(Family.IPV6, A, INTERNET, A),
                        arguments(Family.IPV6, B, INTERNET, B),
                        arguments(Family.IPV6, E, INTERNET, E)));
    }

    /** A Service's addresses, or the port of a node. */
    record Service(String ipv4, String ipv6, int port) {
        String in(Family family) {
            return family == Family.IPV4 ? ipv4 : ipv6;
        }

        @Override
        public String toString() {
            return ipv4 + " port " + port;
        }
    }

    private static final Service REMOTE_SERVICE = new Service("172.20.0.10", "fd00:172::10", 80);
    private static final Service OWN_SERVICE = new Service("172.20.0.11", "fd00:172::11", 80);

    private static Service nodePort(Place address, int port) {
        return new Service(address.in(Family.IPV4), address.in(Family.IPV6), port);
    }

    @ParameterizedTest(name = "{1} to {2}, {0}, is seen as {3}")
    @MethodSource
    void services_lead_to_pods_of_every_interface(
            Family family, Place from, Service service, Place seen) throws Exception {
        assertThat(connect(from, service.in(family), service.port)).isEqualTo(seen.address(family));
    }

    static Stream<Arguments> services_lead_to_pods_of_every_interface() {
        return inBoth(
                // C's Service, and B's own
                List.of(B, REMOTE_SERVICE, B),
                List.of(A, REMOTE_SERVICE, A),
                List.of(B, OWN_SERVICE, N1),
                List.of(A, OWN_SERVICE, A),
                List.of(N1, OWN_SERVICE, N1),
                // NodePort with externalTrafficPolicy Cluster (30080) and Local (30081)
                List.of(N2, nodePort(N1, 30080), N1),
                List.of(N3, nodePort(N1, 30080), N1),
                List.of(C, nodePort(N1, 30080), N1),
                List.of(INTERNET, nodePort(N1, 30080), N1),
                List.of(INTERNET, nodePort(N1, 30081), INTERNET),
                List.of(C, nodePort(N1, 30081), C),
                List.of(E, nodePort(N1, 30081), E),
                List.of(INTERNET, nodePort(N1_ETH1, 30081), INTERNET),
                List.of(C, nodePort(N1_ETH1, 30081), C),
                // and to a pod in the node's own namespace
                List.of(N2, nodePort(N1, 30082), N2),
                List.of(INTERNET, nodePort(N1, 30082), INTERNET),
                List.of(INTERNET, nodePort(N1_ETH1, 30082), INTERNET),
                List.of(C, nodePort(N1_ETH1, 30082), C),
                List.of(E, nodePort(N1_ETH1, 30082), E));
    }

    @ParameterizedTest
    @EnumSource
    void a_large_packet_crosses_whole_inside_the_vpc(Family family) throws Exception {
        int headers = family == Family.IPV4 ? 28 : 48;
        String size = String.valueOf(NamespaceFabric.MTU_BYTES - headers);
        assertThat(ping(B, C.in(family), "-M", "do", "-s", size)).contains(" 1 received");
    }

    @ParameterizedTest(name = "{1} as {2}, {0}")
    @MethodSource
    void a_pod_that_uses_another_pods_address_is_dropped_on_its_own_node(
            Family family, Place pod, Place other) throws Exception {
        Netns netns = nodes.at(pod);
        String address = other.in(family) + length(family);
        try (PacketCounter byPrimary = fromAt(other, family, pod);
                PacketCounter byOthers = fromAt(other, family, other)) {
            netns.ip("addr add " + address + " dev eth0 nodad");
            try {
                assertThat(ping(pod, N3.in(family), "-W1", "-I", other.in(family)))
                        .contains(" 0 received");
            } finally {
                netns.ip("addr del " + address + " dev eth0");
            }
            assertThat(byPrimary.packets() + byOthers.packets()).as("left the node").isZero();
        }
        assertThat(ping(pod, N3.in(family))).as("with its own").contains(" 1 received");
    }

    static Stream<Arguments> a_pod_that_uses_another_pods_address_is_dropped_on_its_own_node() {
        // A's node filters by reverse path too, C's does not
        return inBoth(List.of(A, B), List.of(C, B));
    }

    @ParameterizedTest
    @EnumSource
    void a_source_that_the_cloud_did_not_assign_is_dropped_by_the_fabric(Family family)
            throws Exception {
        String stray = family == Family.IPV4 ? "10.0.0.99" : "fd00:10::99";
        Netns n1 = nodes.at(N1);
        String fromStray = ip(family) + " saddr " + stray;
        n1.ip("addr add " + stray + length(family) + " dev eth0 nodad");
        try (PacketCounter sent =
                        PacketCounter.arriving(
                                nodes.fabric().fabric(), nodes.fabricLink(N1), fromStray);
                PacketCounter received = PacketCounter.arriving(nodes.at(N2), "eth0", fromStray)) {
            assertThat(ping(N1, N2.in(family), "-W1", "-I", stray)).contains(" 0 received");
            assertThat(sent.packets()).as("sent").isPositive();
            assertThat(received.packets()).as("received").isZero();
        } finally {
            n1.ip("addr del " + stray + length(family) + " dev eth0");
        }
    }

    @ParameterizedTest
    @EnumSource
    void a_pods_packet_by_the_wrong_interface_is_dropped_by_the_fabric(Family family)
            throws Exception {
        Netns n1 = nodes.at(N1);
        try (PacketCounter byPrimary = fromAt(B, family, A)) {
            rule(n1, family, "add");
            try {
                assertThat(ping(B, C.in(family), "-W1")).contains(" 0 received");
            } finally {
                rule(n1, family, "del");
            }
            assertThat(byPrimary.packets())
                    .as("reached the fabric by the primary link")
                    .isPositive();
        }
        assertThat(ping(B, C.in(family))).as("by its own").contains(" 1 received");
    }

    @ParameterizedTest
    @EnumSource
    void an_address_just_released_is_unreachable_at_once_and_never_loops(Family family)
            throws Exception {
        Netns fabric = nodes.fabric().fabric();
        String toPod = ip(family) + " daddr " + D.in(family);
        nodes.unwire(D);
        try (PacketCounter crossed = PacketCounter.leaving(fabric, nodes.fabricLink(D), toPod)) {
            assertThat(ping(N2, D.in(family))).contains("nreachable");
            assertThat(crossed.packets()).as("went to the node").isEqualTo(1);
        } finally {
            nodes.wire(D);
        }
        assertThat(ping(N2, D.in(family))).as("after a new ADD").contains(" 1 received");
    }

    private static Stream<Arguments> inBoth(List<?>... rows) {
        return Arrays.stream(Family.values())
                .flatMap(family ->
                        Arrays.stream(rows)
                                .map(row ->
                                        arguments(
                                                Stream.concat(Stream.of(family), row.stream())
                                                        .toArray())));
    }

    /** Sends what B sends out of the primary interface. */
    private static void rule(Netns n1, Family family, String verb) throws IOException {
        String version = family == Family.IPV4 ? "-4" : "-6";
        n1.run("ip", version, "rule", verb, "pref", "1", "from", B.in(family), "lookup", "main");
    }

    /** Counts what reaches the fabric by the link of a place from another one's address. */
    private PacketCounter fromAt(Place source, Family family, Place link) throws IOException {
        String match = ip(family) + " saddr " + source.in(family);
        return PacketCounter.arriving(nodes.fabric().fabric(), nodes.fabricLink(link), match);
    }

    /** The family's name in an expression of nftables. */
    private static String ip(Family family) {
        return family == Family.IPV4 ? "ip" : "ip6";
    }

    private static String length(Family family) {
        return family == Family.IPV4 ? "/32" : "/128";
    }

    private String ping(Place from, String to, String... options) throws IOException {
        String line = "ping -n -c1 -W5 " + String.join(" ", options) + " " + to;
        return nodes.at(from).run("sh", "-c", line + " 2>&1 || true");
    }

    /** What the server at the other end saw as its peer. */
    private InetAddress connect(Place from, String to, int port) throws IOException {
        return nodes.at(from)
                .call(() -> {
                    try (Socket socket = new Socket()) {
                        socket.setSoTimeout(5000);
                        socket.connect(new InetSocketAddress(to, port), 5000);
                        byte[] seen = socket.getInputStream().readAllBytes();
                        return InetAddress.getByAddress(seen);
                    }
                });
    }

    private static ServerSocket serve(Netns at) throws IOException {
        ServerSocket server = at.call(() -> new ServerSocket(PORT));
        Thread.ofPlatform()
                .daemon(true)
                .name("serve " + at.name())
                .start(() -> {
                    while (!server.isClosed()) {
                        try (Socket peer = server.accept()) {
                            peer.getOutputStream().write(peer.getInetAddress().getAddress());
                        } catch (IOException e) {
                            // Closed, or this peer went: the next one is served.
                        }
                    }
                });
        return server;
    }
}
