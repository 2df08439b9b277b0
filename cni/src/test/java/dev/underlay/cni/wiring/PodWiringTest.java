package dev.underlay.cni.wiring;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.cni.netlink.IpPrefix;
import dev.underlay.cni.netlink.Rule;
import dev.underlay.cni.routing.Marks;
import dev.underlay.cni.testing.Netns;
import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Pods wired by our own messages on a node of two addresses without anything else, proven by the
 * kernel's own tools and by packets.
 */
@Tag("kernel")
class PodWiringTest {
    private static final InetAddress NODE = IpPrefix.literal("10.0.0.10");
    private static final InetAddress NODE6 = IpPrefix.literal("fd00:10::10");

    private final List<Netns> namespaces = new ArrayList<>();
    private Netns node;
    private PodWiring wiring;

    @BeforeEach
    void a_node_with_addresses_and_the_to_pod_rule() throws Exception {
        node = namespace("node");
        node.shell(
                "ip link set lo up; ip addr add 10.0.0.10/32 dev lo; ip addr add fd00:10::10/128"
                        + " dev lo; sysctl -qw net.ipv4.ip_forward=1"
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

    private WiredPod wire(Netns pod, PodSpec spec) throws IOException {
        return wiring.wire(pod.socket(), pod.fd(), Map.of(), spec);
    }

    private static PodSpec spec(String name, String... addresses) {
        return new PodSpec(
                new Attachment("underlay", "container-" + name, "eth0", 7, "shop", name),
                9001,
                java.util.Arrays.stream(addresses).map(IpPrefix::literal).toList(),
                List.of(NODE, NODE6),
                false);
    }

    private Netns namespace(String label) throws IOException {
        Netns made = Netns.create(label);
        namespaces.add(made);
        return made;
    }
}
