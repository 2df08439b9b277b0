package dev.underlay.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** An address from one pod to the next, with packets that do not know of it. */
@Tag("kernel")
final class ReuseTest {
    private static final int DISCARD = 9;
    private static final Duration COOLDOWN = Duration.ofSeconds(12);
    private static final Duration LAST = Duration.ofSeconds(2);
    private static final int ADDRESSES = 9; // of an m5.large's one interface, beside its own

    @Test
    void hazard_36_a_used_address_is_unreachable_while_it_cools_and_comes_back_without_flows()
            throws Exception {
        Kernel.required("conntrack", "--version");
        try (OneNode node =
                OneNode.serving("m5.large", Map.of("MAX_ENI", "1", "IP_COOLDOWN_PERIOD", "2"))) {
            List<Sandbox> pods = node.sandboxes(ADDRESSES);
            List<CniReply> added = node.addAll(1, pods);
            Place client = node.place(pods.get(0), added.get(0));
            Place other = node.place(pods.get(1), added.get(1));
            Place used = node.place(pods.get(2), added.get(2));
            String address = used.address();
            new ServiceRules(node.node().place(), other, used).write();
            DatagramSocket datagrams = client.namespace().call(() -> new DatagramSocket());
            try (datagrams;
                    EchoServer _ = new EchoServer(used.namespace());
                    EchoServer _ = new EchoServer(other.namespace())) {
                Traffic.isSeenAs(
                        client,
                        ServiceRules.LOCAL_SERVICE,
                        ServiceRules.SERVICE_PORT,
                        client.address());
                Traffic.isSeenAs(client, address, EchoServer.WHO_PORT, client.address());
                Traffic.isSeenAs(
                        client,
                        ServiceRules.REMOTE_SERVICE,
                        ServiceRules.SERVICE_PORT,
                        client.address());
                Traffic.answers(used, node.vpc().internet());
                send(datagrams, address);
            }
            List<String> before = flows(node, address);
            assertThat(before).as("plain, by a Service, to outside").hasSizeGreaterThan(3);
            assertThat(before).anyMatch(flow -> flow.contains(ServiceRules.LOCAL_SERVICE));
            List<String> others = flows(node, other.address());
            assertThat(others).isNotEmpty();

            assertThat(node.runtime().delete(pods.get(2)).line()).isEqualTo("success");
            assertThat(Traffic.ping(client.namespace(), address).out())
                    .as("a late packet")
                    .contains("Destination Host Unreachable");
            assertThat(flows(node, address)).as("while it cools").isNotEmpty();

            Sandbox next = node.runtime().sandbox("next");
            CniReply reply = node.runtime().add(next); // waits: there is no other address
            assertThat(flows(node, address)).isEmpty();
            assertThat(reply.address()).isEqualTo(address);
            assertThat(flows(node, other.address())).hasSameSizeAs(others);
            Traffic.answers(client, node.place(next, reply));
        }
    }

    @Test
    void hazard_12_until_its_cooldown_ends_a_late_packet_is_unreachable_and_reaches_no_pod()
            throws Exception {
        Map<String, String> settings =
                Map.of("MAX_ENI", "1", "IP_COOLDOWN_PERIOD", String.valueOf(COOLDOWN.toSeconds()));
        try (OneNode node = OneNode.serving("m5.large", settings)) {
            List<Sandbox> pods = node.sandboxes(ADDRESSES);
            List<CniReply> added = node.addAll(1, pods);
            String address = added.getFirst().address();
            Sandbox next = node.runtime().sandbox("next");
            long released = System.nanoTime();
            assertThat(node.runtime().delete(pods.getFirst()).line()).isEqualTo("success");
            isUnreachable(address, pods.subList(1, 4));
            node.daemon().kill();
            isUnreachable(address, pods.subList(4, 6));
            node.startDaemon();
            isUnreachable(address, pods.subList(6, 8));
            FutureTask<CniReply> add = new FutureTask<>(() -> node.runtime().add(next));
            Thread.ofPlatform().start(add); // waits: there is no other address
            Await.until(
                    COOLDOWN, () -> since(released), it -> it.compareTo(COOLDOWN.minus(LAST)) > 0);
            isUnreachable(address, pods.subList(8, 9));
            assertThat(since(released)).as("the machine is too slow").isLessThan(COOLDOWN);

            CniReply reply = add.get();
            assertThat(since(released)).isGreaterThanOrEqualTo(COOLDOWN);
            assertThat(reply.address()).isEqualTo(address);
            Traffic.answers(node.place(pods.get(1), added.get(1)), node.place(next, reply));
        }
    }

    /** One packet of each: a kernel answers a sender of many only now and then. */
    private static void isUnreachable(String address, List<Sandbox> senders) throws IOException {
        for (Sandbox sender : senders) {
            assertThat(Traffic.ping(sender.netns(), address).out())
                    .as("a late packet of %s", sender.podName())
                    .contains("Destination Host Unreachable");
        }
    }

    private static Duration since(long nanoTime) {
        return Duration.ofNanos(System.nanoTime() - nanoTime);
    }

    private static void send(DatagramSocket socket, String to) throws IOException {
        socket.send(new DatagramPacket(new byte[8], 8, InetAddress.ofLiteral(to), DISCARD));
    }

    /** The node's tracked connections that name an address, as conntrack-tools see them. */
    private static List<String> flows(OneNode node, String address) throws IOException {
        return node.node()
                .netns()
                .run("conntrack", "-L")
                .lines()
                .filter(line -> line.contains("=" + address + " "))
                .toList();
    }
}
