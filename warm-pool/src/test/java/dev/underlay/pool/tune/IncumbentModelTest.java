package dev.underlay.pool.tune;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.pool.NodeIdentity;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The model against vectors computed from the source of the VPC CNI 1.23.1 and checked against its
 * documents {@code docs/eni-and-ip-target.md} and {@code docs/prefix-and-ip-target.md}; "G" is a
 * vector's number. Pods are added one by one to a fresh node whose cloud answers at once.
 */
final class IncumbentModelTest {
    private static final NodeIdentity.Limits T3_SMALL = new NodeIdentity.Limits(3, 4);
    private static final NodeIdentity.Limits M5_LARGE = new NodeIdentity.Limits(3, 10);
    private static final NodeIdentity.Limits M5_XLARGE = new NodeIdentity.Limits(4, 15);
    private static final NodeIdentity.Limits P3DN = new NodeIdentity.Limits(15, 50);
    private static final int MANY_PODS = 1000;

    /** A node on which time passes only when a test says so. */
    private static class Node {
        final IncumbentModel model;
        long now = 1_000 * Timeline.SECOND;
        int pods;

        Node(NodeIdentity.Limits limits, IncumbentModel.Settings settings) {
            model = new IncumbentModel(limits, settings);
            grow();
        }

        /** Rounds until nothing is low; each does one thing. */
        void grow() {
            while (model.low() && model.growth().isPresent()) {
                switch (model.growth().get()) {
                    case IncumbentModel.Growth.Assign(var eni, var count) ->
                            model.assigned(eni, count);
                    case IncumbentModel.Growth.NewEni(var count) -> model.attached(count, now);
                }
            }
        }

        boolean add() {
            boolean served = model.add(pods, now, () -> 0);
            pods += served ? 1 : 0;
            grow();
            return served;
        }

        void pods(int count) {
            while (pods < count) {
                assertThat(add()).as("pod %d", pods + 1).isTrue();
            }
            while (pods > count) {
                model.del(--pods, now);
            }
        }

        /** Rounds until no interface is freed. */
        void free() {
            while (model.free(now).isPresent()) {}
        }

        String shape() {
            return "%d, %d, %d %s"
                    .formatted(model.enis(), model.total(), model.available(), model.perEni());
        }
    }

    private static IncumbentModel.Settings eniMode(int target, int maxEni, int maxPods) {
        return new IncumbentModel.Settings(target, 0, 0, false, 0, maxEni, false, maxPods);
    }

    private static IncumbentModel.Settings addressMode(int warm, int minimum) {
        return new IncumbentModel.Settings(1, warm, minimum, false, 0, 0, false, MANY_PODS);
    }

    private static IncumbentModel.Settings prefixMode(int warm, int minimum, int warmPrefix) {
        return new IncumbentModel.Settings(1, warm, minimum, true, warmPrefix, 0, false, MANY_PODS);
    }

    private static IncumbentModel.Settings read(
            NodeIdentity.Limits limits, String... namesAndValues) {
        Map<String, String> environment = new TreeMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            environment.put(namesAndValues[i], namesAndValues[i + 1]);
        }
        return IncumbentModel.Settings.of(limits, environment);
    }

    private static List<String> shapes(
            NodeIdentity.Limits limits, IncumbentModel.Settings settings, int... pods) {
        Node node = new Node(limits, settings);
        List<String> shapes = new ArrayList<>();
        for (int count : pods) {
            node.pods(count);
            shapes.add(node.shape());
        }
        return shapes;
    }

    /** G20 to G27: missing and over, with cooling addresses counted as available. */
    @ParameterizedTest
    @CsvSource({
        // W, M, total, assigned, cooling, missing, over
        "5, 0, 0, 0, 0, 5, 0",
        "5, 0, 8, 3, 0, 0, 0",
        "5, 0, 14, 3, 0, 0, 6",
        "2, 10, 0, 0, 0, 10, 0",
        "2, 10, 10, 9, 0, 1, 0",
        "2, 10, 14, 3, 0, 0, 4",
        "0, 10, 10, 10, 0, 0, 0",
        "2, 0, 18, 16, 2, 0, 0",
    })
    void addresses_missing_and_over(
            int warm, int minimum, int total, int assigned, int cooling, int missing, int over) {
        Node node = filled(P3DN, addressMode(warm, minimum), total, assigned + cooling);
        for (int i = 0; i < cooling; i++) {
            node.model.del(i, node.now);
        }
        assertThat(node.model.missing()).isEqualTo(missing);
        assertThat(node.model.over()).isEqualTo(over);
        assertThat(node.model.low()).isEqualTo(missing > 0);
    }

    /** G27 in consequence: what cools is counted and cannot be had. */
    @Test
    void an_add_fails_while_all_that_is_available_cools() {
        Node node = filled(P3DN, addressMode(2, 0), 18, 18);
        node.model.del(0, node.now);
        node.model.del(1, node.now);
        assertThat(node.model.available()).isEqualTo(2);
        assertThat(node.model.add(100, node.now, () -> 0)).isFalse();
        node.now += IncumbentModel.COOLDOWN_NANOS;
        assertThat(node.model.add(100, node.now, () -> 0)).as("G60, 30.000 s").isFalse();
        node.now += Timeline.MILLISECOND;
        assertThat(node.model.add(100, node.now, () -> 0)).as("G60, 30.001 s").isTrue();
    }

    /** G32: an interface of another network card has targets of its own, one and one. */
    @Test
    void one_address_on_another_card() {
        assertThat(filled(P3DN, addressMode(1, 1), 0, 0).model.missing()).isOne();
    }

    /** G28 to G31: prefixes missing and over. */
    @ParameterizedTest
    @CsvSource({
        // W, M, prefixes, assigned, missing, over
        "16, 0, 1, 1, 1, 0",
        "1, 0, 3, 5, 0, 2",
        "7, 20, 0, 0, 2, 0",
        "15, 0, 3, 3, 0, 0", // each of the three pods in another prefix
    })
    void prefixes_missing_and_over(
            int warm, int minimum, int prefixes, int assigned, int missing, int over) {
        Node node = filled(M5_LARGE, prefixMode(warm, minimum, 0), prefixes, 0);
        for (int pod = 0; pod < assigned; pod++) {
            double choice = assigned == prefixes ? (double) pod / prefixes : 0;
            Iterator<Double> draws = List.of(0.0, choice).iterator();
            assertThat(node.model.add(pod, node.now, draws::next)).isTrue();
        }
        assertThat(Math.ceilDiv(node.model.missing(), IncumbentModel.PREFIX)).isEqualTo(missing);
        assertThat(node.model.over()).isEqualTo(over);
    }

    /** G37: half-full prefixes count as a warm one. */
    @Test
    void sixteen_addresses_in_two_prefixes_are_a_warm_prefix() {
        Node node = filled(M5_LARGE, prefixMode(0, 0, 1), 2, 0);
        for (int pod = 0; pod < 16; pod++) {
            Iterator<Double> draws = List.of(0.0, pod % 2 * 0.5).iterator();
            assertThat(node.model.add(pod, node.now, draws::next)).isTrue();
        }
        assertThat(node.model.available()).isEqualTo(16);
        assertThat(node.model.low()).isFalse();
        node.model.add(16, node.now, () -> 0);
        assertThat(node.model.low()).isTrue();
    }

    /** G33 to G36. */
    @ParameterizedTest
    @CsvSource({
        // WARM_ENI_TARGET, total, assigned, max pods, low
        "1, 9, 0, 29, false",
        "1, 9, 1, 29, true",
        "1, 27, 20, 29, true",
        "1, 27, 20, 27, false",
        "0, 9, 9, 29, true",
        "0, 9, 8, 29, false",
    })
    void interfaces_missing(int target, int total, int assigned, int maxPods, boolean low) {
        Node node = filled(M5_LARGE, eniMode(target, 0, maxPods), total, assigned);
        assertThat(node.model.low()).isEqualTo(low);
        assertThat(node.model.growth().isPresent())
                .as("an interface can still be had")
                .isEqualTo(total < 27);
    }

    /** G38: interfaces go while two full ones are available, each old enough and not cooling. */
    @Test
    void empty_interfaces_go_until_one_is_warm() {
        Node node = new Node(M5_LARGE, eniMode(1, 0, 29));
        node.pods(10);
        node.pods(0);
        assertThat(node.shape()).isEqualTo("3, 27, 27 [9, 9, 9]");
        node.free();
        assertThat(node.model.enis()).as("cooling and young").isEqualTo(3);
        node.now += IncumbentModel.LEAST_LIFE_NANOS;
        node.free();
        assertThat(node.model.enis()).as("60 s old and not older").isEqualTo(3);
        node.now++;
        node.free();
        assertThat(node.shape()).isEqualTo("1, 9, 9 [9]");

        node = new Node(M5_LARGE, eniMode(1, 0, 29));
        node.pods(10);
        node.pods(1); // the choice of 0 puts the first nine on the primary interface
        node.now += 2 * IncumbentModel.LEAST_LIFE_NANOS;
        node.free();
        assertThat(node.shape()).isEqualTo("2, 18, 17 [9, 9]");
    }

    /** An old interface whose pod ended just now stays for the cooldown. */
    @Test
    void an_interface_with_a_cooling_address_stays() {
        Node node = new Node(M5_LARGE, eniMode(1, 0, 29));
        node.pods(10);
        node.now += 2 * IncumbentModel.LEAST_LIFE_NANOS;
        node.pods(0);
        node.free();
        assertThat(node.shape()).as("the third never had a pod").isEqualTo("2, 18, 18 [9, 9]");
        node.now += IncumbentModel.COOLDOWN_NANOS + 1;
        node.free();
        assertThat(node.shape()).isEqualTo("1, 9, 9 [9]");
    }

    /** G39 and G44; G40: the 28th pod is refused. */
    @Test
    void one_warm_interface() {
        assertThat(shapes(M5_LARGE, eniMode(1, 0, 29), 0, 1, 9, 10, 27))
                .containsExactly(
                        "1, 9, 9 [9]",
                        "2, 18, 17 [9, 9]",
                        "2, 18, 9 [9, 9]",
                        "3, 27, 17 [9, 9, 9]",
                        "3, 27, 0 [9, 9, 9]");
        Node full = new Node(M5_LARGE, IncumbentModel.Settings.defaults(M5_LARGE));
        full.pods(27);
        assertThat(full.add()).isFalse();
        assertThat(shapes(P3DN, eniMode(1, 0, MANY_PODS), 0, 3, 95))
                .containsExactly("1, 49, 49 [49]", "2, 98, 95 [49, 49]", "3, 147, 52 [49, 49, 49]");
    }

    /** G41 to G43 and G45. */
    @Test
    void warm_and_minimum_addresses() {
        assertThat(shapes(M5_XLARGE, addressMode(5, 0), 0, 3, 9, 10, 20, 56))
                .containsExactly(
                        "1, 5, 5 [5]",
                        "1, 8, 5 [8]",
                        "1, 14, 5 [14]",
                        "2, 15, 5 [14, 1]",
                        "2, 25, 5 [14, 11]",
                        "4, 56, 0 [14, 14, 14, 14]");
        assertThat(shapes(T3_SMALL, addressMode(1, 1), 0, 5, 9))
                .containsExactly("1, 1, 1 [1]", "2, 6, 1 [3, 3]", "3, 9, 0 [3, 3, 3]");
        assertThat(shapes(T3_SMALL, addressMode(2, 5), 0, 5, 9))
                .containsExactly("2, 5, 5 [3, 2]", "3, 7, 2 [3, 3, 1]", "3, 9, 0 [3, 3, 3]");
        assertThat(shapes(P3DN, addressMode(5, 10), 0, 7, 15, 45))
                .containsExactly(
                        "1, 10, 10 [10]", "1, 12, 5 [12]", "1, 20, 5 [20]", "2, 50, 5 [49, 1]");
    }

    /** G46. */
    @Test
    void growth_stops_at_the_pods_that_may_run() {
        assertThat(shapes(M5_XLARGE, eniMode(1, 0, 20), 0, 1, 20))
                .containsExactly("1, 14, 14 [14]", "2, 28, 27 [14, 14]", "2, 28, 8 [14, 14]");
    }

    /** G47: the primary interface has no pods. */
    @Test
    void custom_networking_loses_an_interface() {
        IncumbentModel.Settings custom = read(M5_XLARGE, "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "1");
        assertThat(shapes(M5_XLARGE, custom, 0, 1, 42))
                .containsExactly(
                        "2, 14, 14 [0, 14]", "3, 28, 27 [0, 14, 14]", "4, 42, 0 [0, 14, 14, 14]");
    }

    /** G49. */
    @Test
    void one_warm_prefix() {
        assertThat(shapes(T3_SMALL, prefixMode(0, 0, 1), 0, 5, 16, 17, 58))
                .containsExactly(
                        "1, 16, 16 [1]",
                        "1, 32, 27 [2]",
                        "1, 32, 16 [2]",
                        "1, 48, 31 [3]",
                        "2, 80, 22 [3, 2]");
    }

    /** G50 and G51. */
    @Test
    void warm_and_minimum_addresses_in_prefixes() {
        assertThat(shapes(T3_SMALL, prefixMode(1, 1, 0), 0, 5, 17, 58))
                .containsExactly(
                        "1, 16, 16 [1]", "1, 16, 11 [1]", "1, 32, 15 [2]", "2, 64, 6 [3, 1]");
        assertThat(shapes(T3_SMALL, prefixMode(7, 20, 0), 0, 5, 17, 58))
                .containsExactly(
                        "1, 32, 32 [2]", "1, 32, 27 [2]", "1, 32, 15 [2]", "2, 80, 22 [3, 2]");
    }

    /** G52. */
    @Test
    void prefixes_stop_at_the_pods_that_may_run() {
        assertThat(shapes(M5_LARGE, prefixMode(0, 0, 1).withMaxPods(110), 96, 97, 110))
                .containsExactly("1, 112, 16 [7]", "1, 112, 15 [7]", "1, 112, 2 [7]");
    }

    /** G53 and G54; the 110 or 250 that EKS recommends at most is the kubelet's setting. */
    @Test
    void pods_by_type() {
        NodeIdentity.Limits m524xlarge = new NodeIdentity.Limits(15, 50);
        NodeIdentity.Limits t3nano = new NodeIdentity.Limits(2, 2);
        NodeIdentity.Limits m7gMedium = new NodeIdentity.Limits(2, 4);
        String[] custom = {"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "true"};
        String[] prefixes = {"ENABLE_PREFIX_DELEGATION", "true"};
        assertThat(read(M5_LARGE).maxPods()).isEqualTo(29);
        assertThat(read(M5_LARGE, custom).maxPods()).isEqualTo(20);
        assertThat(read(M5_LARGE, prefixes).maxPods()).isEqualTo(434);
        assertThat(read(m524xlarge).maxPods()).isEqualTo(737);
        assertThat(read(t3nano).maxPods()).isEqualTo(4);
        assertThat(read(m7gMedium, prefixes).maxPods()).isEqualTo(98);
    }

    /** G55 and G56: what is wrong is the default, without a word. */
    @ParameterizedTest
    @CsvSource({
        "WARM_ENI_TARGET, -1, 1, 0", "WARM_ENI_TARGET, abc, 1, 0",
        "WARM_ENI_TARGET, 0, 0, 0", "WARM_ENI_TARGET, '', 1, 0",
        "WARM_IP_TARGET, -1, 1, 0", "WARM_IP_TARGET, abc, 1, 0",
        "WARM_IP_TARGET, 0, 1, 0", "WARM_IP_TARGET, 3, 1, 3",
    })
    void values_that_are_wrong(String name, String value, int warmEni, int warmIp) {
        IncumbentModel.Settings settings = read(M5_LARGE, name, value);
        assertThat(settings.warmEni()).isEqualTo(warmEni);
        assertThat(settings.warmIp()).isEqualTo(warmIp);
    }

    /** G57, for prefixes on a type that takes none. */
    @Test
    void single_addresses_on_a_type_without_prefixes() {
        NodeIdentity.Limits m4Large = new NodeIdentity.Limits(2, 10, false);
        assertThat(read(m4Large, "ENABLE_PREFIX_DELEGATION", "true").prefixes()).isFalse();
    }

    /** G59: used before and cooled comes first. */
    @Test
    void the_next_address_of_a_prefix() {
        Node node = filled(M5_LARGE, prefixMode(0, 0, 1), 1, 0);
        node.pods(2);
        assertThat(node.model.indexOf(0)).hasValue(0);
        node.model.del(1, node.now);
        assertThat(node.model.add(2, node.now, () -> 0)).isTrue();
        assertThat(node.model.indexOf(2)).as(".17 cools").hasValue(2);
        node.now += IncumbentModel.COOLDOWN_NANOS + 1;
        assertThat(node.model.add(3, node.now, () -> 0)).isTrue();
        assertThat(node.model.indexOf(3)).as(".17 has cooled").hasValue(1);
    }

    /** G64 and G65. */
    @Test
    void a_second_add_gets_the_same_and_a_del_of_nobody_is_fine() {
        Node node = filled(M5_LARGE, eniMode(1, 0, 29), 9, 1);
        assertThat(node.model.add(0, node.now, () -> 0)).isTrue();
        assertThat(node.model.available()).isEqualTo(8);
        node.model.del(77, node.now);
        assertThat(node.model.available()).isEqualTo(8);
    }

    /** G48. */
    @Test
    void a_limit_of_interfaces() {
        assertThat(shapes(M5_XLARGE, eniMode(1, 2, MANY_PODS), 28))
                .containsExactly("2, 28, 0 [14, 14]");
        for (int unlimited : new int[] {0, 20}) {
            Node node = new Node(M5_XLARGE, eniMode(1, unlimited, MANY_PODS));
            node.pods(43);
            assertThat(node.model.enis()).isEqualTo(4);
        }
    }

    /** With an address target single addresses go, even of the primary interface. */
    @Test
    void addresses_beyond_the_target_are_taken_back() {
        Node node = filled(M5_XLARGE, addressMode(5, 0), 14, 3);
        assertThat(node.model.shrink()).containsExactly(6);
        assertThat(node.shape()).isEqualTo("1, 8, 5 [8]");
        assertThat(new Node(M5_LARGE, eniMode(1, 0, 29)).model.shrink()).isEmpty();
    }

    /** Cooling ones go too, and a prefix that has a pod stays. */
    @Test
    void prefixes_beyond_the_target_are_taken_back() {
        Node node = filled(M5_LARGE, prefixMode(0, 0, 1), 5, 17);
        node.pods(1);
        assertThat(node.shape()).isEqualTo("1, 80, 79 [5]");
        assertThat(node.model.shrink()).containsExactly(48);
        assertThat(node.shape()).isEqualTo("1, 32, 31 [2]");
    }

    /** A node with so many blocks, whatever it would have asked for itself. */
    private static Node filled(
            NodeIdentity.Limits limits, IncumbentModel.Settings settings, int blocks, int pods) {
        Node node =
                new Node(limits, settings) {
                    @Override
                    void grow() {}
                };
        int perEni = limits.addressesPerInterface() - 1;
        node.model.assigned(0, Math.min(perEni, blocks));
        for (int left = blocks - perEni; left > 0; left -= perEni) {
            node.model.attached(Math.min(perEni, left), node.now);
        }
        node.pods(pods);
        return node;
    }
}
