package dev.underlay.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.localvpc.LatencyProfile;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Fifty pods at the same moment on one larger node. */
@Tag("kernel")
final class BurstTest {
    private static final String LARGER = "m5.4xlarge"; // 8 interfaces of 30 addresses
    private static final int PODS = 50;

    @Test
    void fifty_adds_at_once_get_fifty_addresses() throws IOException {
        try (OneNode node = OneNode.serving(LARGER, Map.of())) {
            List<CniReply> replies = node.addAll(PODS, node.sandboxes(PODS));

            assertThat(replies).allSatisfy(reply -> assertThat(reply.line()).startsWith("10.0."));
            journalKernelAndCloudAgree(node, addresses(replies));
        }
    }

    @Test
    void hazard_03_with_an_empty_pool_and_a_slow_cloud_they_wait_and_then_succeed()
            throws IOException {
        try (OneNode node = OneNode.boot(LARGER, Map.of())) {
            node.dials().latency(LatencyProfile.SLOW);
            node.startDaemon();
            assertThat(node.free()).isLessThan(PODS);

            List<CniReply> replies = node.addAll(PODS, node.sandboxes(PODS));

            assertThat(replies).allSatisfy(reply -> assertThat(reply.line()).startsWith("10.0."));
            assertThat(replies)
                    .describedAs("some waited for the cloud")
                    .anyMatch(reply -> reply.took().compareTo(Duration.ofSeconds(1)) > 0);
            journalKernelAndCloudAgree(node, addresses(replies));
            assertThat(node.status().path("waiting").asInt()).isZero();
        }
    }

    private static Set<String> addresses(List<CniReply> replies) {
        Set<String> addresses = new TreeSet<>();
        replies.forEach(reply -> addresses.add(reply.address()));
        assertThat(addresses).hasSize(PODS);
        return addresses;
    }

    private static void journalKernelAndCloudAgree(OneNode node, Set<String> addresses)
            throws IOException {
        NodeState state = node.state();
        assertThat(state.leases()).isEqualTo(addresses);
        assertThat(state.podRoutes()).hasSize(PODS);
        for (String address : addresses) {
            assertThat(state.podRoutes()).anyMatch(route -> route.startsWith(address + " dev "));
        }
        assertThat(state.podNeighbours()).isEqualTo(addresses);
        assertThat(state.podLinks()).hasSize(PODS);
        assertThat(node.assigned()).containsAll(addresses);
        assertThat(node.vpc().cloud().findings()).isEmpty();
        assertThat(node.daemon().metrics()).contains("underlay_");
    }
}
