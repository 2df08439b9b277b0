package dev.underlay.pool.tune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.underlay.pool.NodeIdentity;
import dev.underlay.pool.PoolSettings;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Small traces whose figures can be worked out by hand. All nodes are of type m5.large. */
final class ReplayTest {
    private static final NodeIdentity.Limits M5_LARGE = new NodeIdentity.Limits(3, 10);
    private static final int PODS = 27;

    /** One address is kept free, so that what is held is easy to tell. */
    private static final PoolSettings ONE_WARM = warm("1");

    private static PoolSettings warm(String target) {
        return switch (PoolSettings.fromEnvironment(Map.of("WARM_IP_TARGET", target))) {
            case PoolSettings.Parsed.Good(var good) -> good;
            case PoolSettings.Parsed.Bad(var errors) -> throw new AssertionError(errors);
        };
    }

    private static Trace.Pod pod(int node, long start, long end) {
        return new Trace.Pod(node, start, OptionalLong.of(end));
    }

    private static Trace.Pod endless(int node, long start) {
        return new Trace.Pod(node, start, OptionalLong.empty());
    }

    private static List<Trace.Pod> endless(int count, int node, long start) {
        List<Trace.Pod> pods = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            pods.add(endless(node, start));
        }
        return pods;
    }

    private static Outcome underlay(PoolSettings settings, Trace trace) {
        return Replay.underlay(trace, M5_LARGE, settings, new SplittableRandom(7)::nextDouble);
    }

    private static Outcome incumbent(Trace trace) {
        return Replay.incumbent(
                trace,
                M5_LARGE,
                IncumbentModel.Settings.defaults(M5_LARGE),
                new SplittableRandom(7)::nextDouble);
    }

    /**
     * Two pods at second 10, one address free: the first one's lease has another assigned, for
     * which the second waits, 0.3 s, and has a third assigned, which is there at 10.6. The second's
     * end moves as far as its start. Idle are: 1 for 10 s, none for 0.6 s, 1 for 9.4 s until the
     * first ends at 20, 2 (one cools) until the second does at 20.3, and 3 for the 19.7 s to the
     * end, together 79.1 address-seconds in 40 s.
     */
    @Test
    void a_pod_waits_for_one_call_and_lives_as_long_as_it_did() {
        Trace trace = new Trace(List.of(pod(0, 10, 20), pod(0, 10, 20)), 1, 40);
        Outcome outcome = underlay(ONE_WARM, trace);
        assertThat(outcome.podSecondsWaited()).isCloseTo(0.3, within(1e-6));
        assertThat(outcome.longestWaitSeconds()).isCloseTo(0.3, within(1e-6));
        assertThat(outcome.podsWaited()).isOne();
        assertThat(outcome.podsWithoutAddress()).isZero();
        assertThat(outcome.failedAdds()).isZero();
        assertThat(outcome.calls()).containsEntry("AssignPrivateIpAddresses", 2L);
        assertThat(outcome.changes().calls()).isEqualTo(2);
        assertThat(outcome.changes().mostTokensUsed()).isOne(); // 1.5 came back in between
        assertThat(outcome.meanIdle() * 40).isCloseTo(79.1, within(1e-6));
        assertThat((outcome.meanHeld() - outcome.meanIdle()) * 40).isCloseTo(20, within(1e-6));
    }

    /**
     * 28 pods for 27 addresses: the last one waits from second 5 to the end at 1005, and is in the
     * sum although nobody ever served it; its ADDs fail after a minute each and are tried again 10
     * to 15 s later.
     */
    @Test
    void a_pod_that_never_gets_an_address_is_not_forgotten() {
        List<Trace.Pod> pods = new ArrayList<>(endless(PODS, 0, Trace.RUNNING));
        pods.add(endless(0, 5));
        Trace trace = new Trace(pods, 1, 1005);
        Outcome ours = underlay(PoolSettings.defaults(), trace);
        assertThat(ours.podSecondsWaited()).isEqualTo(1000);
        assertThat(ours.longestWaitSeconds()).isEqualTo(1000);
        assertThat(ours.podsWaited()).isOne();
        assertThat(ours.podsWithoutAddress()).isOne();
        assertThat(ours.failedAdds()).isBetween(1000L / 75, 1000L / 70);
        Outcome theirs = incumbent(trace);
        assertThat(theirs.podSecondsWaited()).isEqualTo(1000);
        assertThat(theirs.podsWithoutAddress()).isOne();
        assertThat(theirs.failedAdds()).isBetween(1000L / 15, 1 + 1000L / 10);
    }

    /**
     * The node is full when a pod comes at 45; one ends at 50 and its address cools for 30 s. The
     * queue hands it on at 80, within the minute that an ADD may wait.
     */
    @Test
    void a_waiting_pod_gets_the_first_address_that_has_cooled() {
        List<Trace.Pod> pods = new ArrayList<>(endless(PODS - 1, 0, Trace.RUNNING));
        pods.add(pod(0, Trace.RUNNING, 50));
        pods.add(endless(0, 45));
        Outcome ours = underlay(PoolSettings.defaults(), new Trace(pods, 1, 500));
        assertThat(ours.podSecondsWaited()).isCloseTo(35, within(1e-6));
        assertThat(ours.failedAdds()).isZero();
        assertThat(ours.podsWithoutAddress()).isZero();
    }

    /**
     * The VPC CNI holds 9 addresses for no pod. Ten come at once: nine are served, one is refused
     * and comes back after 10 to 15 s. By then the loop has looked, within 5 s, and made an
     * interface of 9 in 3.8 s (six calls and the device's 2 s).
     */
    @Test
    void the_incumbent_refuses_and_is_asked_again() {
        Outcome outcome = incumbent(new Trace(endless(10, 0, 100), 1, 200));
        assertThat(outcome.failedAdds()).isOne();
        assertThat(outcome.podsWaited()).isOne();
        assertThat(outcome.podSecondsWaited()).isBetween(10.0, 15.0);
        assertThat(outcome.calls())
                .containsEntry("CreateNetworkInterface", 2L)
                .containsEntry("AttachNetworkInterface", 2L)
                .containsEntry("ModifyNetworkInterfaceAttribute", 2L)
                .containsEntry("DescribeInstances", 2L)
                .containsEntry("DescribeSubnets", 4L)
                .doesNotContainKey("DeleteNetworkInterface");
        // Before 100 s 9 are idle, in the end 27 - 10; in between at most that.
        assertThat(outcome.meanIdle() * 200).isBetween(900 + 80 * 17.0, 900 + 100 * 17.0);
    }

    /** A pod for a minute: a second interface comes within 9 s and goes when the pod has cooled. */
    @Test
    void the_incumbent_frees_an_interface_that_is_not_needed() {
        Outcome outcome = incumbent(new Trace(List.of(pod(0, 100, 160)), 1, 1000));
        assertThat(outcome.calls())
                .containsEntry("CreateNetworkInterface", 1L)
                .containsEntry("DetachNetworkInterface", 1L)
                .containsEntry("DeleteNetworkInterface", 1L);
        // 18 from within 9 s on until the interface, 60 s old by then, is gone within 5 + 3 s.
        assertThat(outcome.meanHeld() * 1000).isBetween(9000 + 9 * 60.0, 9000 + 9 * 80.0);
        assertThat(outcome.failedAdds()).isZero();
        assertThat(outcome.podSecondsWaited()).isZero();
    }

    /**
     * 60 nodes make a call at once: the bucket of 50 empties and ten calls wait for one token after
     * another, 0.2, 0.4, … 2 s. With two pods each the second waits for that call.
     */
    @Test
    void all_nodes_share_the_bucket() {
        Outcome one = underlay(ONE_WARM, onEach(60, 1));
        assertThat(one.changes().calls()).isEqualTo(60);
        assertThat(one.changes().mostInOneSecond()).isEqualTo(60);
        assertThat(one.changes().mostTokensUsed()).isEqualTo(60);
        assertThat(one.changes().throttled()).isEqualTo(10);
        assertThat(one.podSecondsWaited()).isZero();
        Outcome two = underlay(ONE_WARM, onEach(60, 2));
        assertThat(two.podSecondsWaited()).isCloseTo(60 * 0.3 + 11, within(1e-3));
        assertThat(two.podsWaited()).isEqualTo(60);
    }

    private static Trace onEach(int nodes, int podsOnEach) {
        List<Trace.Pod> pods = new ArrayList<>();
        for (int node = 0; node < nodes; node++) {
            pods.addAll(endless(podsOnEach, node, 10));
        }
        return new Trace(pods, nodes, 100);
    }

    @Test
    void the_same_seed_gives_the_same_figures() {
        SplittableRandom random = new SplittableRandom(42);
        List<Trace.Pod> pods = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            long start = random.nextLong(3000);
            pods.add(pod(random.nextInt(4), start, start + random.nextLong(400)));
        }
        Trace trace = new Trace(pods, 4, 4000);
        assertThat(incumbent(trace)).isEqualTo(incumbent(trace));
        assertThat(underlay(PoolSettings.defaults(), trace))
                .isEqualTo(underlay(PoolSettings.defaults(), trace));
    }
}
