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
 * What the VPC CNI 1.23.1 does for given settings, and where this pool means to differ: pods are
 * added one by one to a fresh node whose cloud answers at once.
 */
final class TargetVectorsTest {
    private static final NodeIdentity.Limits T3_SMALL = new NodeIdentity.Limits(3, 4);
    private static final NodeIdentity.Limits M5_LARGE = new NodeIdentity.Limits(3, 10);
    private static final NodeIdentity.Limits M5_XLARGE = new NodeIdentity.Limits(4, 15);
    private static final NodeIdentity.Limits P3DN = new NodeIdentity.Limits(15, 50);

    /** G20 to G25 and G27: what is missing and what is too much, by addresses. */
    @ParameterizedTest
    @CsvSource({
        // W, M, total, leased, cooling, missing, surplus
        "5, 0, 0, 0, 0, 5, 0",
        "5, 0, 8, 3, 0, 0, 0",
        "5, 0, 14, 3, 0, 0, 6",
        "2, 10, 0, 0, 0, 10, 0",
        "2, 10, 10, 9, 0, 1, 0",
        "2, 10, 14, 3, 0, 0, 4",
        "2, 0, 18, 16, 2, 2, 0", // the VPC CNI counts the cooling ones and asks for none
    })
    void addresses_missing_and_too_many(
            int warm, int minimum, int total, int leased, int cooling, int missing, int surplus) {
        PoolSettings settings =
                settings("WARM_IP_TARGET", "" + warm, "MINIMUM_IP_TARGET", "" + minimum);
        int free = total - leased - cooling;
        Counts counts = new Counts(leased, cooling, free, 0);
        assertThat(Targets.want(settings, counts, Demand.NONE, 9).slots()).isEqualTo(missing);
        assertThat(Targets.surplus(settings, free, total, 9)).isEqualTo(surplus);
    }

    /** G26: the VPC CNI is stuck at its minimum; here a waiting pod is demand. */
    @Test
    void a_minimum_alone_grows_when_a_pod_waits() {
        PoolSettings settings = settings("MINIMUM_IP_TARGET", "10");
        Counts full = new Counts(10, 0, 0, 0);
        assertThat(Targets.want(settings, full, Demand.NONE, 14).slots()).isZero();
        assertThat(Targets.want(settings, full, new Demand(1), 14).slots()).isOne();

        TestNode node = new TestNode(M5_XLARGE, settings);
        node.pods(10);
        assertThat(node.shape()).isEqualTo("1 interfaces, 10 addresses, 0 free [10]");
        node.pods(11);
        assertThat(node.shape()).isEqualTo("1 interfaces, 11 addresses, 0 free [11]");
    }

    /** G33 to G36 on an m5.large. */
    @ParameterizedTest
    @CsvSource({
        // WARM_ENI_TARGET, total, leased, max pods, low?
        "1, 9, 0, 29, false",
        "1, 9, 1, 29, true",
        "1, 27, 20, 29, true",
        "1, 27, 27, 27, false",
        "0, 9, 9, 29, true",
        "0, 9, 8, 29, false",
    })
    void whole_interfaces_missing(int target, int total, int leased, int maxPods, boolean low) {
        PoolSettings settings = settings("WARM_ENI_TARGET", "" + target).withMaxPods(maxPods);
        Counts counts = new Counts(leased, 0, total - leased, 0);
        assertThat(Targets.want(settings, counts, Demand.NONE, 9).slots() > 0).isEqualTo(low);
    }

    /** G39 and G44: the VPC CNI's own default, asked for by name. */
    @Test
    void one_warm_interface() {
        Map<String, String> one = Map.of("WARM_ENI_TARGET", "1");
        assertThat(shapes(M5_LARGE, one, 0, 1, 9, 10, 27))
                .containsExactly(
                        "1 interfaces, 9 addresses, 9 free [9]",
                        "2 interfaces, 18 addresses, 17 free [9, 9]",
                        "2 interfaces, 18 addresses, 9 free [9, 9]",
                        "3 interfaces, 27 addresses, 17 free [9, 9, 9]",
                        "3 interfaces, 27 addresses, 0 free [9, 9, 9]");
        assertThat(shapes(P3DN, one, 0, 3, 95))
                .containsExactly(
                        "1 interfaces, 49 addresses, 49 free [49]",
                        "2 interfaces, 98 addresses, 95 free [49, 49]",
                        "3 interfaces, 147 addresses, 52 free [49, 49, 49]");
    }

    /** G40: the VPC CNI refuses the 28th pod; here it waits and hears why. */
    @Test
    void the_pod_beyond_the_last_address_waits() {
        TestNode node = new TestNode(M5_LARGE, settings("WARM_ENI_TARGET", "1"));
        node.pods(28);
        assertThat(node.waiting()).isOne();
        assertThat(node.outlook())
                .isInstanceOfSatisfying(
                        Outlook.Stuck.class,
                        stuck -> {
                            assertThat(stuck.obstacle())
                                    .isEqualTo(Outlook.Obstacle.INTERFACE_LIMIT);
                            assertThat(stuck.message()).contains("type allows 3 with 9");
                        });
        node.release(0);
        assertThat(node.waiting()).isOne();
        node.pass(Timing.SETTLE_NANOS);
        assertThat(node.waiting()).isZero();
        assertThat(node.counts().leased()).isEqualTo(27);
    }

    /** G41 to G43 and G45. */
    @Test
    void warm_and_minimum_addresses() {
        assertThat(shapes(M5_XLARGE, Map.of("WARM_IP_TARGET", "5"), 0, 3, 9, 10, 20, 56))
                .containsExactly(
                        "1 interfaces, 5 addresses, 5 free [5]",
                        "1 interfaces, 8 addresses, 5 free [8]",
                        "1 interfaces, 14 addresses, 5 free [14]",
                        "2 interfaces, 15 addresses, 5 free [14, 1]",
                        "2 interfaces, 25 addresses, 5 free [14, 11]",
                        "4 interfaces, 56 addresses, 0 free [14, 14, 14, 14]");
        assertThat(shapes(T3_SMALL, warmAndMinimum(1, 1), 0, 5, 9))
                .containsExactly(
                        "1 interfaces, 1 addresses, 1 free [1]",
                        "2 interfaces, 6 addresses, 1 free [3, 3]",
                        "3 interfaces, 9 addresses, 0 free [3, 3, 3]");
        assertThat(shapes(T3_SMALL, warmAndMinimum(2, 5), 0, 5, 9))
                .containsExactly(
                        "2 interfaces, 5 addresses, 5 free [3, 2]",
                        "3 interfaces, 7 addresses, 2 free [3, 3, 1]",
                        "3 interfaces, 9 addresses, 0 free [3, 3, 3]");
        assertThat(shapes(P3DN, warmAndMinimum(5, 10), 0, 7, 15, 45))
                .containsExactly(
                        "1 interfaces, 10 addresses, 10 free [10]",
                        "1 interfaces, 12 addresses, 5 free [12]",
                        "1 interfaces, 20 addresses, 5 free [20]",
                        "2 interfaces, 50 addresses, 5 free [49, 1]");
    }

    /** G46: growth stops at the pods; an interface that began below them is filled. */
    @Test
    void no_interface_beyond_the_last_pod() {
        PoolSettings twenty = settings("WARM_ENI_TARGET", "1").withMaxPods(20);
        TestNode node = new TestNode(M5_XLARGE, twenty);
        assertThat(node.shape()).isEqualTo("1 interfaces, 14 addresses, 14 free [14]");
        node.pods(1);
        assertThat(node.shape()).isEqualTo("2 interfaces, 28 addresses, 27 free [14, 14]");
        node.pods(20);
        assertThat(node.shape()).isEqualTo("2 interfaces, 28 addresses, 8 free [14, 14]");
    }

    /** Where addresses come one by one, none is beyond the pods; the VPC CNI overshoots by W. */
    @Test
    void hazard_01_never_more_addresses_than_pods() {
        TestNode node = new TestNode(M5_XLARGE, settings("WARM_IP_TARGET", "5").withMaxPods(20));
        node.pods(17);
        assertThat(node.shape()).isEqualTo("2 interfaces, 20 addresses, 3 free [14, 6]");
        node.pods(21);
        assertThat(node.shape()).isEqualTo("2 interfaces, 20 addresses, 0 free [14, 6]");
        assertThat(node.waiting()).isOne();
        assertThat(node.outlook())
                .isInstanceOfSatisfying(
                        Outlook.Stuck.class,
                        stuck ->
                                assertThat(stuck.obstacle()).isEqualTo(Outlook.Obstacle.POD_LIMIT));
    }

    /** G47: the primary interface has no pods; G53: so two fewer fit than the kubelet's 20. */
    @Test
    void custom_networking_loses_an_interface() {
        Map<String, String> custom =
                Map.of("WARM_ENI_TARGET", "1", "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "true");
        assertThat(shapes(M5_XLARGE, custom, 0, 1, 42))
                .containsExactly(
                        "2 interfaces, 14 addresses, 14 free [0, 14]",
                        "3 interfaces, 28 addresses, 27 free [0, 14, 14]",
                        "4 interfaces, 42 addresses, 0 free [0, 14, 14, 14]");
        TestNode node = new TestNode(M5_LARGE, TestNode.settings(custom));
        node.pods(18);
        assertThat(node.outlook()).isInstanceOf(Outlook.Stuck.class);
        assertThat(node.waiting()).isZero();
        node.pods(0);
        node.pass(3 * Timing.QUIET_NANOS);
        assertThat(node.shape()).isEqualTo("2 interfaces, 9 addresses, 9 free [0, 9]");
    }

    /** G48. */
    @Test
    void a_limit_of_interfaces() {
        Map<String, String> two = Map.of("WARM_ENI_TARGET", "1", "MAX_ENI", "2");
        assertThat(shapes(M5_XLARGE, two, 28))
                .containsExactly("2 interfaces, 28 addresses, 0 free [14, 14]");
        for (String unlimited : List.of("0", "-1", "20")) {
            Map<String, String> more = Map.of("WARM_ENI_TARGET", "1", "MAX_ENI", unlimited);
            assertThat(shapes(M5_XLARGE, more, 43))
                    .containsExactly("4 interfaces, 56 addresses, 13 free [14, 14, 14, 14]");
        }
    }

    /** G38: interfaces go while a full one stays free without them. */
    @Test
    void empty_interfaces_go_until_one_is_warm() {
        PoolSettings one = settings("WARM_ENI_TARGET", "1");
        TestNode node = new TestNode(M5_LARGE, one);
        node.pods(10);
        assertThat(node.shape()).isEqualTo("3 interfaces, 27 addresses, 17 free [9, 9, 9]");
        node.pods(0);
        node.pass(Timing.QUIET_NANOS - 1);
        assertThat(node.shape()).isEqualTo("3 interfaces, 27 addresses, 27 free [9, 9, 9]");
        node.pass(2 * Timing.QUIET_NANOS);
        assertThat(node.shape()).isEqualTo("1 interfaces, 9 addresses, 9 free [9]");

        node = new TestNode(M5_LARGE, one);
        node.pods(10);
        node.pods(1);
        node.pass(3 * Timing.QUIET_NANOS);
        assertThat(node.shape()).isEqualTo("2 interfaces, 18 addresses, 17 free [9, 9]");
    }

    /** The worked example beside {@link Targets#DEFAULT_FREE}. */
    @Test
    void no_target() {
        assertThat(shapes(M5_LARGE, Map.of(), 0, 4, 5, 10, 24))
                .containsExactly(
                        "1 interfaces, 8 addresses, 8 free [8]",
                        "1 interfaces, 8 addresses, 4 free [8]",
                        "2 interfaces, 13 addresses, 8 free [9, 4]",
                        "2 interfaces, 18 addresses, 8 free [9, 9]",
                        "3 interfaces, 27 addresses, 3 free [9, 9, 9]");
    }

    /** The same on the way down: whole interfaces where they fit, single addresses besides. */
    @Test
    void hazard_01_no_target_keeps_eight_free_when_pods_go() {
        TestNode node = new TestNode(M5_LARGE, TestNode.settings(Map.of()));
        node.pods(24);
        node.pods(10);
        node.pass(Timing.QUIET_NANOS - 1);
        assertThat(node.shape()).isEqualTo("3 interfaces, 27 addresses, 17 free [9, 9, 9]");
        node.pass(2 * Timing.QUIET_NANOS);
        assertThat(node.shape()).isEqualTo("2 interfaces, 18 addresses, 8 free [9, 9]");
        node.pods(5);
        node.pass(3 * Timing.QUIET_NANOS);
        assertThat(node.shape()).isEqualTo("2 interfaces, 13 addresses, 8 free [9, 4]");
        node.pods(0);
        node.pass(3 * Timing.QUIET_NANOS);
        assertThat(node.shape()).isEqualTo("1 interfaces, 8 addresses, 8 free [8]");
    }

    private static Map<String, String> warmAndMinimum(int warm, int minimum) {
        return Map.of("WARM_IP_TARGET", "" + warm, "MINIMUM_IP_TARGET", "" + minimum);
    }

    private static PoolSettings settings(String... namesAndValues) {
        Map<String, String> environment = new TreeMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            environment.put(namesAndValues[i], namesAndValues[i + 1]);
        }
        return TestNode.settings(environment);
    }

    private static List<String> shapes(
            NodeIdentity.Limits limits, Map<String, String> environment, int... pods) {
        TestNode node = new TestNode(limits, TestNode.settings(environment));
        List<String> shapes = new ArrayList<>();
        for (int count : pods) {
            node.pods(count);
            shapes.add(node.shape());
        }
        return shapes;
    }
}
