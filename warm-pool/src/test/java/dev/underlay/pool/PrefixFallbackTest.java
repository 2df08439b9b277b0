package dev.underlay.pool;

import static dev.underlay.pool.Fixtures.T;
import static dev.underlay.pool.Fixtures.blocks;
import static dev.underlay.pool.Fixtures.eni;
import static dev.underlay.pool.Fixtures.lease;
import static dev.underlay.pool.Fixtures.pool;
import static dev.underlay.pool.Fixtures.refuse;
import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.pool.CloudAction.AssignBlocks;
import dev.underlay.pool.CloudAction.CreateInterface;
import dev.underlay.pool.CloudAction.UnassignBlocks;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Prefixes and single addresses side by side: in a subnet in pieces, and after a change of mind.
 */
final class PrefixFallbackTest {
    private static final BlockKind PREFIX = BlockKind.PREFIX_28;
    private static final BlockKind SINGLE = BlockKind.SECONDARY_ADDRESS;

    private static PoolSettings settings(String... namesAndValues) {
        Map<String, String> environment = new TreeMap<>();
        environment.put("ENABLE_PREFIX_DELEGATION", "true");
        for (int i = 0; i < namesAndValues.length; i += 2) {
            environment.put(namesAndValues[i], namesAndValues[i + 1]);
        }
        return TestNode.settings(environment);
    }

    private static Plan plan(Pool pool, PoolSettings settings, int waiting, long nowNanos) {
        return Planner.plan(pool, settings, new Demand(waiting), nowNanos, () -> "token");
    }

    @Test
    void the_whole_deficit_is_asked_for_at_once() {
        Pool pool = pool(eni(0, "10.0.0.1", "10.0.0.2"));
        Plan plan = plan(pool, settings(), 200, T);
        assertThat(plan.actions())
                .containsExactly(
                        new AssignBlocks("eni-0", PREFIX, 7), // of 9 slots two are taken
                        new CreateInterface(new InterfaceRequest("token", PREFIX, 6)));
        plan.actions().forEach(action -> pool.begin(action, T));
        assertThat(pool.counts(T).requested()).isEqualTo(13 * 16);
        assertThat(plan(pool, settings(), 200, T).actions()).isEmpty();
    }

    @Test
    void a_subnet_without_a_prefix_serves_single_addresses_and_is_tried_again() {
        Pool pool = pool(eni(0));
        AssignBlocks prefix = new AssignBlocks("eni-0", PREFIX, 1);
        assertThat(plan(pool, settings(), 3, T).actions()).containsExactly(prefix);
        refuse(pool, prefix, Refusal.NO_FREE_PREFIX, T);
        Plan meanwhile = plan(pool, settings(), 3, T);
        assertThat(meanwhile.actions()).hasSize(2).contains(new AssignBlocks("eni-0", SINGLE, 9));
        assertThat(pool.holds())
                .singleElement()
                .satisfies(hold -> {
                    assertThat(hold.subject()).isEqualTo("subnet-0 prefixes");
                    assertThat(hold.refusal()).isEqualTo(Refusal.NO_FREE_PREFIX);
                    assertThat(meanwhile.wakeAtNanos()).hasValue(hold.untilNanos());
                });

        long later = T + Timing.backoffNanos(Refusal.NO_FREE_PREFIX, 1);
        assertThat(plan(pool, settings(), 3, later).actions()).containsExactly(prefix);
    }

    @Test
    void failures_in_a_row_are_tried_again_later_and_later_and_a_success_ends_that() {
        Pool pool = pool(eni(0));
        AssignBlocks prefix = new AssignBlocks("eni-0", PREFIX, 1);
        long now = T;
        for (long seconds : new long[] {30, 60, 120, 240, 480, 600, 600}) {
            assertThat(plan(pool, settings(), 0, now).actions()).contains(prefix);
            refuse(pool, prefix, Refusal.NO_FREE_PREFIX, now);
            assertThat(plan(pool, settings(), 0, now).actions()).doesNotContain(prefix);
            now += seconds * 1_000_000_000L;
        }
        Fixtures.answer(pool, prefix, blocks("10.0.0.16/28"), now);
        assertThat(pool.holds()).isEmpty();
    }

    @Test
    void a_subnet_without_a_prefix_and_without_an_address_is_left_alone() {
        for (Refusal refusal : new Refusal[] {Refusal.SUBNET_FULL, Refusal.NO_FREE_PREFIX}) {
            Pool pool = pool(eni(0));
            pool.setLimits(new NodeIdentity.Limits(1, 10));
            refuse(pool, new AssignBlocks("eni-0", PREFIX, 1), Refusal.NO_FREE_PREFIX, T);
            refuse(pool, new AssignBlocks("eni-0", SINGLE, 8), refusal, T);
            Plan plan = plan(pool, settings(), 1, T);
            assertThat(plan.actions()).isEmpty();
            assertThat(plan.outlook())
                    .isInstanceOfSatisfying(
                            Outlook.Stuck.class,
                            stuck ->
                                    assertThat(stuck.obstacle())
                                            .isEqualTo(Outlook.Obstacle.SUBNET_FULL));
        }
    }

    @Test
    void single_addresses_cure_nothing_and_one_subnet_does_not_stop_another() {
        Pool pool = pool(eni(0), eni(1));
        refuse(pool, new AssignBlocks("eni-0", PREFIX, 1), Refusal.NO_FREE_PREFIX, T);
        Fixtures.answer(pool, new AssignBlocks("eni-0", SINGLE, 1), blocks("10.0.0.1"), T);
        assertThat(pool.holds()).extracting(Hold::subject).containsExactly("subnet-0 prefixes");
        assertThat(plan(pool, settings("WARM_IP_TARGET", "30"), 0, T).actions())
                .containsExactly(
                        new AssignBlocks("eni-0", SINGLE, 8), new AssignBlocks("eni-1", PREFIX, 2));
    }

    /** A prefix takes one slot; sixteen single addresses in its place would take sixteen. */
    @Test
    void a_warm_prefix_that_cannot_be_had_is_not_replaced_by_sixteen_addresses() {
        TestNode node = new TestNode(Fixtures.M5_LARGE, settings("WARM_PREFIX_TARGET", "1"));
        node.pods(16);
        node.cloud.fragmented = true;
        node.pods(28);
        assertThat(node.shape()).isEqualTo("1 interfaces, 32 addresses, 4 free [2]");
        node.pods(29);
        assertThat(node.shape()).isEqualTo("1 interfaces, 37 addresses, 8 free [7]");
        node.pods(36);
        assertThat(node.waiting()).isZero();
        assertThat(node.pool.holds()).extracting(Hold::refusal).contains(Refusal.NO_FREE_PREFIX);

        node.cloud.fragmented = false;
        node.pass(Timing.backoffNanos(Refusal.NO_FREE_PREFIX, 6));
        assertThat(prefixesOf(node)).isEqualTo(3);
        node.pods(0);
        node.pass(3 * Timing.QUIET_NANOS);
        assertThat(node.shape()).isEqualTo("1 interfaces, 16 addresses, 16 free [1]");
        assertThat(prefixesOf(node)).isEqualTo(1);
    }

    private static long prefixesOf(TestNode node) {
        return node.pool.interfaces().stream()
                .flatMap(one -> one.blocks().stream())
                .filter(block -> block.cidr().prefixLength() == 28)
                .count();
    }

    @Test
    void hazard_18_a_prefix_in_use_is_filled_first_and_an_empty_one_is_broken_last() {
        Pool pool = pool(eni(0, "10.0.0.16/28", "10.0.0.32/28", "10.0.0.81", "10.0.0.82"));
        assertThat(lease(pool, "a", T)).isEqualTo("10.0.0.81");
        assertThat(lease(pool, "b", T)).isEqualTo("10.0.0.82");
        assertThat(lease(pool, "c", T)).isEqualTo("10.0.0.16");
        assertThat(pool.counts(T)).isEqualTo(new Counts(3, 0, 31, 0, 15));
        pool.release(Fixtures.pod("a"), T, 0);
        assertThat(lease(pool, "d", T + 1)).isEqualTo("10.0.0.17");
    }

    @Test
    void what_is_left_of_the_other_kind_goes_when_it_is_idle() {
        String[] nine = {
            "10.0.0.1",
            "10.0.0.2",
            "10.0.0.3",
            "10.0.0.4",
            "10.0.0.5",
            "10.0.0.6",
            "10.0.0.7",
            "10.0.0.8",
            "10.0.0.16/28"
        };
        Pool pool = pool(eni(0, nine));
        long later = T + Timing.QUIET_NANOS;
        assertThat(plan(pool, settings(), 0, later).actions())
                .containsExactly(
                        new UnassignBlocks(
                                "eni-0",
                                blocks(
                                        "10.0.0.8",
                                        "10.0.0.7",
                                        "10.0.0.6",
                                        "10.0.0.5",
                                        "10.0.0.4",
                                        "10.0.0.3",
                                        "10.0.0.2",
                                        "10.0.0.1")));
        assertThat(plan(pool, PoolSettings.defaults(), 0, later).actions())
                .containsExactly(new UnassignBlocks("eni-0", blocks("10.0.0.16/28")));
    }
}
