package dev.underlay.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The cloud gives no address: the caller learns why, and nothing is left of the attempt. */
@Tag("kernel")
final class NoAddressTest {
    private static final Duration SETTLED = Duration.ofSeconds(20);
    private static final Duration HEALED = Duration.ofSeconds(60);
    private static final Map<String, String> SETTINGS =
            Map.of("WARM_IP_TARGET", "2", "UNDERLAY_ADD_WAIT", "5");

    @Test
    void a_full_subnet_is_named_and_heals() throws IOException {
        try (OneNode node = OneNode.serving("m5.large", SETTINGS)) {
            String subnet = node.vpc().cloud().subnets().getFirst().id();
            lastsUntilNoneIsFree(
                    node,
                    () -> node.dials().exhaust(subnet),
                    () -> node.dials().replenish(subnet),
                    List.of(subnet + " has "));
        }
    }

    @Test
    void a_refused_permission_is_named_and_heals() throws IOException {
        try (OneNode node = OneNode.serving("m5.large", SETTINGS)) {
            String[] actions = {
                "AssignPrivateIpAddresses", "CreateNetworkInterface", "AttachNetworkInterface"
            };
            lastsUntilNoneIsFree(
                    node,
                    () -> node.dials().deny(actions),
                    () -> node.dials().allow(actions),
                    List.of(actions));
        }
    }

    private static void lastsUntilNoneIsFree(
            OneNode node, Runnable breakIt, Runnable heal, List<String> oneIsNamed)
            throws IOException {
        int free = Await.until(SETTLED, node::free, slots -> slots == 2);
        breakIt.run();
        assertThat(node.addAll(1, node.sandboxes(free))).allMatch(CniReply::ok);
        NodeState before = node.state();

        Sandbox pod = node.runtime().sandbox("late");
        CniReply refused = node.runtime().add(pod);
        BadInputTest.isError(refused, 11);
        assertThat(oneIsNamed).anySatisfy(name -> assertThat(refused.line()).contains(name));
        assertThat(refused.line())
                .containsPattern("the cloud is asked again in \\d+ s")
                .contains("underlay status");
        CniReply status = node.runtime().status();
        BadInputTest.isError(status, 50);
        assertThat(oneIsNamed).anySatisfy(name -> assertThat(status.line()).contains(name));
        assertThat(node.state()).isEqualTo(before);

        heal.run();
        assertThat(Await.until(HEALED, () -> node.runtime().add(pod), CniReply::ok).line())
                .startsWith("10.0.");
    }
}
