package dev.underlay.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.localvpc.VpcSpec;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A node whose pods have an address of each family beside one whose pods have IPv6 alone. */
@Tag("kernel")
final class Ipv6PodsTest {
    private static final String NOTHING = "links [], routes [], neighbours [], leases []";

    @Test
    void pods_of_both_kinds_reach_each_other_and_the_outside_by_their_own_addresses()
            throws Exception {
        try (OneNode dual = OneNode.boot("m5.large", DemoMode.DUAL.settings(), VpcSpec::withIpv6)) {
            LabNode alone = dual.vpc().addNode("m5.large", 1, DemoMode.IPV6.settings());
            alone.daemon().start();
            dual.startDaemon();
            alone.daemon().awaitReady();
            List<Sandbox> two = dual.sandboxes(2);
            Sandbox one = alone.runtime().sandbox("alone");
            for (CniReply reply : dual.addAll(2, two)) {
                assertThat(reply.ok()).as(reply.line()).isTrue();
                assertThat(families(reply)).isEqualTo(DemoMode.DUAL.families());
            }
            CniReply added = alone.runtime().add(one);
            assertThat(added.ok()).as(added.line()).isTrue();
            assertThat(families(added)).isEqualTo(DemoMode.IPV6.families());

            overIpv6(dual, alone, two, one);
            overIpv4(dual, two);
            daemonDies(dual, alone, two, one);

            for (Sandbox pod : two) {
                assertThat(dual.runtime().delete(pod).line()).isEqualTo("success");
            }
            assertThat(alone.runtime().delete(one).line()).isEqualTo("success");
            assertThat(dual.withoutPods().podPart()).isEqualTo(NOTHING);
            assertThat(
                            Await.until(
                                            Duration.ofSeconds(10),
                                            () -> NodeState.of(alone),
                                            NodeState::hasNoPods)
                                    .podPart())
                    .isEqualTo(NOTHING);
            assertThat(dual.vpc().cloud().findings()).isEmpty();
        }
    }

    private static List<Family> families(CniReply reply) {
        return reply.addresses().stream().map(Family::of).toList();
    }

    /** All that the demo tries, with these pods. */
    private static void overIpv6(OneNode dual, LabNode alone, List<Sandbox> two, Sandbox one)
            throws IOException {
        List<Pod> pods = new ArrayList<>();
        two.forEach(pod -> pods.add(pod(dual.vpc(), dual.node(), pod)));
        pods.add(pod(dual.vpc(), alone, one));
        DemoChecks checks =
                new DemoChecks(dual.vpc(), dual.run(), Family.IPV6, dual.node(), alone, pods);
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        PrintStream out = new PrintStream(said, true, StandardCharsets.UTF_8);
        Report report = new Report(out);
        new DemoIpv6(dual.vpc(), checks, report, out, dual.node(), alone).run();
        assertThat(report.ok()).as(said.toString(StandardCharsets.UTF_8)).isTrue();
    }

    private static Pod pod(LabVpc vpc, LabNode node, Sandbox sandbox) {
        String address = node.runtime().address(sandbox, Family.IPV6);
        return new Pod(
                node, sandbox, address, Demo.device(vpc.cloud().interfaces(), node, address));
    }

    private static void overIpv4(OneNode dual, List<Sandbox> two) throws Exception {
        Place a = place(dual.node(), two.get(0), Family.IPV4);
        Place internet = dual.vpc().internet();
        Traffic.bothWays(List.of(a, place(dual.node(), two.get(1), Family.IPV4)));
        try (EchoServers _ = EchoServers.in(List.of(internet.namespace()))) {
            Traffic.isSeenAs(a, internet.address(), EchoServer.WHO_PORT, dual.node().address());
        }
    }

    private static void daemonDies(OneNode dual, LabNode alone, List<Sandbox> two, Sandbox one)
            throws Exception {
        Set<String> leases = new TreeSet<>();
        two.forEach(pod -> leases.addAll(dual.runtime().addresses(pod)));
        dual.daemon().kill();
        alone.daemon().kill();
        Traffic.bothWays(
                List.of(
                        place(dual.node(), two.get(0), Family.IPV6),
                        place(alone, one, Family.IPV6)),
                List.of(
                        place(dual.node(), two.get(0), Family.IPV4),
                        place(dual.node(), two.get(1), Family.IPV4)));
        alone.daemon().start();
        dual.startDaemon();
        alone.daemon().awaitReady();
        assertThat(NodeState.leases(dual.status())).isEqualTo(leases).hasSize(4);
        assertThat(NodeState.leases(alone.daemon().status()))
                .containsExactlyElementsOf(alone.runtime().addresses(one));
        assertThat(dual.runtime().check(two.get(0)).line()).isEqualTo("success");
        assertThat(alone.runtime().check(one).line()).isEqualTo("success");
    }

    private static Place place(LabNode node, Sandbox sandbox, Family family) {
        return new Place(
                sandbox.podName(), sandbox.netns(), node.runtime().address(sandbox, family));
    }
}
