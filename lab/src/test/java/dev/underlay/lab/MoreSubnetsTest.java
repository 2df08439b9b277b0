package dev.underlay.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.localvpc.VpcSpec.SubnetSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The node's subnet is full and another one of its zone is tagged for pods. */
@Tag("kernel")
final class MoreSubnetsTest {
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final List<SubnetSpec> SUBNETS =
            List.of(
                    new SubnetSpec("10.0.0.0/24", "us-east-1a"),
                    new SubnetSpec("10.0.1.0/24", "us-east-1b"),
                    new SubnetSpec("10.0.2.0/24", "us-east-1a"));

    @Test
    void pods_get_addresses_of_it_and_packets_find_them() throws Exception {
        try (OneNode node =
                OneNode.boot(
                        "m5.large",
                        Map.of("WARM_IP_TARGET", "2"),
                        spec -> spec.withSubnets(SUBNETS))) {
            String home = node.vpc().cloud().subnets().get(0).id();
            String more = node.vpc().cloud().subnets().get(2).id();
            node.vpc().cloud().console().tag(more, Map.of("kubernetes.io/role/cni", "1"));
            node.startDaemon();
            Await.until(SOON, node::free, free -> free == 2);
            node.dials().exhaust(home);

            List<Place> pods = new ArrayList<>();
            for (Sandbox sandbox : node.sandboxes(5)) {
                CniReply reply = node.runtime().add(sandbox);
                assertThat(reply.ok()).as(reply.line()).isTrue();
                pods.add(node.place(sandbox, reply));
            }
            assertThat(pods).extracting(Place::address).anyMatch(it -> it.startsWith("10.0.0."));
            Place at = pods.getLast();
            assertThat(at.address()).startsWith("10.0.2.");

            Place other = node.vpc().addNode("m5.large", 1, Map.of()).place();
            Traffic.answers(other, at);
            Traffic.answers(at, other);
            Traffic.answers(pods.getFirst(), at);
            Traffic.answers(at, node.vpc().internet());
        }
    }
}
