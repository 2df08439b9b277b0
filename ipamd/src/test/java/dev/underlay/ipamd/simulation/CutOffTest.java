package dev.underlay.ipamd.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.pool.NodeIdentity;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The cloud's API cannot be reached for half an hour of simulated time. */
final class CutOffTest {
    private static final int HALF_AN_HOUR = 30 * 60;
    private static final int TICKS_TO_HEAL = 10;

    @TempDir Path folder;

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void pods_start_while_the_pool_lasts_then_wait_and_have_their_addresses_ten_seconds_after_it(
            long seed) {
        Simulation node =
                new Simulation(
                        new Schedule(seed),
                        new NodeIdentity.Limits(3, 10),
                        Simulation.settings(Map.of()),
                        folder);
        node.run(60);
        start(node, 4);
        node.run(60);
        assertThat(node.pods.running()).isEqualTo(4);
        int held = node.cloud.blocks();

        node.cutOff = true;
        start(node, held - 4); // those that the pool has
        node.run(1);
        assertThat(node.pods.running()).isEqualTo(held);
        node.pods.endAll();
        node.run(1);
        assertThat(node.pods.links()).isEmpty();
        node.run(60);
        start(node, 22);
        node.run(HALF_AN_HOUR);
        assertThat(node.pods.running()).isEqualTo(held);
        assertThat(node.cloud.blocks()).isEqualTo(held);

        node.cutOff = false;
        node.run(TICKS_TO_HEAL);
        assertThat(node.pods.running())
                .as(
                        "after %s s, with all that happened:%n%s",
                        TICKS_TO_HEAL, node.schedule.history())
                .isEqualTo(22);
        node.endAllAndComeToRest();
    }

    private static void start(Simulation node, int pods) {
        for (int i = 0; i < pods; i++) {
            node.pods.start(true);
        }
    }

    static LongStream seeds() {
        return LongStream.rangeClosed(1, 20);
    }
}
