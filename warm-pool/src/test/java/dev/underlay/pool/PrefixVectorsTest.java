package dev.underlay.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What the VPC CNI 1.23.1 does with /28 prefixes for given settings, and where this pool means to
 * differ. The names are those of the vectors' list.
 */
final class PrefixVectorsTest {
    private static final NodeIdentity.Limits T3_SMALL = new NodeIdentity.Limits(3, 4);
    private static final NodeIdentity.Limits M5_LARGE = new NodeIdentity.Limits(3, 10);
    private static final int SIZE = 16;

    /** G28 to G31: prefixes missing and prefixes too many, before any of them must be empty. */
    @ParameterizedTest
    @CsvSource({
        // W, M, total, leased, missing, surplus
        "16, 0, 16, 1, 1, 0", // G28
        "1, 0, 48, 5, 0, 2", // G29
        "7, 20, 0, 0, 2, 0", // G30
        "15, 0, 48, 3, 0, 1", // G31: one too many, where there is one without a pod
    })
    void prefixes_missing_and_too_many(
            int warm, int minimum, int total, int leased, int missing, int surplus) {
        PoolSettings settings =
                prefixes("WARM_IP_TARGET", "" + warm, "MINIMUM_IP_TARGET", "" + minimum);
        int free = total - leased;
        long slots =
                Targets.want(settings, new Counts(leased, 0, free, 0), Demand.NONE, SIZE).slots();
        assertThat(Math.ceilDiv(slots, SIZE)).isEqualTo(missing);
        assertThat(Targets.surplus(settings, free, total, SIZE) / SIZE).isEqualTo(surplus);
    }

    /**
     * G31: the VPC CNI spreads three pods over three prefixes and holds all of them. Here a prefix
     * is filled before the next is begun, and one that has become empty goes.
     */
    @Test
    void pods_are_packed_so_that_prefixes_become_empty() {
        TestNode node = new TestNode(M5_LARGE, prefixes("WARM_IP_TARGET", "15"));
        node.pods(20);
        assertThat(node.shape()).isEqualTo("1 interfaces, 48 addresses, 28 free [3]");
        node.pods(3);
        node.pass(3 * Timing.QUIET_NANOS);
        assertThat(node.shape()).isEqualTo("1 interfaces, 32 addresses, 29 free [2]");
        node.release(0);
        node.pods(3);
        node.pods(2);
        node.pods(1);
        node.pass(3 * Timing.QUIET_NANOS);
        assertThat(node.shape()).isEqualTo("1 interfaces, 16 addresses, 15 free [1]");
    }

    /**
     * G37: two prefixes with eight pods each have 16 free addresses, so that the VPC CNI finds its
     * one warm prefix. Here a warm prefix is one without a pod: the setting says so.
     */
    @Test
    void a_warm_prefix_is_free_as_a_whole() {
        PoolSettings settings = prefixes("WARM_PREFIX_TARGET", "1");
        Counts halves = new Counts(16, 0, 16, 0, 16);
        assertThat(Targets.want(settings, halves, Demand.NONE, SIZE).slots()).isEqualTo(SIZE);
        Counts packed = new Counts(16, 0, 16, 0, 0);
        assertThat(Targets.want(settings, packed, Demand.NONE, SIZE).slots()).isZero();
        // Pods that wait take what is left of prefixes in use first.
        assertThat(
                        Targets.want(settings, new Counts(16, 0, 32, 0, 16), new Demand(16), SIZE)
                                .slots())
                .isZero();
        assertThat(
                        Targets.want(settings, new Counts(16, 0, 32, 0, 16), new Demand(17), SIZE)
                                .slots())
                .isOne();

        Pool pool = Fixtures.pool(Fixtures.eni(0, "10.0.0.0/28", "10.0.0.16/28"));
        for (int i = 0; i < 8; i++) {
            for (String block : List.of("10.0.0.0", "10.0.0.16")) {
                IpAddress address = IpAddress.parse(block).plus(i);
                pool.adopt(new Lease(Fixtures.pod("" + address), address, "eni-0"), Fixtures.T);
            }
        }
        assertThat(pool.counts(Fixtures.T)).isEqualTo(halves);
        assertThat(Planner.plan(pool, settings, Demand.NONE, Fixtures.T, () -> "token").actions())
                .containsExactly(new CloudAction.AssignBlocks("eni-0", BlockKind.PREFIX_28, 1));
    }

    /** G49: and the manifest's WARM_ENI_TARGET beside it does not count. */
    @Test
    void one_warm_prefix() {
        Map<String, String> one = Map.of("WARM_PREFIX_TARGET", "1", "WARM_ENI_TARGET", "1");
        assertThat(shapes(T3_SMALL, one, 0, 5, 16, 17, 58))
                .containsExactly(
                        "1 interfaces, 16 addresses, 16 free [1]",
                        "1 interfaces, 32 addresses, 27 free [2]",
                        "1 interfaces, 32 addresses, 16 free [2]",
                        "1 interfaces, 48 addresses, 31 free [3]",
                        "2 interfaces, 80 addresses, 22 free [3, 2]");
    }

    /** G50 and G51: targets of addresses come before that of prefixes. */
    @Test
    void warm_and_minimum_addresses_in_prefixes() {
        Map<String, String> ones =
                Map.of(
                        "WARM_IP_TARGET", "1",
                        "MINIMUM_IP_TARGET", "1",
                        "WARM_PREFIX_TARGET", "3");
        assertThat(shapes(T3_SMALL, ones, 0, 5, 17, 58))
                .containsExactly(
                        "1 interfaces, 16 addresses, 16 free [1]",
                        "1 interfaces, 16 addresses, 11 free [1]",
                        "1 interfaces, 32 addresses, 15 free [2]",
                        "2 interfaces, 64 addresses, 6 free [3, 1]");
        Map<String, String> more = Map.of("WARM_IP_TARGET", "7", "MINIMUM_IP_TARGET", "20");
        assertThat(shapes(T3_SMALL, more, 0, 5, 17, 58))
                .containsExactly(
                        "1 interfaces, 32 addresses, 32 free [2]",
                        "1 interfaces, 32 addresses, 27 free [2]",
                        "1 interfaces, 32 addresses, 15 free [2]",
                        "2 interfaces, 80 addresses, 22 free [3, 2]");
    }

    /** G52: a prefix that begins below the pods' number may reach beyond it, the next may not. */
    @Test
    void no_prefix_beyond_the_last_pod() {
        TestNode node =
                new TestNode(M5_LARGE, prefixes("WARM_PREFIX_TARGET", "1").withMaxPods(110));
        for (int pods : new int[] {96, 97, 110}) {
            node.pods(pods);
            assertThat(node.shape())
                    .isEqualTo("1 interfaces, 112 addresses, " + (112 - pods) + " free [7]");
        }
    }

    /** G53 and G54, less the two pods of the host's network: what fits at all. */
    @ParameterizedTest
    @CsvSource({"3, 10, 434", "2, 4, 98", "2, 2, 34", "4, 15, 898"})
    void all_slots_hold_prefixes(int interfaces, int addresses, int maxPods) {
        NodeIdentity.Limits limits = new NodeIdentity.Limits(interfaces, addresses);
        TestNode node = new TestNode(limits, prefixes());
        node.pods(maxPods - 2);
        assertThat(node.waiting()).isZero();
        node.pods(maxPods - 1);
        assertThat(node.waiting()).isOne();
        assertThat(node.outlook().text())
                .contains("type allows " + interfaces + " with " + (addresses - 1) + " prefixes");
    }

    /** G57: a type on Xen takes no prefixes; all settings of single addresses hold then. */
    @Test
    void a_type_without_prefixes_gets_single_addresses() {
        NodeIdentity.Limits m4Large = new NodeIdentity.Limits(2, 10, false);
        assertThat(shapes(m4Large, Map.of("WARM_PREFIX_TARGET", "1"), 0, 5))
                .containsExactly(
                        "1 interfaces, 8 addresses, 8 free [8]",
                        "2 interfaces, 13 addresses, 8 free [9, 4]");
        assertThat(shapes(m4Large, Map.of("WARM_ENI_TARGET", "1"), 0))
                .containsExactly("1 interfaces, 9 addresses, 9 free [9]");
    }

    /** With no target set, as beside {@link Targets#DEFAULT_FREE}, in steps of a prefix. */
    @Test
    void no_target() {
        assertThat(shapes(M5_LARGE, Map.of(), 0, 12, 13, 110))
                .containsExactly(
                        "1 interfaces, 16 addresses, 16 free [1]",
                        "1 interfaces, 16 addresses, 4 free [1]",
                        "1 interfaces, 32 addresses, 19 free [2]",
                        "1 interfaces, 128 addresses, 18 free [8]");
        TestNode node = new TestNode(M5_LARGE, prefixes());
        node.pods(110);
        node.pods(10);
        node.pass(3 * Timing.QUIET_NANOS);
        assertThat(node.shape()).isEqualTo("1 interfaces, 32 addresses, 22 free [2]");
    }

    private static PoolSettings prefixes(String... namesAndValues) {
        Map<String, String> environment = new TreeMap<>();
        environment.put("ENABLE_PREFIX_DELEGATION", "true");
        for (int i = 0; i < namesAndValues.length; i += 2) {
            environment.put(namesAndValues[i], namesAndValues[i + 1]);
        }
        return TestNode.settings(environment);
    }

    private static List<String> shapes(
            NodeIdentity.Limits limits, Map<String, String> environment, int... pods) {
        Map<String, String> all = new TreeMap<>(environment);
        all.put("ENABLE_PREFIX_DELEGATION", "true");
        TestNode node = new TestNode(limits, TestNode.settings(all));
        List<String> shapes = new ArrayList<>();
        for (int count : pods) {
            node.pods(count);
            shapes.add(node.shape());
        }
        return shapes;
    }
}
