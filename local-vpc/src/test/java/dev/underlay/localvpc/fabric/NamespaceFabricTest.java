package dev.underlay.localvpc.fabric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.underlay.localvpc.Fabric.Port;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The promises of the fabric one by one, with real packets. Instances are configured by hand, with
 * their own filters switched off where a control must show that it is the fabric that drops.
 */
@Tag("kernel")
class NamespaceFabricTest {
    private static final String PREFIX = Kernel.prefix("fab");
    private static final String A = "i-a";
    private static final String B = "i-b";
    private static final Port A0 = port("eni-a0", "02:00:00:00:10:00", "10.0.0.10", "10.0.0.0");
    private static final Port A1 = port("eni-a1", "02:00:00:00:11:00", "10.0.0.20", "10.0.0.0");
    private static final Port B0 = port("eni-b0", "02:00:00:00:20:00", "10.0.1.10", "10.0.1.0");
    private static final Port N0 = port("eni-n0", "02:00:00:00:30:00", "10.0.0.30", "10.0.0.0");

    private NamespaceFabric fabric;

    @BeforeEach
    void raise() throws IOException {
        Kernel.required();
        fabric = NamespaceFabric.create(PREFIX);
        boot(A, A0);
        boot(B, B0);
    }

    @AfterEach
    void remove() throws IOException {
        NamespaceFabric.removeLeftovers(PREFIX);
        assertThat(Netns.startingWith(PREFIX)).isEmpty();
    }

    @Test
    void instances_reach_each_other_their_gateway_and_the_internet() throws Exception {
        boot("i-n", N0);
        Netns a = fabric.instance(A);
        assertThat(answers(a, "10.0.1.10")).as("another subnet").isTrue();
        assertThat(answers(a, "10.0.0.30")).as("the same subnet").isTrue();
        assertThat(answers(a, "10.0.0.1")).as("the gateway").isTrue();
        assertThat(answers(a, NamespaceFabric.INTERNET_ADDRESS)).as("the internet").isTrue();
        assertThat(answers(fabric.internet(), "10.0.1.10")).as("from the internet").isTrue();
        assertThat(a.run("ip", "-br", "link", "show", "eth0")).contains(A0.mac());
        assertThat(a.run("ip", "neigh", "show", "10.0.0.30"))
                .as("the fabric answers ARP for everyone")
                .contains(fabricMac());
        assertThat(a.run("cat", "/sys/class/net/eth0/mtu").strip()).isEqualTo("9001");
        assertThat(a.run("ping", "-n", "-c1", "-W1", "-M", "do", "-s", "8973", "10.0.1.10"))
                .contains("1 received");
    }

    @Test
    void an_instance_boots_as_a_careful_distribution_does() throws Exception {
        Netns a = fabric.instance(A);
        assertThat(parameter(a, "ipv4/conf/all/rp_filter")).isEqualTo("1");
        assertThat(parameter(a, "ipv4/conf/eth0/rp_filter")).isEqualTo("1");
        assertThat(parameter(a, "ipv4/conf/eth0/forwarding")).isEqualTo("0");
        assertThat(a.run("ip", "-4", "-br", "addr", "show", "eth0")).contains("10.0.0.10/24");
        assertThat(a.run("ip", "route", "show", "default")).contains("via 10.0.0.1 dev eth0");
    }

    @Test
    void a_secondary_interface_appears_down_and_bare_and_vanishes_with_its_mappings()
            throws Exception {
        Netns a = fabric.instance(A);
        fabric.plug(A, A1);
        assertThat(a.run("ip", "-br", "link", "show", "eth1")).contains(A1.mac()).contains("DOWN");
        assertThat(a.run("ip", "-br", "addr", "show", "eth1")).doesNotContain("10.0.0.");
        fabric.map(A1.id(), A1.primaryAddress(), 32);
        fabric.map(A1.id(), address("fd00:10::20"), 128);
        configure(a, "eth1", "10.0.0.20");
        Netns b = fabric.instance(B);
        assertThat(answers(b, "10.0.0.20")).isTrue();
        fabric.unplug(A1.id());
        assertThat(links(a)).doesNotContain("eth1");
        assertThat(ping(b, "10.0.0.20")).contains("From 10.0.1.1").contains("nreachable");
        assertThat(fabric.fabric().run("ip", "neigh", "show", "proxy"))
                .doesNotContain("fd00:10::20");
        assertThatThrownBy(() -> fabric.unplug(A1.id())).hasMessageContaining(A1.id());
        fabric.plug(A, A1);
        assertThat(links(a)).as("the first free name").contains("eth1");
    }

    @Test
    void a_mapped_address_leads_to_its_interface_only_until_it_is_unmapped() throws Exception {
        Netns a = fabric.instance(A);
        Netns b = fabric.instance(B);
        a.ip("addr add 10.0.0.11/32 dev eth0");
        assertThat(ping(b, "10.0.0.11")).as("unmapped").contains("nreachable");
        fabric.map(A0.id(), address("10.0.0.11"), 32);
        assertThat(answers(b, "10.0.0.11")).isTrue();
        fabric.unmap(A0.id(), address("10.0.0.11"), 32);
        assertThat(ping(b, "10.0.0.11")).as("unmapped again").contains("nreachable");
        assertThatThrownBy(() -> fabric.unmap(A0.id(), address("10.0.0.11"), 32))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining("unmap 10.0.0.11/32 from eni-a0");
    }

    @Test
    void a_prefix_leads_to_its_interface_with_every_address_in_it() throws Exception {
        Netns a = fabric.instance(A);
        fabric.map(A0.id(), address("10.0.0.48"), 28);
        a.ip("addr add 10.0.0.48/32 dev eth0", "addr add 10.0.0.63/32 dev eth0");
        assertThat(answers(fabric.instance(B), "10.0.0.48")).isTrue();
        assertThat(answers(fabric.instance(B), "10.0.0.63")).isTrue();
        assertThat(silent(fabric.instance(B), "10.0.0.64")).as("the next one").isTrue();
    }

    @Test
    void ipv6_addresses_and_prefixes_are_mapped_answered_for_and_checked() throws Exception {
        Netns a = fabric.instance(A);
        Netns b = fabric.instance(B);
        configureV6(a, "fd00:10::10");
        configureV6(b, "fd00:10::30");
        b.ip("neigh add fe80::1 lladdr " + fabricMac() + " dev eth0");
        fabric.map(A0.id(), address("fd00:10::10"), 128);
        try (PacketCounter seen = PacketCounter.arriving(a, "eth0", "ip6 saddr fd00:10::30")) {
            assertThat(silent(b, "fd00:10::10")).as("unassigned source").isTrue();
            assertThat(seen.packets()).as("unassigned source").isZero();
        }
        fabric.map(B0.id(), address("fd00:10::30"), 128);
        assertThat(answers(b, "fd00:10::10")).isTrue();
        assertThat(answers(b, NamespaceFabric.INTERNET_ADDRESS_V6)).isTrue();
        fabric.map(A0.id(), address("fd00:10:0:0:1::"), 80);
        a.ip("addr add fd00:10:0:0:1::7/128 dev eth0 nodad");
        Ipv6.awaitAddresses(a);
        assertThat(answers(b, "fd00:10:0:0:1::7")).as("inside a prefix").isTrue();
        // On-link, so that the address itself is asked for by NDP instead of the gateway.
        b.ip("route add fd00:10::/64 dev eth0");
        assertThat(answers(b, "fd00:10::10")).as("by NDP").isTrue();
        assertThat(b.run("ip", "neigh", "show", "fd00:10::10")).contains(fabricMac());
        fabric.unmap(A0.id(), address("fd00:10::10"), 128);
        b.ip("neigh flush dev eth0", "route del fd00:10::/64 dev eth0");
        assertThat(ping(b, "fd00:10::10")).contains("nreachable");
    }

    @Test
    void a_source_that_is_not_assigned_is_dropped_and_so_is_its_arp() throws Exception {
        Netns a = fabric.instance(A);
        Netns b = fabric.instance(B);
        a.ip("addr add 10.0.0.99/32 dev eth0");
        PacketCounter seen = PacketCounter.arriving(b, "eth0", "ip saddr 10.0.0.99");
        assertThat(asksByArp(a, "10.0.0.10")).isTrue();
        assertThat(silent(a, "10.0.1.10", "-I", "10.0.0.99")).isTrue();
        fabric.map(A0.id(), address("10.0.0.99"), 32);
        assertThat(answers(a, "10.0.1.10", "-I", "10.0.0.99")).as("once it is assigned").isTrue();
        assertThat(seen.packets()).as("the assigned one only").isEqualTo(1);
        fabric.unmap(A0.id(), address("10.0.0.99"), 32);
        assertThat(asksByArp(a, "10.0.0.99")).as("ARP of the unassigned").isFalse();
    }

    @Test
    void a_source_on_another_interface_of_the_same_instance_is_dropped() throws Exception {
        Netns a = fabric.instance(A);
        fabric.plug(A, A1);
        fabric.map(A1.id(), A1.primaryAddress(), 32);
        a.ip("link set eth1 up", "addr add 10.0.0.20/32 dev eth1");
        // Without a rule the packet takes the main table's route, out of eth0.
        assertThat(silent(a, "10.0.1.10", "-I", "10.0.0.20")).isTrue();
        configure(a, "eth1", "10.0.0.20");
        assertThat(answers(a, "10.0.1.10", "-I", "10.0.0.20")).as("by its own link").isTrue();
    }

    @Test
    void a_source_mac_that_is_not_the_interfaces_is_dropped() throws Exception {
        Netns a = fabric.instance(A);
        assertThat(answers(a, "10.0.1.10")).isTrue();
        try (PacketCounter seen =
                PacketCounter.arriving(fabric.instance(B), "eth0", "ip saddr 10.0.0.10")) {
            a.ip("link set eth0 address 02:00:00:00:10:99");
            assertThat(silent(a, "10.0.1.10")).isTrue();
            assertThat(seen.packets()).isZero();
        }
        a.ip("link set eth0 address " + A0.mac());
        assertThat(answers(a, "10.0.1.10")).isTrue();
    }

    @Test
    void nobody_hears_what_is_not_for_him() throws Exception {
        boot("i-n", N0);
        Netns n = fabric.instance("i-n");
        PacketCounter seen =
                PacketCounter.arriving(
                        n, "eth0", "ip saddr 10.0.0.10 counter; arp operation request");
        silent(fabric.instance(A), "10.0.0.255", "-b");
        silent(fabric.instance(A), "10.0.0.77");
        assertThat(answers(fabric.instance(A), "10.0.0.30")).isTrue();
        assertThat(seen.packets()).as("the ping that was for it").isEqualTo(1);
    }

    @Test
    void the_metadata_answer_travels_as_many_hops_as_it_is_given() throws Exception {
        Netns a = fabric.instance(A);
        Netns pod = Netns.create(PREFIX + "pod");
        a.sysctl("net/ipv4/ip_forward=1");
        a.ip(
                "link add pod type veth peer name eth0 netns " + pod.name(),
                "link set pod up",
                "addr add 169.254.1.1/32 dev pod",
                "route add 10.0.0.12 dev pod");
        pod.ip(
                "link set eth0 up",
                "addr add 10.0.0.12/32 dev eth0",
                "route add 169.254.1.1 dev eth0",
                "route add default via 169.254.1.1");
        fabric.map(A0.id(), address("10.0.0.12"), 32);
        HttpServer server =
                fabric.fabric()
                        .call(() ->
                                HttpServer.create(
                                        new InetSocketAddress(NamespaceFabric.METADATA_ADDRESS, 80),
                                        0));
        server.createContext(
                "/",
                exchange -> {
                    byte[] caller =
                            exchange.getRemoteAddress()
                                    .getAddress()
                                    .getHostAddress()
                                    .getBytes(StandardCharsets.US_ASCII);
                    exchange.sendResponseHeaders(200, caller.length);
                    exchange.getResponseBody().write(caller);
                    exchange.close();
                });
        server.start();
        try {
            assertThat(get(a)).isEqualTo("10.0.0.10");
            assertThatThrownBy(() -> get(pod)).isInstanceOf(IOException.class);
            fabric.metadataHopLimit(A, 2);
            assertThat(get(pod)).isEqualTo("10.0.0.12");
        } finally {
            server.stop(0);
        }
    }

    @Test
    void a_terminated_instance_is_gone_and_another_may_take_its_address() throws Exception {
        fabric.terminate(A);
        assertThat(fabric.instance(A).exists()).isFalse();
        assertThat(ping(fabric.instance(B), "10.0.0.10")).contains("nreachable");
        boot(A, A0);
        assertThat(answers(fabric.instance(B), "10.0.0.10")).isTrue();
    }

    @Test
    void two_fabrics_stand_side_by_side() throws Exception {
        String other = PREFIX + "second-";
        try (NamespaceFabric second = NamespaceFabric.create(other)) {
            second.boot(A, A0);
            second.map(A0.id(), A0.primaryAddress(), 32);
            assertThat(silent(second.instance(A), "10.0.1.10")).isTrue();
            assertThat(answers(fabric.instance(A), "10.0.1.10")).isTrue();
        }
        assertThat(Netns.startingWith(other)).isEmpty();
        assertThat(fabric.instance(A).exists()).isTrue();
    }

    private void boot(String instanceId, Port primary) {
        fabric.boot(instanceId, primary);
        fabric.map(primary.id(), primary.primaryAddress(), 32);
    }

    /** A table of its own for what the link's address sends, as a node must set up. */
    private static void configure(Netns instance, String link, String address) throws IOException {
        instance.ip(
                "link set " + link + " up",
                "addr replace " + address + "/32 dev " + link,
                "route add 10.0.0.1 dev " + link + " table 2",
                "route add default via 10.0.0.1 dev " + link + " table 2",
                "rule add from " + address + " lookup 2");
        instance.sysctl("net/ipv4/conf/all/rp_filter=0", "net/ipv4/conf/" + link + "/rp_filter=0");
    }

    private static void configureV6(Netns instance, String address) throws IOException {
        instance.ip(
                "addr add " + address + "/128 dev eth0 nodad",
                "route add default via fe80::1 dev eth0");
        Ipv6.awaitAddresses(instance);
    }

    private static boolean answers(Netns from, String to, String... options) throws IOException {
        return ping(from, to, options).contains(" 1 received");
    }

    private static boolean silent(Netns from, String to, String... options) throws IOException {
        String output = ping(from, to, ("-W1 " + String.join(" ", options)).strip());
        return output.contains(" 0 received");
    }

    private static String ping(Netns from, String to, String... options) throws IOException {
        String line = "ping -n -c1 -W5 " + String.join(" ", options) + " " + to;
        return from.run("sh", "-c", line + " 2>&1 || true");
    }

    /** Whether the fabric answers an ARP request for the gateway from this sender. */
    private static boolean asksByArp(Netns from, String sender) throws IOException {
        from.ip("neigh flush dev eth0");
        ping(from, "10.0.0.1", "-W1", "-I", sender);
        String entry = from.run("ip", "neigh", "show", "10.0.0.1");
        return entry.contains(fabricMac());
    }

    private static String links(Netns netns) throws IOException {
        return netns.run("ip", "-br", "link");
    }

    private static String parameter(Netns netns, String name) throws IOException {
        return netns.run("cat", "/proc/sys/net/" + name).strip();
    }

    private static String get(Netns from) throws IOException {
        return from.call(() -> {
            var connection =
                    URI.create("http://" + NamespaceFabric.METADATA_ADDRESS + "/")
                            .toURL()
                            .openConnection();
            // A kept connection would stay in the namespace that opened it.
            connection.setRequestProperty("Connection", "close");
            connection.setConnectTimeout(500);
            connection.setReadTimeout(500);
            try (var body = connection.getInputStream()) {
                return new String(body.readAllBytes(), StandardCharsets.US_ASCII);
            }
        });
    }

    private static String fabricMac() {
        return "02:fa:00:00:00:01";
    }

    private static Port port(String id, String mac, String address, String subnet) {
        return new Port(id, mac, address(address), address(subnet), 24);
    }

    private static InetAddress address(String text) {
        return InetAddress.ofLiteral(text);
    }
}
