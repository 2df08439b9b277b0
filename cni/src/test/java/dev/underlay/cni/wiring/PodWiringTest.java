package dev.underlay.cni.wiring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.underlay.cni.linux.Fd;
import dev.underlay.cni.linux.Linux;
import dev.underlay.cni.netlink.IpPrefix;
import dev.underlay.cni.netlink.Link;
import dev.underlay.cni.netlink.Links;
import dev.underlay.cni.netlink.Message;
import dev.underlay.cni.netlink.Route;
import dev.underlay.cni.netlink.RouteSocket;
import dev.underlay.cni.netlink.Rule;
import dev.underlay.cni.routing.Marks;
import dev.underlay.cni.socket.LauncherCall;
import dev.underlay.cni.testing.Netns;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Pods wired by our own messages on a node of two addresses without anything else, proven by the
 * kernel's own tools and by packets.
 */
@Tag("kernel")
class PodWiringTest {
    private static final InetAddress NODE = IpPrefix.literal("10.0.0.10");
    private static final InetAddress NODE6 = IpPrefix.literal("fd00:10::10");

    /** What one wiring of both families takes. */
    private static final int MESSAGES = 18;

    private final List<Netns> namespaces = new ArrayList<>();
    private Netns node;
    private PodWiring wiring;

    @BeforeEach
    void a_node_with_addresses_and_the_to_pod_rule() throws Exception {
        node = namespace("node");
        node.shell(
                "ip link set lo up; ip addr add 10.0.0.10/32 dev lo; ip addr add fd00:10::10/128"
                        + " dev lo nodad; sysctl -qw net.ipv4.ip_forward=1"
                        + " net.ipv6.conf.all.forwarding=1");
        for (boolean ipv6 : new boolean[] {false, true}) {
            node.socket()
                    .run(
                            new Rule(
                                            ipv6,
                                            Marks.TO_POD_RULE,
                                            Optional.empty(),
                                            0,
                                            0,
                                            Marks.TO_POD_TABLE,
                                            Marks.PROTOCOL)
                                    .add());
        }
        wiring = new PodWiring(node.socket());
    }

    @AfterEach
    void remove_the_namespaces() throws Exception {
        for (Netns namespace : namespaces.reversed()) {
            namespace.close();
        }
    }

    @Test
    void two_pods_and_the_node_reach_each_other_over_both_families() throws Exception {
        Netns a = namespace("a");
        Netns b = namespace("b");
        WiredPod wiredA = wire(a, spec("a", "10.0.0.11", "fd00:10::11"));
        wire(b, spec("b", "10.0.0.12", "fd00:10::12"));

        assertThat(a.pings("10.0.0.12")).isTrue();
        assertThat(b.pings("10.0.0.11")).isTrue();
        assertThat(a.pings("fd00:10::12")).isTrue();
        assertThat(a.pings("10.0.0.10")).isTrue();
        assertThat(a.pings("fd00:10::10")).isTrue();
        assertThat(node.pings("10.0.0.11")).isTrue();
        assertThat(node.pings("fd00:10::11")).isTrue();
        wiring.check(a.socket(), wiredA.link(), spec("a", "10.0.0.11", "fd00:10::11"));
    }

    @Test
    void pod_is_wired_as_ip_shows_it() throws Exception {
        Netns pod = namespace("a");
        WiredPod wired = wire(pod, spec("a", "10.0.0.11", "fd00:10::11"));

        JsonNode own = pod.ip("addr", "show", "eth0").get(0);
        assertThat(own.get("address").asText()).isEqualTo(wired.podMac());
        assertThat(own.get("mtu").asInt()).isEqualTo(9001);
        assertThat(pod.shell("ip addr show eth0"))
                .contains("inet 10.0.0.11/32", "inet6 fd00:10::11/128")
                .doesNotContain("fd00:10::11/128 scope global tentative");
        assertThat(pod.shell("ip route"))
                .isEqualToNormalizingWhitespace(
                        "default via 169.254.1.1 dev eth0 169.254.1.1 dev eth0 scope link");
        assertThat(pod.shell("ip -6 route")).contains("default via fe80::1 dev eth0");
        assertThat(pod.shell("ip neigh"))
                .contains("169.254.1.1 dev eth0 lladdr " + wired.link().mac() + " PERMANENT")
                .contains("fe80::1 dev eth0 lladdr " + wired.link().mac() + " PERMANENT");
        assertThat(pod.ip("link", "show", "lo").get(0).get("flags").toString()).contains("UP");

        JsonNode host = node.ip("link", "show", wired.link().name()).get(0);
        assertThat(host.get("ifindex").asInt()).isEqualTo(wired.link().index());
        assertThat(host.get("group").asInt()).isEqualTo(Marks.POD_LINK_GROUP);
        assertThat(host.get("ifalias").asText())
                .isEqualTo("underlay/1/underlay/id-a/eth0/7/shop/a");
        assertThat(host.get("inet6_addr_gen_mode").asText()).isEqualTo("none");
        assertThat(host.get("ifname").asText()).isEqualTo(Names.podLink("shop", "a"));
        assertThat(node.shell("ip route show table 20000"))
                .contains(
                        "10.0.0.11 dev "
                                + wired.link().name()
                                + " proto 85 scope link src 10.0.0.10");
        assertThat(node.shell("ip addr show " + wired.link().name())).doesNotContain("inet");
    }

    @Test
    void ipv6_needs_no_duplicate_detection_where_the_settings_come_along() throws Exception {
        Netns pod = namespace("a");
        pod.shell(
                "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1");
        Map<String, Fd> settings = new HashMap<>();
        try {
            for (String name : LauncherCall.SYSCTLS) {
                settings.put(name, pod.call(() -> Linux.open("/proc/sys/" + name, Linux.O_WRONLY)));
            }
            PodSpec spec = spec("a", "fd00:10::11");
            wiring.wire(pod.socket(), pod.fd(), settings, spec);
        } finally {
            settings.values().forEach(Fd::close);
        }
        assertThat(
                        pod.shell(
                                "sysctl -n net.ipv6.conf.eth0.accept_dad"
                                        + " net.ipv6.conf.all.accept_dad"
                                        + " net.ipv6.conf.eth0.accept_ra"))
                .isEqualTo("0\n0\n0\n");
        assertThat(node.pings("fd00:10::11")).isTrue();
    }

    @Test
    void foreign_interface_of_that_name_is_an_error_and_stays_untouched() throws Exception {
        Netns pod = namespace("a");
        pod.shell("ip link add eth0 type veth peer name other; ip addr add 10.9.9.9/32 dev eth0");
        List<String> podBefore = pod.state();
        List<String> nodeBefore = node.state();
        assertThatThrownBy(() -> wire(pod, spec("a", "10.0.0.11")))
                .isInstanceOf(WiringException.class)
                .hasMessageContaining("already has an interface eth0")
                .hasMessageContaining("shop/a (underlay/id-a/eth0)");
        assertThat(pod.state()).containsExactlyElementsOf(podBefore);
        assertThat(node.state()).containsExactlyElementsOf(nodeBefore);
    }

    @Test
    void old_and_new_sandbox_of_one_pod_stand_side_by_side() throws Exception {
        Netns old = namespace("old");
        Netns young = namespace("new");
        PodSpec first = spec("web-0", "10.0.0.11");
        PodSpec second = spec("web-0", "id-second", false, "10.0.0.12");
        assertThat(wire(old, first).link().name()).isEqualTo(Names.podLink("shop", "web-0"));
        assertThat(wire(young, second).link().name())
                .isEqualTo(Names.hostLink(second.attachment()).getLast());
        assertThat(node.pings("10.0.0.11")).isTrue();
        assertThat(node.pings("10.0.0.12")).isTrue();
    }

    @Test
    void address_that_is_routed_to_another_pod_is_refused_and_the_other_keeps_it()
            throws Exception {
        Netns a = namespace("a");
        Netns b = namespace("b");
        wire(a, spec("a", "10.0.0.11"));
        List<String> before = node.state();
        assertThatThrownBy(() -> wire(b, spec("b", "10.0.0.11")))
                .hasMessageContaining("cannot wire shop/b")
                .hasMessageContaining("add route 10.0.0.11/32")
                .hasMessageContaining("File exists");
        assertThat(node.state()).containsExactlyElementsOf(before);
        assertThat(node.pings("10.0.0.11")).isTrue();
    }

    @Test
    void nothing_is_left_when_any_message_is_refused() throws Exception {
        Netns pod = namespace("a");
        pod.shell("ip link set lo up"); // which stays
        List<String> podBefore = pod.state();
        List<String> nodeBefore = node.state();
        Steps steps = new Steps();
        for (int refused = 0; refused < MESSAGES; refused++) {
            steps.refuse(refused);
            String after = "after message " + refused;
            try {
                WiredPod wired =
                        new PodWiring(node.socket(), steps)
                                .wire(pod.socket(), pod.fd(), Map.of(), dual("a"));
                assertThat(refused).as("a look can be done without").isEqualTo(1);
                wiring.unwire(Optional.of(pod.socket()), wired.link());
                wiring.emptyTrash();
            } catch (WiringException e) {
                assertThat(e).hasMessageContaining("delete link 2147483647");
            }
            assertThat(pod.state()).as(after).containsExactlyElementsOf(podBefore);
            assertThat(node.state()).as(after).containsExactlyElementsOf(nodeBefore);
        }
        steps.refuse(MESSAGES);
        new PodWiring(node.socket(), steps).wire(pod.socket(), pod.fd(), Map.of(), dual("a"));
        assertThat(steps.sent).isEqualTo(MESSAGES);
        assertThat(node.pings("10.0.0.11")).isTrue();
    }

    @Test
    void nothing_is_left_when_any_answer_is_lost_although_the_kernel_did_it() throws Exception {
        Netns pod = namespace("a");
        pod.shell("ip link set lo up"); // which stays
        List<String> podBefore = pod.state();
        List<String> nodeBefore = node.state();
        Steps steps = new Steps();
        PodWiring deaf = new PodWiring(node.socket(), steps);
        for (int lost = 0; lost < MESSAGES; lost++) {
            steps.loseAnswerOf(lost);
            assertThatThrownBy(() -> deaf.wire(pod.socket(), pod.fd(), Map.of(), dual("a")))
                    .isInstanceOfSatisfying(
                            WiringException.class, e -> assertThat(e.linkRemains()).isFalse())
                    .hasMessageContaining("cannot wire shop/a")
                    .hasMessageContaining("lost");
            String after = "after message " + lost;
            assertThat(pod.state()).as(after).containsExactlyElementsOf(podBefore);
            assertThat(node.state()).as(after).containsExactlyElementsOf(nodeBefore);
        }
    }

    @Test
    void link_that_cannot_be_deleted_is_told() throws Exception {
        Netns pod = namespace("a");
        RouteSocket own = node.call(RouteSocket::open);
        PodWiring.Sender breaking =
                (socket, messages) -> {
                    List<RouteSocket.Reply> replies = socket.send(messages);
                    own.close();
                    return replies;
                };
        PodSpec spec = spec("a", "10.0.0.11");
        assertThatThrownBy(() ->
                        new PodWiring(own, breaking).wire(pod.socket(), pod.fd(), Map.of(), spec))
                .isInstanceOfSatisfying(
                        WiringException.class, e -> assertThat(e.linkRemains()).isTrue())
                .hasMessageContaining("nor can its link be deleted");
        assertThat(wiring.list()).hasSize(1);
    }

    @Test
    void wiring_cut_off_after_any_message_is_found_and_taken_down_without_a_rest()
            throws Exception {
        Netns pod = namespace("a");
        List<String> nodeBefore = node.state();
        Steps steps = new Steps();
        for (int sent = 0; sent <= MESSAGES; sent++) {
            steps.cutAfter(sent);
            try {
                new PodWiring(node.socket(), steps)
                        .wire(pod.socket(), pod.fd(), Map.of(), dual("a"));
                assertThat(sent).isEqualTo(MESSAGES);
            } catch (Steps.Cut e) {
                assertThat(sent).isLessThan(MESSAGES);
            }
            for (PodLink link : wiring.list()) {
                wiring.unwire(Optional.of(pod.socket()), link);
                wiring.unwire(Optional.of(pod.socket()), link);
            }
            String after = "after " + sent + " messages";
            assertThat(pod.socket().link("eth0")).as(after).isEmpty();
            assertThat(wiring.list()).as(after).isEmpty();
            assertThat(wiring.emptyTrash()).as(after).isEmpty();
            assertThat(node.state()).as(after).containsExactlyElementsOf(nodeBefore);
            assertThat(pod.socket().links()).as(after).extracting(Link::name).containsExactly("lo");
        }
    }

    @Test
    void pod_taken_down_is_unreachable_at_once_and_its_name_is_free() throws Exception {
        Netns pod = namespace("a");
        Route block =
                Route.unreachable(
                        IpPrefix.parse("10.0.0.0/28"), Marks.TO_POD_TABLE, -1, Marks.PROTOCOL);
        node.socket().run(block.add());
        WiredPod wired = wire(pod, spec("a", "10.0.0.11", "fd00:10::11"));
        assertThat(node.pings("10.0.0.11")).isTrue();

        wiring.unwire(Optional.of(pod.socket()), wired.link());
        assertThat(node.tryExec("ping", "-n", "-c1", "-W2", "10.0.0.11").output())
                .containsIgnoringCase("no route to host");
        assertThat(pod.socket().link("eth0")).isEmpty();
        assertThat(node.shell("ip neigh show nud permanent")).isEmpty();
        WiredPod again = wire(pod, spec("a", "id-again", false, "10.0.0.11", "fd00:10::11"));
        assertThat(node.pings("10.0.0.11")).isTrue();

        // The first link's late second DEL does not touch the second one.
        wiring.unwire(Optional.of(pod.socket()), wired.link());
        assertThat(wiring.emptyTrash()).isEmpty();
        assertThat(node.pings("10.0.0.11")).isTrue();
        assertThat(wiring.list()).containsExactly(again.link());
    }

    @Test
    void pod_whose_namespace_is_gone_is_taken_down() throws Exception {
        Netns pod = Netns.create("gone");
        WiredPod wired = wire(pod, spec("a", "10.0.0.11"));
        String name = wired.link().name();
        pod.close();
        // The kernel takes the pair along a little later.
        long end = System.nanoTime() + 10_000_000_000L;
        wiring.unwire(Optional.empty(), wired.link());
        while (node.socket().link(wired.link().index()).isPresent() && System.nanoTime() < end) {
            Thread.onSpinWait();
        }
        wiring.unwire(Optional.empty(), wired.link());
        assertThat(wiring.emptyTrash()).isEmpty();
        assertThat(node.socket().link(name)).isEmpty();
    }

    @Test
    void link_with_the_index_of_another_is_left_alone() throws Exception {
        Netns pod = namespace("a");
        WiredPod wired = wire(pod, spec("a", "10.0.0.11"));
        PodLink stale =
                new PodLink(
                        wired.link().index(),
                        wired.link().name(),
                        wired.link().mac(),
                        wired.link().peerIndex(),
                        Optional.of(spec("b", "10.0.0.11").attachment()),
                        wired.link().addresses());
        wiring.unwire(Optional.of(pod.socket()), stale);
        assertThat(node.pings("10.0.0.11")).isTrue();
    }

    @Test
    void trash_is_deleted_in_one_go_and_nothing_foreign_with_it() throws Exception {
        List<Netns> pods = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            pods.add(namespace("p" + i));
            WiredPod wired = wire(pods.get(i), spec("p" + i, "10.0.0.2" + i));
            wiring.unwire(Optional.of(pods.get(i).socket()), wired.link());
        }
        node.shell("ip link add foreign0 group 22 type veth peer name foreign1");
        WiredPod kept = wire(pods.getFirst(), spec("kept", "10.0.0.30"));

        assertThat(wiring.emptyTrash()).containsExactly("foreign0");
        assertThat(node.socket().links())
                .extracting(Link::name)
                .containsExactlyInAnyOrder("lo", "foreign0", "foreign1", kept.link().name());
        node.shell("ip link del foreign0");
        wiring.unwire(Optional.of(pods.getFirst().socket()), kept.link());
        assertThat(wiring.emptyTrash()).isEmpty();
        assertThat(node.socket().links()).extracting(Link::name).containsExactly("lo");
        assertThat(wiring.emptyTrash()).isEmpty();
    }

    /**
     * Twenty at once on sockets of their own, as the daemon's workers do, with the trash emptied.
     */
    @Test
    void many_pods_come_and_go_at_the_same_time() throws Exception {
        int count = 20;
        List<Netns> pods = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            pods.add(namespace("m" + i));
        }
        List<String> before = node.state();
        ConcurrentLinkedQueue<RouteSocket> sockets = new ConcurrentLinkedQueue<>();
        try (ExecutorService workers = Executors.newFixedThreadPool(8)) {
            List<Future<Boolean>> done = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                Netns pod = pods.get(i);
                PodSpec spec = spec("m" + i, "10.0.0." + (20 + i), "fd00:10::" + (20 + i));
                done.add(
                        workers.submit(() -> {
                            RouteSocket own = node.call(RouteSocket::open);
                            sockets.add(own);
                            PodWiring mine = new PodWiring(own);
                            for (int round = 0; round < 5; round++) {
                                WiredPod wired = mine.wire(pod.socket(), pod.fd(), Map.of(), spec);
                                mine.check(pod.socket(), wired.link(), spec);
                                mine.unwire(Optional.of(pod.socket()), wired.link());
                                mine.emptyTrash();
                            }
                            return true;
                        }));
            }
            for (Future<Boolean> one : done) {
                assertThat(one.get(60, TimeUnit.SECONDS)).isTrue();
            }
        } finally {
            sockets.forEach(RouteSocket::close);
        }
        assertThat(wiring.emptyTrash()).isEmpty();
        assertThat(node.state()).containsExactlyElementsOf(before);
    }

    @Test
    void pods_are_listed_with_their_attachment_and_addresses_by_a_new_process() throws Exception {
        Netns a = namespace("a");
        Netns b = namespace("b");
        PodLink first = wire(a, spec("a", "10.0.0.11", "fd00:10::11")).link();
        PodLink second = wire(b, spec("b", "10.0.0.12")).link();
        node.shell("ip link add alien group 21 type veth peer name alien1");
        assertThat(new PodWiring(node.socket()).list()).containsExactly(first, second);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "node ip link set dev HOST down | is down",
                "node ip link set dev HOST group 0 | left the pods' link group",
                "node ip link set dev HOST alias x | carries another alias: x",
                "node ip neigh del 10.0.0.11 dev HOST | neighbour entry of 10.0.0.11",
                "node ip -6 neigh del fd00:10::11 dev HOST | neighbour entry of fd00:10::11",
                "node ip route del 10.0.0.11 table 20000 | route 10.0.0.11/32 dev",
                "node ip -6 route del fd00:10::11 table 20000 | route fd00:10::11/128 dev",
                "pod ip link set dev eth0 down | link eth0 is down",
                "pod ip addr del 10.0.0.11/32 dev eth0 | address 10.0.0.11/32 is gone",
                "pod ip -6 addr del fd00:10::11/128 dev eth0 | address fd00:10::11/128 is gone",
                "pod ip route del default | route 0.0.0.0/0 via 169.254.1.1",
                "pod ip -6 route del default | route ::/0 via fe80::1",
                "pod ip neigh del 169.254.1.1 dev eth0 | gateway 169.254.1.1 is gone",
                "pod ip link set dev eth0 address 02:00:00:00:00:99 | gateway 169.254.1.1 is gone",
                "pod ip link del eth0 | is gone",
            })
    void check_names_what_is_broken(String damage) throws Exception {
        Netns pod = namespace("a");
        PodSpec spec = spec("a", "10.0.0.11", "fd00:10::11");
        WiredPod wired = wire(pod, spec);
        wiring.check(pod.socket(), wired.link(), spec);

        int bar = damage.indexOf(" | ");
        boolean onNode = damage.startsWith("node ");
        String command = damage.substring(damage.indexOf(' ') + 1, bar);
        (onNode ? node : pod).shell(command.replace("HOST", wired.link().name()));
        assertThatThrownBy(() -> wiring.check(pod.socket(), wired.link(), spec))
                .isInstanceOf(WiringException.class)
                .hasMessageContaining(damage.substring(bar + 3))
                .hasMessageContaining("shop/a");
    }

    /** The Ethernet address follows from the IPv4 address, also where that is not looked after. */
    @ParameterizedTest
    @ValueSource(strings = {"10.0.0.11", "fd00:10::11"})
    void what_is_missing_for_one_address_is_put_back_alone(String address) throws Exception {
        Netns pod = namespace("a");
        PodSpec spec = spec("a", "10.0.0.11", "fd00:10::11");
        PodLink link = wire(pod, spec).link();
        List<String> before = node.state();
        InetAddress damaged = IpPrefix.literal(address);
        node.shell(
                "ip route del %s table 20000; ip neigh del %s dev %s"
                        .formatted(address, address, link.name()));
        assertThat(wiring.hostEnds())
                .singleElement()
                .satisfies(end -> {
                    assertThat(end.link().addresses()).hasSize(1).doesNotContain(damaged);
                    assertThat(end.reaches(damaged)).isFalse();
                    assertThat(end.reaches(end.link().addresses().getFirst())).isTrue();
                });
        wiring.restore(link, spec("a", address));
        assertThat(node.state()).containsExactlyElementsOf(before);
        wiring.check(pod.socket(), link, spec);
        assertThat(wiring.hostEnds()).singleElement().matches(end -> end.reaches(damaged));
    }

    @Test
    void another_plugin_may_change_the_pods_address_where_it_was_said() throws Exception {
        Netns pod = namespace("a");
        List<String> before = node.state();
        PodSpec spec = spec("a", "id-a", true, "10.0.0.11", "fd00:10::11");
        WiredPod wired = wire(pod, spec);
        pod.shell("ip link set dev eth0 address 02:00:00:00:00:99");
        wiring.check(pod.socket(), wired.link(), spec);
        assertThat(pod.pings("10.0.0.10")).isTrue();
        assertThat(pod.pings("fd00:10::10")).isTrue();
        node.shell("ip neigh flush all; ip -6 neigh flush all");
        assertThat(node.pings("10.0.0.11")).isTrue();
        assertThat(node.pings("fd00:10::11")).isTrue();
        wiring.unwire(Optional.of(pod.socket()), wired.link());
        wiring.emptyTrash();
        assertThat(node.state()).containsExactlyElementsOf(before);
    }

    /** Hands messages over one by one, replaces one by a refused one, or stops in between. */
    private static final class Steps implements PodWiring.Sender {
        static final class Cut extends Error {
            private static final long serialVersionUID = 1L;
        }

        private int refused = -1;
        private int lost = -1;
        private int limit = Integer.MAX_VALUE;
        private int sent;

        void refuse(int message) {
            refused = message;
            sent = 0;
        }

        void loseAnswerOf(int message) {
            lost = message;
            sent = 0;
        }

        void cutAfter(int messages) {
            limit = messages;
            sent = 0;
        }

        @Override
        public List<RouteSocket.Reply> send(RouteSocket socket, List<Message> messages)
                throws IOException {
            List<RouteSocket.Reply> replies = new ArrayList<>();
            for (Message message : messages) {
                if (sent == limit) {
                    throw new Cut();
                }
                int number = sent++;
                boolean spoil = number == refused;
                Message instead = Links.delete(Integer.MAX_VALUE);
                replies.addAll(socket.send(List.of(spoil ? instead : message)));
                if (number == lost) {
                    throw new IOException("the answer was lost");
                }
            }
            return replies;
        }
    }

    private WiredPod wire(Netns pod, PodSpec spec) throws IOException {
        return wiring.wire(pod.socket(), pod.fd(), Map.of(), spec);
    }

    private static PodSpec dual(String name) {
        return spec(name, "10.0.0.11", "fd00:10::11");
    }

    private static PodSpec spec(String name, String... addresses) {
        return spec(name, "id-" + name, false, addresses);
    }

    private static PodSpec spec(
            String name, String containerId, boolean macMayChange, String... addresses) {
        return new PodSpec(
                new Attachment("underlay", containerId, "eth0", 7, "shop", name),
                9001,
                Arrays.stream(addresses).map(IpPrefix::literal).toList(),
                List.of(NODE, NODE6),
                macMayChange);
    }

    private Netns namespace(String label) throws IOException {
        Netns made = Netns.create(label);
        namespaces.add(made);
        return made;
    }
}
