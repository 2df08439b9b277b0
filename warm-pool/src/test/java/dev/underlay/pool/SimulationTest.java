package dev.underlay.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random histories of a node, each from one seed. A failure names the seed in the test's name and
 * prints the last events; a seed that failed is added to {@link #seeds()}.
 */
final class SimulationTest {
    private static final long SECOND = Simulation.SECOND;
    private static final long MINUTE = 60 * SECOND;

    private static final List<Cordon> CORDONS = List.of(Cordon.values());

    private static final List<NodeIdentity.Limits> TYPES =
            List.of(
                    new NodeIdentity.Limits(3, 4),
                    new NodeIdentity.Limits(3, 10),
                    new NodeIdentity.Limits(4, 15));

    private static final List<Map<String, String>> SETTINGS =
            List.of(
                    Map.of(),
                    Map.of("WARM_IP_TARGET", "5"),
                    Map.of("WARM_IP_TARGET", "2", "MINIMUM_IP_TARGET", "10"),
                    Map.of("MINIMUM_IP_TARGET", "4"),
                    Map.of("WARM_ENI_TARGET", "1"),
                    Map.of("WARM_ENI_TARGET", "0"),
                    Map.of("ENABLE_PREFIX_DELEGATION", "true"),
                    Map.of("ENABLE_PREFIX_DELEGATION", "true", "WARM_PREFIX_TARGET", "1"),
                    Map.of("ENABLE_PREFIX_DELEGATION", "true", "WARM_IP_TARGET", "5"),
                    Map.of("ENABLE_IPv4", "true", "ENABLE_IPv6", "true"),
                    Map.of(
                            "ENABLE_IPv4", "true",
                            "ENABLE_IPv6", "true",
                            "ENABLE_PREFIX_DELEGATION", "true"),
                    Map.of("ENABLE_IPv6", "true", "ENABLE_PREFIX_DELEGATION", "true"),
                    Map.of("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "true"),
                    Map.of("WARM_IP_TARGET", "1", "MAX_ENI", "2", "IP_COOLDOWN_PERIOD", "120"));

    static LongStream seeds() {
        return LongStream.rangeClosed(1, 140);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void whatever_happens_the_pool_holds_and_comes_to_rest(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        NodeIdentity.Limits limits = TYPES.get(random.nextInt(TYPES.size()));
        PoolSettings settings = TestNode.settings(SETTINGS.get((int) (seed % SETTINGS.size())));
        Simulation node = new Simulation(limits, settings, random);
        int capacity = limits.interfaces() * (limits.addressesPerInterface() - 1);
        if (random.nextInt(4) == 0) {
            node.cloud.addUnmanaged(1);
        }
        if (random.nextInt(4) == 0) {
            node.cloud.subnetFree = random.nextInt(capacity);
        }

        node.faults = true;
        long faulty = 30 * MINUTE;
        for (long at = 0; at < faulty; at += random.nextLong(90 * SECOND)) {
            int burst = 1 + random.nextInt(8);
            long lives = random.nextLong(SECOND, 15 * MINUTE);
            node.at(at, "burst of " + burst, () -> start(node, burst, capacity, lives));
        }
        for (long at = MINUTE; at < faulty; at += random.nextLong(10 * MINUTE)) {
            node.at(at, "restart", node::restart);
        }
        for (long at = 0; at < faulty; at += random.nextLong(10 * MINUTE)) {
            boolean fragmented = random.nextBoolean();
            node.at(at, "fragmented: " + fragmented, () -> node.cloud.fragmented = fragmented);
        }
        for (long at = 0; at < faulty; at += random.nextLong(10 * MINUTE)) {
            Cordon cordon = CORDONS.get(random.nextInt(CORDONS.size()));
            node.at(at, "cordon: " + cordon, () -> node.cordon = cordon);
        }
        for (long at = 0; at < faulty; at += random.nextLong(30 * MINUTE)) {
            Map<String, String> other = SETTINGS.get(random.nextInt(SETTINGS.size()));
            node.at(at, "settings: " + other, () -> node.settings = TestNode.settings(other));
        }
        node.run(faulty);
        node.settings = settings;
        node.cordon = Cordon.OPEN;
        node.faults = false;
        node.cloud.fragmented = false;
        node.cloud.subnetFree = 4000;

        // Time for the longest hold, for idle addresses to be given back and for two looks.
        int staying = random.nextInt(capacity / 2);
        node.at(11 * MINUTE, "pods to stay", () -> start(node, staying, capacity, Long.MAX_VALUE));
        node.run(11 * MINUTE);
        int gaveUp = node.gaveUp;
        node.run(40 * MINUTE);
        assertThat(node.gaveUp - gaveUp).as("pods that gave up without a fault").isZero();
        assertAtRest(node, settings, limits);

        int mutations = node.cloud.mutations;
        node.run(120 * MINUTE);
        assertThat(node.cloud.mutations).as("calls in two hours at rest").isEqualTo(mutations);
        assertAtRest(node, settings, limits);
    }

    /** One pod is replaced every 20 seconds: addresses rest and return, no call is needed. */
    @ParameterizedTest(name = "settings {0}")
    @MethodSource("everySetting")
    void steady_churn_needs_no_calls(Map<String, String> environment) {
        PoolSettings settings = TestNode.settings(environment);
        Simulation node =
                new Simulation(new NodeIdentity.Limits(4, 15), settings, new SplittableRandom(42));
        node.run(MINUTE);
        for (int pod = 0; pod < 8; pod++) {
            node.startPod(Long.MAX_VALUE);
        }
        for (long at = 0; at < 7 * 60 * MINUTE; at += 20 * SECOND) {
            node.at(at, "churn", () -> node.startPod(60 * SECOND));
        }
        node.run(60 * MINUTE);
        int served = node.served;
        int mutations = node.cloud.mutations;
        node.run(6 * 60 * MINUTE - SECOND);
        assertThat(node.served - served).isGreaterThan(1000);
        assertThat(node.gaveUp).isZero();
        assertThat(node.cloud.mutations - mutations).isZero();
    }

    static List<Map<String, String>> everySetting() {
        return SETTINGS;
    }

    private static void start(Simulation node, int count, int capacity, long livesForNanos) {
        for (int pod = 0; pod < count; pod++) {
            // A few more than fit on the node, so that the limit is met too.
            if (node.faults ? node.running() + pod < capacity + 2 : true) {
                node.startPod(livesForNanos);
            }
        }
    }

    private static void assertAtRest(
            Simulation node, PoolSettings settings, NodeIdentity.Limits limits) {
        assertThat(node.waiting()).isZero();
        assertThat(node.pool().inFlight())
                .filteredOn(action -> !(action instanceof CloudAction.Describe))
                .isEmpty();
        assertThat(node.pool().unfinished()).as(node.history()).isEmpty();
        Targets.Want want =
                Targets.want(settings, node.counts(), Demand.NONE, Growth.perInterface(limits));
        if (want.slots() > 0) {
            assertThat(node.outlook()).isNotInstanceOf(Outlook.Coming.class);
        }
        List<CloudInterface> ours =
                node.cloud.all().stream().filter(CloudInterface::managed).toList();
        assertThat(ours).allMatch(one -> one.attachment().isPresent());
        var real = new TreeSet<Cidr>();
        ours.forEach(one -> real.addAll(one.blocks()));
        var known = new TreeSet<Cidr>();
        node.pool()
                .interfaces()
                .forEach(one -> one.blocks().forEach(block -> known.add(block.cidr())));
        assertThat(known).isEqualTo(real);
    }
}
