package dev.underlay.pool;

import static dev.underlay.pool.Fixtures.LOOK;
import static dev.underlay.pool.Fixtures.T;
import static dev.underlay.pool.Fixtures.describe;
import static dev.underlay.pool.Fixtures.eni;
import static dev.underlay.pool.Fixtures.forget;
import static dev.underlay.pool.Fixtures.lease;
import static dev.underlay.pool.Fixtures.pod;
import static dev.underlay.pool.Fixtures.pool;
import static dev.underlay.pool.Fixtures.refuse;
import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.pool.CloudAction.AssignBlocks;
import dev.underlay.pool.CloudAction.CreateInterface;
import dev.underlay.pool.CloudAction.UnassignBlocks;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What other pools of this kind were seen to do wrong, by the number of the hazard. */
final class HazardTest {
    private static final BlockKind KIND = BlockKind.SECONDARY_ADDRESS;
    private static final long LATER = T + Timing.SETTLE_NANOS + 1;
    private static final long SECOND = 1_000_000_000L;

    /** 18 addresses, 16 pods, two addresses that cool: two are missing, not none. */
    @Test
    void hazard_02_addresses_that_cool_are_not_available() {
        Pool pool = pool(eni(0, nine(0)), eni(1, nine(1)));
        for (int i = 0; i < 18; i++) {
            assertThat(lease(pool, "p" + i, T)).isNotEqualTo("none");
        }
        pool.release(pod("p3"), T, 30 * SECOND);
        pool.release(pod("p4"), T, 30 * SECOND);
        assertThat(plan(pool, "2", 0, T).actions())
                .containsExactly(new CreateInterface(new InterfaceRequest("token", KIND, 2)));
        assertThat(plan(pool, "2", 1, T).actions())
                .as("and one for who waits")
                .containsExactly(new CreateInterface(new InterfaceRequest("token", KIND, 3)));
    }

    @Test
    void hazard_08_an_address_in_use_that_a_description_lacks_is_kept_and_not_given_back() {
        Pool pool = pool(eni(0, "10.0.0.1/32", "10.0.0.2/32"));
        assertThat(lease(pool, "a", T)).isEqualTo("10.0.0.1");
        for (long at = LATER; at < LATER + 3 * Timing.QUIET_NANOS; at += Timing.QUIET_NANOS) {
            describe(pool, at, eni(0, "10.0.0.2/32"));
            assertThat(pool.leasesOf(pod("a"))).hasSize(1);
            assertThat(plan(pool, "1", 0, at).actions())
                    .noneMatch(action ->
                            action instanceof UnassignBlocks(_, var leaving)
                                    && leaving.contains(Cidr.parse("10.0.0.1/32")));
        }
        pool.release(pod("a"), LATER, 0);
        forget(pool, LATER + 1);
        assertThat(lease(pool, "b", LATER + 1)).isEqualTo("10.0.0.2");
        assertThat(lease(pool, "c", LATER + 1))
                .as("nobody gets what may not be ours")
                .isEqualTo("none");
    }

    /** After a restart the first list is short: the pod's /28 stays, and is whole again later. */
    @Test
    void hazard_09_a_short_list_at_the_start_erases_no_lease() {
        Pool pool = new Pool();
        pool.setLimits(Fixtures.M5_LARGE);
        pool.restoreInterfaces(List.of(eni(0, "10.0.0.16/28")), T);
        pool.linkReady("eni-0");
        Lease held = new Lease(pod("a"), IpAddress.parse("10.0.0.17"), "eni-0");
        assertThat(pool.adopt(held, T)).isEmpty();

        describe(pool, LATER, eni(0));
        assertThat(pool.leases()).containsExactly(held);
        assertThat(pool.interfaces().getFirst().blocks().getFirst().standing())
                .isEqualTo(Standing.MISSING);
        assertThat(lease(pool, "b", LATER)).isEqualTo("none");
        assertThat(plan(pool, "1", 0, LATER).actions()).noneMatch(UnassignBlocks.class::isInstance);

        describe(pool, LATER + SECOND, eni(0, "10.0.0.16/28"));
        assertThat(pool.leases()).containsExactly(held);
        assertThat(lease(pool, "b", LATER + SECOND)).startsWith("10.0.0.");
    }

    @Test
    void hazard_13_an_address_that_cools_is_not_given_back_while_idle_ones_are() {
        Pool pool = pool(eni(0, nine(0)));
        assertThat(lease(pool, "a", T)).isEqualTo("10.0.0.1");
        long end = T + 3 * Timing.QUIET_NANOS;
        pool.release(pod("a"), end - SECOND, 30 * SECOND);
        List<Cidr> leaving =
                plan(pool, "1", 0, end).actions().stream()
                        .filter(UnassignBlocks.class::isInstance)
                        .flatMap(action -> ((UnassignBlocks) action).blocks().stream())
                        .toList();
        assertThat(leaving).isNotEmpty().doesNotContain(Cidr.parse("10.0.0.1/32"));
    }

    /** An assign whose answer was lost had its effect: the refusal of the next one tells. */
    @Test
    void hazard_33_an_interface_that_is_fuller_than_known_is_looked_at_and_adopted() {
        Pool pool = pool(eni(0, "10.0.0.1/32"));
        refuse(pool, new AssignBlocks("eni-0", KIND, 8), Refusal.INTERFACE_FULL, T);
        assertThat(plan(pool, "9", 0, T).actions())
                .contains(LOOK)
                .noneMatch(AssignBlocks.class::isInstance);
        describe(pool, T + 1, eni(0, nine(0)));
        assertThat(pool.counts(T + 1).free()).isEqualTo(9);
        assertThat(plan(pool, "9", 0, T + 1).actions()).isEmpty();
    }

    private static String[] nine(int subnet) {
        return IntStream.rangeClosed(1, 9)
                .mapToObj(i -> "10.0." + subnet + "." + i + "/32")
                .toArray(String[]::new);
    }

    private static Plan plan(Pool pool, String warmIpTarget, int waiting, long now) {
        return Planner.plan(
                pool,
                TestNode.settings(Map.of("WARM_IP_TARGET", warmIpTarget)),
                new Demand(waiting),
                now,
                () -> "token");
    }
}
