package dev.underlay.cni.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.underlay.cni.netlink.IpPrefix;
import dev.underlay.cni.netlink.Link;
import dev.underlay.cni.netlink.LinkMonitor;
import dev.underlay.cni.netlink.RouteSocket;
import dev.underlay.cni.testing.Netns;
import dev.underlay.cni.wiring.Attachment;
import dev.underlay.cni.wiring.PodSpec;
import dev.underlay.cni.wiring.PodWiring;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A node with a configured eth0 and a bare eth1, each on a wire to "outside", on a distribution
 * that forwards nothing and filters strictly.
 */
@Tag("kernel")
class NodeRoutingTest {
    private static final String SECOND_MAC = "02:00:00:00:11:00";

    private Netns node;
    private Netns outside;
    private RouteSocket socket;
    private NodeRouting routing;
    private Primary primary;
    private AttachedInterface second;

    @BeforeEach
    void a_bare_node() throws Exception {
        node = Netns.create("node");
        outside = Netns.create("outside");
        node.shell(
                "sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.default.rp_filter=1"
                        + " net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0;"
                        + " ip link set lo up; wire() { ip link add $1 address $2 type veth peer"
                        + " name $1 address 02:fa:00:00:00:01 netns "
                        + outside.name()
                        + "; ip link set $1 addrgenmode none; }; wire eth0 02:00:00:00:10:00; wire eth1 "
                        + SECOND_MAC
                        + "; ip link set eth0 up; ip addr add 10.0.0.10/24 dev eth0;"
                        + " ip addr add fd00:10::10/128 dev eth0 nodad;"
                        + " ip route add default via 10.0.0.1;"
                        + " ip route add default via fe80::1 dev eth0");
        outside.shell(
                "ip link set lo up; ip link set eth0 up; ip link set eth1 up;"
                        + " ip addr add 10.0.0.1/32 dev lo; ip addr add 203.0.113.5/32 dev lo;"
                        + " sysctl -qw net.ipv4.conf.all.proxy_arp=1 net.ipv4.ip_forward=1;"
                        + " ip route add 10.0.0.10 dev eth0; ip route add 10.0.0.16/28 dev eth0;"
                        + " ip route add 10.0.0.20 dev eth1; ip route add 10.0.0.64/26 dev eth1");
        socket = node.socket();
        primary =
                new Primary(
                        socket.link("eth0").orElseThrow().index(),
                        List.of(IpPrefix.literal("10.0.0.10"), IpPrefix.literal("fd00:10::10")));
        Link link =
                socket.links().stream()
                        .filter(NodeRouting.isInterface(SECOND_MAC))
                        .findFirst()
                        .orElseThrow();
        second =
                new AttachedInterface(
                        2,
                        link.index(),
                        1400,
                        List.of(
                                own("10.0.0.20/24", "10.0.0.1"),
                                own("fd00:10::20/128", "fe80::1")));
        routing = node.call(() -> NodeRouting.open(socket));
    }

    @AfterEach
    void remove_it() throws Exception {
        routing.close();
        outside.close();
        node.close();
    }

    @Test
    void everything_stands_once_and_a_second_run_touches_nothing() throws Exception {
        everything(routing);
        List<String> before = withHandles();
        List<String> snapshot = routing.snapshot();
        try (LinkMonitor monitor = node.call(LinkMonitor::open)) {
            while (monitor.next(Duration.ofMillis(100)).isPresent()) {
                // What the first run set off comes to its end.
            }
            everything(routing);
            assertThat(monitor.next(Duration.ofMillis(100))).isEmpty();
        }
        assertThat(withHandles()).containsExactlyElementsOf(before);
        try (NodeRouting next = node.call(() -> NodeRouting.open(socket))) {
            everything(next);
            assertThat(next.snapshot()).isEqualTo(snapshot);
        }
        assertThat(withHandles()).as("nor does the next process").containsExactlyElementsOf(before);

        assertThat(node.shell("sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding"))
                .isEqualTo("1\n1\n");
        assertThat(node.shell("sysctl -n net.ipv6.conf.eth0.accept_ra")).isEqualTo("2\n");
        assertThat(node.shell("sysctl -n net.ipv4.conf.eth1.rp_filter")).isEqualTo("2\n");
        assertThat(node.shell("sysctl -n net.ipv4.conf.eth0.rp_filter")).isEqualTo("1\n");
        assertThat(node.shell("ip -o link show eth1")).contains("mtu 1400", ",UP");
        assertThat(node.shell("ip route show table main")).doesNotContain("eth1");
    }

    @Test
    void next_process_takes_interfaces_and_blocks_over_before_the_cloud_is_asked()
            throws Exception {
        everything(routing);
        List<String> snapshot = routing.snapshot();
        try (NodeRouting next = node.call(() -> NodeRouting.open(socket))) {
            assertThat(next.attachedInterfaces()).containsExactly(second);
            assertThat(next.blocks(1)).isEqualTo(prefixes("10.0.0.16/28"));
            assertThat(next.blocks(2)).isEqualTo(prefixes("10.0.0.64/26", "fd00:10:0:0:2::/80"));
            setUp(next);
            assertThat(next.snapshot()).isEqualTo(snapshot);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ip rule del pref 512",
                "ip -6 rule del pref 602",
                "ip rule flush; ip rule add pref 32766 lookup main; ip rule add pref 32767 lookup default",
                "ip route flush table 20000; ip -6 route flush table 20000",
                "ip route del default table 20002",
                "ip route replace default via 10.0.0.7 dev eth1 onlink table 20002",
                "ip route add 1.2.3.4 dev eth0 table 20002",
                "ip route add unreachable 10.0.0.250 table 20000 proto 85",
                "ip rule add pref 640 fwmark 0x28/0x7f lookup 20040 proto 85",
                "nft delete table inet underlay",
                "nft flush chain inet underlay from",
                "nft flush ruleset",
                "nft add element inet underlay source4 '{ 10.0.0.250 : goto if2 }'",
                "nft insert rule inet underlay spoofed accept",
                "ip addr del 10.0.0.20/24 dev eth1",
                "ip link set eth1 down",
                "ip link set eth1 mtu 1300",
                "sysctl -w net.ipv4.conf.eth1.rp_filter=1 net.ipv4.ip_forward=0",
            })
    void damage_is_repaired(String damage) throws Exception {
        everything(routing);
        List<String> before = state();
        node.shell(damage);
        assertThat(state()).isNotEqualTo(before);
        node.run(() -> {
            routing.repair();
        });
        assertThat(state()).containsExactlyElementsOf(before);
    }

    @Test
    void connected_route_that_another_agent_brought_does_not_stay() throws Exception {
        node.shell("ip link set eth1 up; ip addr add 10.0.0.20/24 dev eth1");
        assertThat(node.shell("ip route show table main")).contains("10.0.0.0/24 dev eth1");
        everything(routing);
        assertThat(node.shell("ip route show table main"))
                .contains("10.0.0.0/24 dev eth0")
                .doesNotContain("eth1");
    }

    @Test
    void detached_interface_leaves_nothing_and_its_link_may_be_gone() throws Exception {
        setUp(routing);
        routing.setBlocks(1, prefixes("10.0.0.16/28"));
        List<String> before = routing.snapshot();
        attach(routing);
        node.run(() -> {
            routing.detachInterface(2);
            routing.detachInterface(2);
        });
        assertThat(routing.snapshot()).containsExactlyElementsOf(before);
        assertThat(node.shell("ip addr show eth1")).doesNotContain("10.0.0.20");

        attach(routing);
        node.shell("ip link del eth1");
        node.run(() -> {
            setUp(routing);
            routing.setNetworkCidrs(prefixes("10.0.0.0/16"));
            routing.setBlocks(1, prefixes("10.0.0.17"));
        });
        assertThat(routing.blocks(1)).isEqualTo(prefixes("10.0.0.17"));
        assertThatThrownBy(() -> node.run(routing::repair)).hasMessageContaining("number=2");
        assertThatThrownBy(() -> attach(routing)).hasMessageContaining("number=2");
        assertThatThrownBy(() ->
                        node.run(() -> {
                            routing.setBlocks(2, List.of());
                        }))
                .hasMessageContaining("number=2");
        assertThat(node.shell("nft list table inet underlay")).contains("10.0.0.17 : goto if1");
        node.run(() -> {
            routing.detachInterface(2);
            routing.setBlocks(1, prefixes("10.0.0.16/28"));
        });
        assertThat(routing.snapshot()).containsExactlyElementsOf(before);
    }

    @Test
    void teardown_leaves_the_kernel_as_it_was() throws Exception {
        node.shell("ip link set eth1 up mtu 1400; ip rule; ip -6 rule; nft add table ip other");
        List<String> before = node.state();
        everything(routing);
        node.run(() -> {
            routing.teardown();
        });
        assertThat(node.state()).containsExactlyElementsOf(before);
        assertThat(routing.snapshot()).isEmpty();
    }

    @Test
    void number_of_rules_and_of_everything_but_routes_is_the_same_for_fifty_pods()
            throws Exception {
        everything(routing);
        PodWiring wiring = new PodWiring(socket);
        List<Netns> pods = new ArrayList<>();
        try {
            List<String> none = withoutPods();
            for (int i = 0; i < 50; i++) {
                Netns pod = Netns.create("p" + i);
                pods.add(pod);
                wiring.wire(pod.socket(), pod.fd(), Map.of(), spec(i));
            }
            assertThat(withoutPods()).isEqualTo(none);
            assertThat(socket.rules(false)).hasSize(3 + 4);
            assertThat(socket.routes(false, Marks.TO_POD_TABLE)).hasSize(50 + 2);
            assertThat(pods.getLast().pings("10.0.0.17")).isTrue();
            assertThat(pods.getLast().pings("203.0.113.5")).isTrue();
        } finally {
            for (Netns pod : pods) {
                pod.close();
            }
        }
    }

    @Test
    void no_packet_is_lost_while_blocks_come_and_go_and_the_table_is_replaced() throws Exception {
        everything(routing);
        try (Netns pod = Netns.create("pod")) {
            new PodWiring(socket).wire(pod.socket(), pod.fd(), Map.of(), spec(20));
            Process pings =
                    new ProcessBuilder(
                                    "ip",
                                    "netns",
                                    "exec",
                                    pod.name(),
                                    "ping",
                                    "-n",
                                    "-q",
                                    "-i",
                                    "0.002",
                                    "-c",
                                    "500",
                                    "-W",
                                    "2",
                                    "203.0.113.5")
                            .redirectErrorStream(true)
                            .start();
            int changes = 0;
            while (pings.isAlive()) {
                List<IpPrefix> more = prefixes("10.0.0.64/26", "fd00:10:0:0:2::/80", "10.0.0.250");
                boolean odd = changes++ % 2 == 1;
                node.run(() -> {
                    routing.setBlocks(2, odd ? more : more.subList(0, 2));
                });
            }
            String said = new String(pings.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(said).contains("500 packets transmitted, 500 received");
            assertThat(changes).isGreaterThan(3);
        }
    }

    /** Both families of one pod: IPv4 of the second interface, IPv6 of the node's own. */
    @Test
    void a_pod_of_two_families_leaves_by_the_interface_of_each_address() throws Exception {
        node.run(() -> {
            routing.setup(primary, prefixes("10.0.0.0/16", "fd00:10::/56"));
            routing.setBlocks(1, prefixes("10.0.0.16/28", "fd00:10:0:0:1::/80"));
            routing.attachInterface(second);
            routing.setBlocks(2, prefixes("10.0.0.64/26"));
        });
        node.shell("ip neigh add fe80::1 lladdr 02:fa:00:00:00:01 dev eth0 nud permanent");
        outside.shell(
                "sysctl -qw net.ipv6.conf.all.forwarding=1; ip addr add fd00:99::5/128 dev lo nodad;"
                        + " ip route add fd00:10::10 dev eth0; ip neigh add fd00:10::10 lladdr"
                        + " 02:00:00:00:10:00 dev eth0 nud permanent;"
                        + " ip route add fd00:10:0:0:1::/80 via fd00:10::10 dev eth0;"
                        + " nft 'add table ip6 seen; add chain ip6 seen in { type filter hook input"
                        + " priority 0; }; add rule ip6 seen in iif eth0 ip6 saddr"
                        + " fd00:10:0:0:1::1 counter'");
        PodSpec spec =
                new PodSpec(
                        new Attachment("underlay", "id-1", "eth0", 1, "shop", "p1"),
                        1500,
                        List.of(
                                IpPrefix.literal("10.0.0.64"),
                                IpPrefix.literal("fd00:10:0:0:1::1")),
                        primary.addresses(),
                        false);
        PodWiring wiring = new PodWiring(socket);
        try (Netns pod = Netns.create("pod")) {
            var wired = wiring.wire(pod.socket(), pod.fd(), Map.of(), spec);
            assertThat(pod.pings("203.0.113.5")).isTrue();
            assertThat(pod.pings("fd00:99::5")).isTrue();
            assertThat(outside.shell("nft list table ip6 seen"))
                    .as("untranslated")
                    .doesNotContain("packets 0 ");
            assertThat(outside.pings("fd00:10:0:0:1::1")).isTrue();
            assertThat(node.pings("fd00:10:0:0:1::1")).isTrue();
            assertThat(node.tryExec("ping", "-n", "-c1", "-W2", "fd00:10:0:0:1::2").output())
                    .as("an address without a pod")
                    .contains("No route to host");

            pod.shell("ip addr add fd00:10:0:0:1::9/128 dev eth0 nodad");
            assertThat(pod.tryExec("ping", "-c1", "-W1", "-I", "fd00:10:0:0:1::9", "fd00:99::5"))
                    .returns(1, Netns.Outcome::status);
            assertThat(node.shell("nft list chain inet underlay spoofed"))
                    .as("another source")
                    .doesNotContain("packets 0 ");

            wiring.unwire(Optional.of(pod.socket()), wired.link());
            assertThat(outside.pings("fd00:10:0:0:1::1")).isFalse();
            assertThat(outside.pings("10.0.0.64")).isFalse();
        }
    }

    @Test
    void wrong_use_is_refused_by_name() throws Exception {
        assertThatThrownBy(() -> routing.setBlocks(1, List.of())).hasMessage("setup comes first");
        setUp(routing);
        Primary other =
                new Primary(
                        primary.linkIndex(),
                        List.of(primary.addresses().getFirst(), IpPrefix.literal("fd00:10::99")));
        assertThatThrownBy(() ->
                        node.run(() -> {
                            routing.setup(other, prefixes("10.0.0.0/16"));
                        }))
                .hasMessageContaining("does not carry the node's IPv6 address fd00:10::99");
        assertThatThrownBy(() -> routing.setBlocks(2, prefixes("10.0.0.64/26")))
                .hasMessageContaining("interface 2");
        assertThatThrownBy(() -> routing.setNetworkCidrs(List.of()))
                .hasMessageContaining("at least one");
        assertThatThrownBy(() ->
                        new AttachedInterface(
                                128, 3, 1500, List.of(own("10.0.0.20/24", "10.0.0.1"))))
                .hasMessageContaining("128");
    }

    @Test
    void prefixes_that_others_contain_are_no_conflict() throws Exception {
        node.run(() -> {
            routing.setup(
                    primary, prefixes("10.0.0.0/16", "10.0.0.0/24", "100.64.9.9/10", "fd00::/56"));
            routing.setBlocks(1, prefixes("10.0.0.16/28", "10.0.0.17"));
        });
        assertThat(node.shell("nft list table inet underlay"))
                .contains("elements = { 10.0.0.0/16, 100.64.0.0/10 }")
                .contains("elements = { 10.0.0.16/28 : goto if1 }");
    }

    private void everything(NodeRouting on) throws IOException {
        setUp(on);
        node.run(() -> {
            on.setBlocks(1, prefixes("10.0.0.16/28"));
        });
        attach(on);
    }

    private void setUp(NodeRouting on) throws IOException {
        node.run(() -> {
            on.setup(primary, prefixes("10.0.0.0/16"));
        });
    }

    private void attach(NodeRouting on) throws IOException {
        node.run(() -> {
            on.attachInterface(second);
            on.setBlocks(2, prefixes("10.0.0.64/26", "fd00:10:0:0:2::/80"));
        });
    }

    private List<String> state() throws IOException {
        return with(
                node.state(),
                node.shell("sysctl net.ipv4.conf.eth1.rp_filter net.ipv4.ip_forward"));
    }

    private List<String> withHandles() throws IOException {
        return with(state(), node.shell("nft -a -s list ruleset"));
    }

    private static List<String> with(List<String> state, String more) {
        return Stream.concat(state.stream(), more.lines()).toList();
    }

    private List<String> withoutPods() throws IOException {
        return routing.snapshot().stream()
                .filter(l -> !l.startsWith("link ") && !l.startsWith("neighbour "))
                .filter(l -> !(l.startsWith("route 10.0.0.") && l.contains(" src ")))
                .toList();
    }

    /** Pods 0 to 15 have addresses of the primary interface, the others of the second one. */
    private PodSpec spec(int i) {
        String address = "10.0.0." + (i < 16 ? 16 + i : 64 + i - 16);
        return new PodSpec(
                new Attachment("underlay", "id-" + i, "eth0", i, "shop", "p" + i),
                1500,
                List.of(IpPrefix.literal(address)),
                primary.addresses(),
                false);
    }

    private static AttachedInterface.OwnAddress own(String address, String gateway) {
        return new AttachedInterface.OwnAddress(IpPrefix.parse(address), IpPrefix.literal(gateway));
    }

    private static List<IpPrefix> prefixes(String... texts) {
        return Arrays.stream(texts).map(IpPrefix::parse).toList();
    }
}
