package dev.underlay.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.localvpc.state.Eni;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The pool's targets, seen from EC2: what a node holds while pods come. */
@Tag("kernel")
final class TargetsTest {
    private static final Duration SETTLED = Duration.ofSeconds(30);

    /** An m5.large has 3 interfaces of 10 addresses, 9 of them for pods. */
    private static final int PER_INTERFACE = 9;

    @Test
    void warm_ip_target_keeps_so_many_free_addresses() throws IOException {
        try (OneNode node = OneNode.serving("m5.large", Map.of("WARM_IP_TARGET", "3"))) {
            holds(node, 1, 3);

            assertThat(node.addAll(4, node.sandboxes(4))).allMatch(CniReply::ok);

            holds(node, 1, 7);
            assertThat(node.free()).isEqualTo(3);
        }
    }

    @Test
    void minimum_ip_target_is_a_floor_under_warm_ip_target() throws IOException {
        try (OneNode node =
                OneNode.serving(
                        "m5.large", Map.of("WARM_IP_TARGET", "1", "MINIMUM_IP_TARGET", "6"))) {
            holds(node, 1, 6);

            List<Sandbox> pods = node.sandboxes(6);
            assertThat(node.addAll(4, pods.subList(0, 5))).allMatch(CniReply::ok);
            holds(node, 1, 6);
            assertThat(node.runtime().add(pods.getLast()).ok()).isTrue();
            holds(node, 1, 7);
        }
    }

    @Test
    void warm_eni_target_keeps_a_whole_free_interface() throws IOException {
        try (OneNode node = OneNode.serving("m5.large", Map.of("WARM_ENI_TARGET", "1"))) {
            holds(node, 1, PER_INTERFACE);

            assertThat(node.runtime().add(node.runtime().sandbox("one")).ok()).isTrue();

            holds(node, 2, 2 * PER_INTERFACE);
        }
    }

    /** So many interfaces and addresses for pods, and no more a moment later. */
    private static void holds(OneNode node, int interfaces, int addresses) throws IOException {
        String wanted = interfaces + " interfaces, " + addresses + " addresses";
        assertThat(Await.until(SETTLED, () -> held(node), wanted::equals)).isEqualTo(wanted);
        assertThat(
                        Await.until(
                                Duration.ofSeconds(2),
                                () -> held(node),
                                seen -> !seen.equals(wanted)))
                .describedAs("a moment later")
                .isEqualTo(wanted);
    }

    private static String held(OneNode node) {
        int addresses = 0;
        for (Eni eni : node.interfaces()) {
            addresses += eni.secondaryAddresses().size();
        }
        return node.interfaces().size() + " interfaces, " + addresses + " addresses";
    }
}
