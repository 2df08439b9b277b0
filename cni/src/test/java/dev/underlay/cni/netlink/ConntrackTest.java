package dev.underlay.cni.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.underlay.cni.testing.Netns;
import java.io.BufferedWriter;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A node between a client and two pods, with a Service as kube-proxy writes it and a pod whose
 * traffic leaves with the node's address. Entries are made by packets and seen by conntrack-tools.
 */
@Tag("kernel")
class ConntrackTest {
    private static final int PORT = 8080;
    private static final int PATIENCE_MILLIS = 5_000;
    private static final String SERVICE = "172.20.0.10";
    private static final String GONE = "10.0.0.5";
    private static final String OTHER = "10.0.0.6";
    private static final String GONE6 = "fd00:10::5";
    private static final String OTHER6 = "fd00:10::6";
    private static final String CLIENT = "10.9.0.2";

    private final List<AutoCloseable> open = new ArrayList<>();
    private Netns node;
    private Netns client;
    private Netns pods;
    private Conntrack conntrack;

    @BeforeEach
    void a_node_with_pods_and_a_client() throws Exception {
        node = Netns.create("ct-node");
        client = Netns.create("ct-client");
        pods = Netns.create("ct-pods");
        boolean tool = node.tryExec("sh", "-c", "command -v conntrack").status() == 0;
        if (!tool) {
            System.err.println("SKIPPED: kernel tests of connection tracking need conntrack");
        }
        assumeTrue(tool, "conntrack is missing");
        for (Netns one : List.of(node, client, pods)) {
            one.shell("ip link set lo up; sysctl -qw net.ipv6.conf.default.accept_dad=0");
        }
        wire("c", client, "10.9.0.1", CLIENT, "fd00:9::1", "fd00:9::2");
        wire("p", pods, "10.0.0.1", GONE, "fd00:10::1", GONE6);
        pods.shell("ip addr add " + OTHER + "/24 dev p; ip addr add " + OTHER6 + "/64 dev p nodad");
        node.shell(
                """
                sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
                nft -f - <<END
                table inet proxy {
                  chain pre { type nat hook prerouting priority dstnat;
                    ip daddr %s meta l4proto { tcp, udp } dnat ip to %s:%d; }
                  chain post { type nat hook postrouting priority srcnat;
                    ip saddr %s ip daddr %s masquerade; }
                }
                END\
                """
                        .formatted(SERVICE, GONE, PORT, GONE, CLIENT));
        conntrack = node.call(Conntrack::open);
        for (String pod : List.of(GONE, OTHER, GONE6, OTHER6)) {
            serve(pods, pod);
        }
        serve(client, CLIENT);
    }

    private void wire(
            String link, Netns peer, String nodeIp, String peerIp, String nodeIp6, String peerIp6)
            throws IOException {
        node.shell(
                "ip link add %1$s type veth peer name %1$s netns %2$s; ip link set %1$s up;"
                                .formatted(link, peer.name())
                        + " ip addr add %s/24 dev %s; ip addr add %s/64 dev %s nodad"
                                .formatted(nodeIp, link, nodeIp6, link));
        peer.shell(
                "ip link set %1$s up; ip addr add %2$s/24 dev %1$s; ip addr add %3$s/64 dev %1$s nodad;"
                                .formatted(link, peerIp, peerIp6)
                        + " ip route add default via %s; ip route add default via %s"
                                .formatted(nodeIp, nodeIp6));
    }

    /** Echoes datagrams and keeps streams open. */
    private void serve(Netns where, String address) throws IOException {
        InetAddress at = IpPrefix.literal(address);
        keep(where.call(() -> new ServerSocket(PORT, 50, at)));
        DatagramSocket echo = keep(where.call(() -> new DatagramSocket(PORT, at)));
        Thread.ofPlatform()
                .daemon(true)
                .start(() -> {
                    DatagramPacket packet = new DatagramPacket(new byte[8], 8);
                    try {
                        while (true) {
                            echo.receive(packet);
                            echo.send(packet);
                        }
                    } catch (IOException e) {
                        // Closed at the end of the test.
                    }
                });
    }

    private <T extends AutoCloseable> T keep(T one) {
        open.add(one);
        return one;
    }

    @AfterEach
    void remove_it() throws Exception {
        if (conntrack != null) {
            conntrack.close();
        }
        for (AutoCloseable one : open) {
            one.close();
        }
        for (Netns one : List.of(node, client, pods)) {
            one.close();
        }
    }

    /** A flow of the former pod must not be taken for one of the next. */
    @Test
    void hazard_36_every_entry_that_names_the_address_goes_and_every_other_stays()
            throws Exception {
        stream(client, GONE);
        stream(client, SERVICE);
        datagram(client, GONE);
        datagram(client, SERVICE);
        datagram(pods, CLIENT);
        stream(client, OTHER);
        datagram(client, OTHER);
        stream(client, GONE6);
        stream(client, OTHER6);
        assertThat(entries(GONE)).as("streams and datagrams, plain, by DNAT, by SNAT").hasSize(5);
        assertThat(entries(SERVICE)).hasSize(2);
        assertThat(entries(GONE6)).hasSize(1);
        List<String> others = entries(OTHER);
        assertThat(others).hasSize(2);

        assertThat(conntrack.forget(prefixes(GONE), List.of())).isEqualTo(5);
        assertThat(entries(GONE)).isEmpty();
        assertThat(entries(SERVICE)).isEmpty();
        assertThat(entries(OTHER)).hasSize(2);
        assertThat(entries(GONE6)).as("another family").hasSize(1);
        assertThat(conntrack.forget(prefixes(GONE, GONE6), List.of())).isEqualTo(1);
        assertThat(entries(GONE6)).isEmpty();
        assertThat(entries(OTHER6)).hasSize(1);
    }

    @Test
    void of_a_whole_block_the_living_stay() throws Exception {
        datagram(client, GONE);
        datagram(client, OTHER);
        InetAddress living = IpPrefix.literal(OTHER);
        List<IpPrefix> block = List.of(IpPrefix.parse("10.0.0.0/28"));
        assertThat(conntrack.forget(block, List.of(living))).isEqualTo(1);
        assertThat(entries(GONE)).isEmpty();
        assertThat(entries(OTHER)).hasSize(1);
        assertThat(conntrack.forget(block, List.of())).isEqualTo(1);
        assertThat(entries(OTHER)).isEmpty();
    }

    /**
     * What makes one clearing enough: the kernel keeps a new entry only of a packet that gets
     * through, and none gets through to an address that nobody has.
     */
    @Test
    void late_packets_to_an_unreachable_address_make_no_entry_again() throws Exception {
        DatagramSocket late = datagram(client, SERVICE);
        datagram(client, GONE);
        node.shell("ip route add unreachable " + GONE);
        send(late, SERVICE);
        assertThat(entries(GONE)).as("they keep old ones alive").hasSize(2);
        assertThat(conntrack.forget(prefixes(GONE), List.of())).isEqualTo(2);

        long refusals = unreachablesSent();
        send(late, SERVICE); // from the same port as before
        client.tryExec("ping", "-n", "-c1", "-W1", GONE);
        assertThat(unreachablesSent()).as("the packets came").isGreaterThan(refusals);
        assertThat(entries(GONE)).isEmpty();
        assertThat(conntrack.forget(prefixes(GONE), List.of())).isZero();
    }

    @Test
    void entries_of_every_zone_go() throws Exception {
        datagram(client, GONE);
        node.shell(
                "conntrack -I -s 10.9.0.7 -d %1$s -p udp --sport 5 --dport 6 -t 60 --zone 7;"
                                .formatted(GONE)
                        + " conntrack -I -s 10.9.0.7 -d %1$s -p udp --sport 5 --dport 6 -t 60 --orig-zone 8"
                                .formatted(GONE));
        assertThat(entries(GONE)).hasSize(3);
        assertThat(conntrack.forget(prefixes(GONE), List.of())).isEqualTo(3);
        assertThat(entries(GONE)).isEmpty();
    }

    @Test
    void many_entries_of_one_address_beside_many_others(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("entries");
        try (BufferedWriter lines = Files.newBufferedWriter(file)) {
            for (int i = 0; i < 3000; i++) {
                lines.write(
                        "-I -s 10.9.%d.%d -d %s -p udp --sport 7 --dport 8 -t 60\n"
                                .formatted(1 + i / 250, i % 250, i % 3 == 0 ? OTHER : GONE));
            }
        }
        node.exec("conntrack", "--load-file", file.toString());
        assertThat(conntrack.forget(prefixes(GONE), List.of())).isEqualTo(2000);
        assertThat(entries(GONE)).isEmpty();
        assertThat(entries(OTHER)).hasSize(1000);
    }

    private static List<IpPrefix> prefixes(String... addresses) {
        return List.of(addresses).stream().map(IpPrefix::parse).toList();
    }

    private void stream(Netns from, String to) throws IOException {
        keep(
                from.call(() -> {
                    Socket socket = new Socket();
                    socket.connect(
                            new InetSocketAddress(IpPrefix.literal(to), PORT), PATIENCE_MILLIS);
                    return socket;
                }));
    }

    /** Sends one and waits for its echo. */
    private DatagramSocket datagram(Netns from, String to) throws IOException {
        DatagramSocket socket = keep(from.call(() -> new DatagramSocket()));
        send(socket, to);
        socket.setSoTimeout(PATIENCE_MILLIS);
        socket.receive(new DatagramPacket(new byte[8], 8));
        return socket;
    }

    private static void send(DatagramSocket socket, String to) throws IOException {
        socket.send(new DatagramPacket(new byte[8], 8, IpPrefix.literal(to), PORT));
    }

    /** The node's entries that have the address in any place, as conntrack-tools see them. */
    private List<String> entries(String address) throws IOException {
        return node.shell("conntrack -L -f ipv4 2>&1; conntrack -L -f ipv6 2>&1")
                .lines()
                .filter(line -> line.contains("=" + address + " "))
                .toList();
    }

    private long unreachablesSent() throws IOException {
        return node.shell("nstat -asz IcmpOutDestUnreachs")
                .lines()
                .filter(line -> line.startsWith("IcmpOutDestUnreachs"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("^\\S+\\s+(\\d+).*", "$1")))
                .sum();
    }
}
