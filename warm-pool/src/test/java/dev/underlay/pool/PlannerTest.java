package dev.underlay.pool;

import static dev.underlay.pool.Fixtures.LOOK;
import static dev.underlay.pool.Fixtures.T;
import static dev.underlay.pool.Fixtures.answer;
import static dev.underlay.pool.Fixtures.describe;
import static dev.underlay.pool.Fixtures.detached;
import static dev.underlay.pool.Fixtures.eni;
import static dev.underlay.pool.Fixtures.lease;
import static dev.underlay.pool.Fixtures.plan;
import static dev.underlay.pool.Fixtures.pool;
import static dev.underlay.pool.Fixtures.refuse;
import static dev.underlay.pool.Fixtures.unmanaged;
import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.pool.CloudAction.AssignBlocks;
import dev.underlay.pool.CloudAction.AttachInterface;
import dev.underlay.pool.CloudAction.CreateInterface;
import dev.underlay.pool.CloudAction.DeleteInterface;
import dev.underlay.pool.CloudAction.DetachInterface;
import dev.underlay.pool.CloudAction.UnassignBlocks;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What is asked for, and in which order after a trouble. */
final class PlannerTest {
    private static final BlockKind KIND = BlockKind.SECONDARY_ADDRESS;
    private static final String[] NINE = {
        "10.0.0.1",
        "10.0.0.2",
        "10.0.0.3",
        "10.0.0.4",
        "10.0.0.5",
        "10.0.0.6",
        "10.0.0.7",
        "10.0.0.8",
        "10.0.0.9"
    };

    private static CreateInterface create(int blocks) {
        return new CreateInterface(new InterfaceRequest("token", KIND, blocks));
    }

    private static Outlook.Obstacle obstacle(Plan plan) {
        return ((Outlook.Stuck) plan.outlook()).obstacle();
    }

    @Test
    void nothing_is_asked_for_before_the_first_look_and_the_limits() {
        Pool pool = new Pool();
        assertThat(plan(pool, 3, T).actions()).containsExactly(LOOK);
        assertThat(obstacle(plan(pool, 3, T))).isEqualTo(Outlook.Obstacle.STARTING);
        describe(pool, T, eni(0));
        assertThat(plan(pool, 3, T).actions()).isEmpty();
        pool.setLimits(Fixtures.M5_LARGE);
        assertThat(plan(pool, 3, T).actions())
                .containsExactly(new AssignBlocks("eni-0", KIND, 9), create(2));
    }

    @Test
    void hazard_04_a_burst_is_asked_for_at_once_and_only_once() {
        Pool pool = pool(eni(0));
        pool.setLimits(new NodeIdentity.Limits(8, 30)); // m5.4xlarge
        Plan plan = plan(pool, 50, T);
        assertThat(plan.actions()).containsExactly(new AssignBlocks("eni-0", KIND, 29), create(29));
        assertThat(plan.outlook()).isInstanceOf(Outlook.Coming.class);
        plan.actions().forEach(action -> pool.begin(action, T));
        assertThat(pool.counts(T)).isEqualTo(new Counts(0, 0, 0, 58));
        assertThat(plan(pool, 50, T).actions()).isEmpty();
        assertThat(plan(pool, 54, T).actions()).isEmpty();
    }

    @Test
    void room_behind_a_call_in_flight_waits_for_it() {
        Pool pool = pool(eni(0));
        AssignBlocks first = new AssignBlocks("eni-0", KIND, 1);
        pool.begin(first, T);
        assertThat(plan(pool, 0, T).actions()).isEmpty(); // eni-0 has room for the other 7
        answer(pool, create(1), detached(eni(1, "10.0.1.1")), T);
        pool.end(first, new CloudAnswer.Done<>(Fixtures.blocks("10.0.0.1")), T);
        assertThat(plan(pool, 0, T).actions())
                .containsExactly(
                        new AttachInterface("eni-1", 1), new AssignBlocks("eni-0", KIND, 6));
    }

    @Test
    void room_on_an_interface_in_the_making_waits_for_it() {
        Pool pool = pool(eni(0, NINE));
        pool.linkGone("eni-0", T - Timing.SETTLE_NANOS - 1); // its addresses do not count
        pool.begin(create(3), T);
        assertThat(plan(pool, 0, T).actions()).isEmpty(); // it has room for 6 more
        assertThat(plan(pool, 5, T).actions()).containsExactly(create(4));
        pool.setLimits(new NodeIdentity.Limits(2, 10));
        assertThat(plan(pool, 5, T).actions()).isEmpty();
    }

    @Test
    void the_lowest_free_device_index_is_taken() {
        CloudInterface theirs = unmanaged(eni(1, "10.0.1.1"));
        Pool pool = pool(eni(0, NINE), theirs, detached(eni(2, "10.0.2.1")));
        assertThat(plan(pool, 0, T).actions()).containsExactly(new AttachInterface("eni-2", 2));
        refuse(pool, new AttachInterface("eni-2", 2), Refusal.DEVICE_INDEX_TAKEN, T);
        assertThat(plan(pool, 0, T).actions()).containsExactly(LOOK);
    }

    @Test
    void an_interface_without_a_place_is_deleted() {
        Pool pool = pool(eni(0, NINE), eni(1), eni(2), detached(eni(3, "10.0.3.1")));
        assertThat(plan(pool, 0, T).actions()).contains(new DeleteInterface("eni-3"));

        pool = pool(eni(0, NINE), detached(eni(1, "10.0.1.1")));
        refuse(pool, new AttachInterface("eni-1", 1), Refusal.ATTACHMENT_LIMIT, T);
        assertThat(plan(pool, 0, T).actions()).containsExactly(LOOK);
        describe(pool, T + 1, eni(0, NINE), detached(eni(1, "10.0.1.1")));
        assertThat(plan(pool, 0, T + 1).actions()).containsExactly(new DeleteInterface("eni-1"));
        assertThat(plan(pool, 10, T + 1).outlook().text())
                .isEqualTo("the cloud says ATTACHMENT_LIMIT");
    }

    @Test
    void after_an_unknown_outcome_a_look_comes_first_and_the_token_is_kept() {
        Pool pool = pool(eni(0, NINE));
        for (int i = 0; i < 9; i++) {
            lease(pool, "pod-" + i, T);
        }
        CreateInterface first = create(8);
        assertThat(plan(pool, 0, T).actions()).containsExactly(first);
        refuse(pool, first, Refusal.UNKNOWN_OUTCOME, T);
        assertThat(plan(pool, 5, T).actions()).containsExactly(LOOK);

        long later = T + Timing.backoffNanos(Refusal.UNKNOWN_OUTCOME, 1);
        describe(pool, later, eni(0, NINE));
        List<CloudAction> again =
                Planner.plan(
                                pool,
                                PoolSettings.defaults(),
                                new Demand(5),
                                later,
                                () -> "another token")
                        .actions();
        assertThat(again.getFirst()).isEqualTo(first);

        refuse(pool, first, Refusal.UNKNOWN_OUTCOME, later);
        CloudInterface made = detached(eni(1, "10.0.1.1"));
        describe(pool, later + 1, eni(0, NINE), withToken(made, "token"));
        assertThat(plan(pool, 0, later + 1).actions())
                .containsExactly(new AttachInterface("eni-1", 1));
    }

    @Test
    void everything_about_a_thing_in_doubt_waits_for_a_look_that_began_later() {
        Pool pool = pool(eni(0), eni(1, "10.0.1.1"));
        AssignBlocks assign = new AssignBlocks("eni-0", KIND, 7);
        pool.begin(LOOK, T);
        pool.begin(assign, T);
        pool.end(assign, new CloudAnswer.Refused<>(Refusal.UNKNOWN_OUTCOME, "lost"), T + 1);
        pool.end(LOOK, new CloudAnswer.Done<>(List.of(eni(0), eni(1, "10.0.1.1"))), T + 2);
        long later = T + 1 + Timing.backoffNanos(Refusal.UNKNOWN_OUTCOME, 1);
        assertThat(plan(pool, 0, later).actions()).containsExactly(LOOK);

        describe(pool, later, eni(0, "10.0.0.1", "10.0.0.2"), eni(1, "10.0.1.1"));
        assertThat(plan(pool, 0, later).actions())
                .containsExactly(new AssignBlocks("eni-0", KIND, 5));
        assertThat(plan(pool, 0, later).outlook()).isEqualTo(new Outlook.Ready(3));
    }

    @Test
    void an_interface_that_may_be_leaving_is_not_leased_from_and_leaves_again() {
        Pool pool = pool(eni(0), eni(1, "10.0.1.1"));
        DetachInterface detach = new DetachInterface("eni-1");
        refuse(pool, detach, Refusal.UNKNOWN_OUTCOME, T);
        long later = T + Timing.backoffNanos(Refusal.UNKNOWN_OUTCOME, 1);
        describe(pool, later, eni(0), eni(1, "10.0.1.1"));
        assertThat(lease(pool, "a", later)).isEqualTo("none");
        assertThat(plan(pool, 0, later).actions()).contains(detach);
    }

    @Test
    void a_block_that_may_be_leaving_leaves_again_beside_a_pod() {
        Pool pool = pool(eni(0, "10.0.0.1", "10.0.0.2"));
        lease(pool, "a", T);
        UnassignBlocks unassign = new UnassignBlocks("eni-0", Fixtures.blocks("10.0.0.2"));
        refuse(pool, unassign, Refusal.UNKNOWN_OUTCOME, T);
        long later = T + Timing.backoffNanos(Refusal.UNKNOWN_OUTCOME, 1);
        describe(pool, later, eni(0, "10.0.0.1", "10.0.0.2"));
        assertThat(lease(pool, "b", later)).isEqualTo("none");
        assertThat(plan(pool, 0, later).actions()).contains(unassign);
    }

    /** A call whose answer was lost may have its effect after the look that shows none. */
    @Test
    void what_may_be_leaving_is_not_leased_although_the_next_call_is_refused() {
        Pool pool = pool(eni(0, "10.0.0.1"), eni(1, "10.0.1.1"));
        UnassignBlocks unassign = new UnassignBlocks("eni-0", Fixtures.blocks("10.0.0.1"));
        DetachInterface detach = new DetachInterface("eni-1");
        for (CloudAction action : List.of(unassign, detach)) {
            refuse(pool, action, Refusal.UNKNOWN_OUTCOME, T);
        }
        describe(pool, T + 1, eni(0, "10.0.0.1"), eni(1, "10.0.1.1"));
        for (CloudAction action : List.of(unassign, detach)) {
            refuse(pool, action, Refusal.NOT_PERMITTED, T + 2);
        }
        assertThat(lease(pool, "a", T + 2)).isEqualTo("none");
        long later = T + 2 + Timing.backoffNanos(Refusal.NOT_PERMITTED, 1);
        assertThat(plan(pool, 0, later).actions()).contains(unassign, detach);
    }

    @Test
    void what_has_just_left_before_a_restart_is_not_believed_to_be_back() {
        CloudInterface zero = eni(0, "10.0.0.1");
        CloudInterface one = eni(1, "10.0.1.1");
        Pool before = pool(zero, one);
        UnassignBlocks unassign = new UnassignBlocks("eni-0", Fixtures.blocks("10.0.0.1"));
        answer(before, unassign, unassign.blocks(), T);
        answer(before, new DetachInterface("eni-1"), detached(one), T);
        answer(before, new DeleteInterface("eni-1"), "eni-1", T);
        assertThat(before.unfinished()).containsExactly(unassign, new DeleteInterface("eni-1"));

        Pool after = new Pool();
        after.setLimits(Fixtures.M5_LARGE);
        after.restoreInterfaces(List.of(eni(0)), T + 1);
        before.unfinished().forEach(action -> after.restoreUnfinished(action, T + 1));
        describe(after, T + 2, zero, one); // it lags
        after.linkReady("eni-0");
        after.linkReady("eni-1");
        assertThat(lease(after, "a", T + 2)).isEqualTo("none");

        describe(before, T + 2 * Timing.SETTLE_NANOS, eni(0));
        assertThat(before.unfinished()).isEmpty();
    }

    @Test
    void what_left_and_was_granted_again_is_here_after_a_restart() {
        Pool pool = pool(eni(0, "10.0.0.1"));
        List<Cidr> block = Fixtures.blocks("10.0.0.1");
        answer(pool, new UnassignBlocks("eni-0", block), block, T);
        answer(pool, new AssignBlocks("eni-0", KIND, 1), block, T);
        assertThat(pool.unfinished()).isEmpty();
    }

    @Test
    void what_was_leaving_before_a_restart_is_not_leased_and_leaves_again() {
        Pool pool = new Pool();
        pool.setLimits(Fixtures.M5_LARGE);
        CloudInterface[] all = {eni(0, "10.0.0.1", "10.0.0.2"), eni(1, "10.0.1.1")};
        pool.restoreInterfaces(List.of(all), T);
        UnassignBlocks unassign =
                new UnassignBlocks("eni-0", Fixtures.blocks("10.0.0.1", "10.0.0.2"));
        DetachInterface detach = new DetachInterface("eni-1");
        pool.restoreUnfinished(unassign, T);
        pool.restoreUnfinished(detach, T);
        pool.linkReady("eni-0");
        pool.linkReady("eni-1");
        assertThat(lease(pool, "a", T)).isEqualTo("none");
        describe(pool, T, all);
        assertThat(lease(pool, "a", T)).isEqualTo("none");
        assertThat(plan(pool, 0, T).actions()).contains(unassign, detach);
    }

    @Test
    void what_left_unseen_does_not_come_back_with_an_older_description() {
        CloudInterface zero = eni(0, "10.0.0.1");
        CloudInterface one = eni(1, "10.0.1.1");
        Pool pool = new Pool();
        pool.setLimits(Fixtures.M5_LARGE);
        pool.restoreInterfaces(List.of(zero, one), T);
        pool.restoreUnfinished(new UnassignBlocks("eni-0", zero.blocks()), T);
        pool.restoreUnfinished(new DetachInterface("eni-1"), T);
        describe(pool, T + 1, eni(0)); // both are gone
        describe(pool, T + 2, zero, one); // it lags
        pool.linkReady("eni-0");
        pool.linkReady("eni-1");
        assertThat(lease(pool, "a", T + 2)).isEqualTo("none");
    }

    @Test
    void a_block_that_another_interface_has_got_does_not_leave_with_the_old_one() {
        Pool pool = pool(eni(0, "10.0.0.1"), eni(1));
        List<Cidr> block = Fixtures.blocks("10.0.0.1");
        UnassignBlocks unassign = new UnassignBlocks("eni-0", block);
        pool.begin(unassign, T);
        answer(pool, new AssignBlocks("eni-1", KIND, 1), block, T + 1);
        pool.end(unassign, new CloudAnswer.Done<>(block), T + 2);
        assertThat(lease(pool, "a", T + 2)).isEqualTo("10.0.0.1");
    }

    @Test
    void a_block_does_not_go_back_to_the_interface_that_an_older_description_shows() {
        Pool pool = pool(eni(0, "10.0.0.1"), eni(1));
        List<Cidr> block = Fixtures.blocks("10.0.0.1");
        answer(pool, new AssignBlocks("eni-1", KIND, 1), block, T + 1);
        describe(pool, T + 2, eni(0, "10.0.0.1"), eni(1));
        assertThat(pool.interfaces().getFirst().blocks()).isEmpty();
    }

    /** One description shows both interfaces at different times, the next one only the old one. */
    @Test
    void a_block_that_may_have_left_is_not_back_after_it_was_seen_on_another_interface() {
        CloudInterface old = eni(0, "10.0.0.1");
        UnassignBlocks unassign = new UnassignBlocks("eni-0", old.blocks());
        Pool pool = pool(old);
        refuse(pool, unassign, Refusal.UNKNOWN_OUTCOME, T);
        describe(pool, T + 1, old, detached(eni(1, "10.0.0.1")));
        assertThat(pool.unfinished()).containsExactly(unassign);
        describe(pool, T + 2, old);
        assertThat(lease(pool, "a", T + 2)).isEqualTo("none");
    }

    @Test
    void a_block_that_left_before_a_restart_stays_with_the_pod_on_its_new_interface() {
        Pool pool = new Pool();
        pool.restoreInterfaces(List.of(eni(0), eni(1, "10.0.0.1")), T);
        Lease held = new Lease(Fixtures.pod("a"), IpAddress.parse("10.0.0.1"), "eni-1");
        pool.adopt(held, T);
        pool.restoreUnfinished(new UnassignBlocks("eni-0", Fixtures.blocks("10.0.0.1")), T);
        describe(pool, T + 1, eni(0, "10.0.0.1"), eni(1)); // it lags
        assertThat(pool.leases()).containsExactly(held);
    }

    /** The prefix comes to another interface than the single address that it holds. */
    @Test
    void an_address_that_may_have_left_does_not_break_up_the_prefix_that_has_it() {
        Pool pool = pool(eni(0), eni(1, "10.0.0.17"));
        UnassignBlocks unassign = new UnassignBlocks("eni-1", Fixtures.blocks("10.0.0.17"));
        refuse(pool, unassign, Refusal.UNKNOWN_OUTCOME, T);
        describe(pool, T + 1, eni(0, "10.0.0.16/28"), eni(1, "10.0.0.17")); // in part it lags
        assertThat(pool.counts(T + 1).free()).isEqualTo(16);
    }

    /** What the cloud did although it said that it had failed is found, or asked for once more. */
    @Test
    void an_interface_that_a_failing_cloud_may_have_made_is_asked_for_with_the_same_token() {
        Pool pool = pool(eni(0, NINE));
        for (int i = 0; i < 9; i++) {
            lease(pool, "pod-" + i, T);
        }
        CreateInterface first = create(8);
        refuse(pool, first, Refusal.UNAVAILABLE, T);
        assertThat(pool.unfinished()).containsExactly(first);
        assertThat(plan(pool, 0, T).actions()).containsExactly(LOOK);
        long later = T + Timing.backoffNanos(Refusal.UNAVAILABLE, 1);
        describe(pool, later, eni(0, NINE)); // it lags
        List<CloudAction> again =
                Planner.plan(
                                pool,
                                PoolSettings.defaults(),
                                new Demand(0),
                                later,
                                () -> "another token")
                        .actions();
        assertThat(again).containsExactly(first);
    }

    @Test
    void one_call_at_a_time_about_an_interface_also_within_a_plan() {
        Pool pool = pool(eni(0, "10.0.0.1"));
        UnassignBlocks unassign = new UnassignBlocks("eni-0", Fixtures.blocks("10.0.0.1"));
        refuse(pool, unassign, Refusal.UNKNOWN_OUTCOME, T);
        describe(pool, T + 2_000_000_000L, eni(0, "10.0.0.1"));
        assertThat(plan(pool, 1, T + 2_000_000_000L).actions())
                .filteredOn(action -> Flights.interfaceOf(action).equals(Optional.of("eni-0")))
                .containsExactly(unassign);
    }

    private static CloudInterface withToken(CloudInterface one, String token) {
        return new CloudInterface(
                one.id(),
                Optional.of(token),
                one.mac(),
                one.subnetId(),
                one.subnet(),
                one.primaryAddress(),
                one.primary(),
                one.attachment(),
                one.blocks(),
                one.managed());
    }

    @Test
    void hazard_44_a_full_subnet_does_not_stop_another() {
        Pool pool = pool(eni(0), eni(1));
        refuse(pool, new AssignBlocks("eni-0", KIND, 8), Refusal.SUBNET_FULL, T);
        Plan plan = plan(pool, 0, T);
        assertThat(plan.actions()).containsExactly(new AssignBlocks("eni-1", KIND, 8));
        assertThat(plan.wakeAtNanos()).hasValue(T + 10_000_000_000L);

        refuse(pool, new AssignBlocks("eni-1", KIND, 8), Refusal.SUBNET_FULL, T);
        assertThat(plan(pool, 0, T).actions()).containsExactly(create(8));
        refuse(pool, create(8), Refusal.SUBNET_FULL, T);
        plan = plan(pool, 1, T);
        assertThat(plan.actions()).isEmpty();
        assertThat(obstacle(plan)).isEqualTo(Outlook.Obstacle.SUBNET_FULL);
        assertThat(plan(pool, 0, T + 10_000_000_000L).actions())
                .containsExactly(new AssignBlocks("eni-0", KIND, 8));
    }

    @Test
    void failures_in_a_row_wait_longer_and_longer() {
        Pool pool = pool(eni(0));
        long now = T;
        long[] seconds = {30, 60, 120, 240, 480, 600, 600};
        for (long wait : seconds) {
            refuse(pool, new AssignBlocks("eni-0", KIND, 8), Refusal.NOT_PERMITTED, now);
            assertThat(plan(pool, 1, now).actions())
                    .doesNotContain(new AssignBlocks("eni-0", KIND, 8));
            now += wait * 1_000_000_000L;
            assertThat(pool.holds().getFirst().untilNanos()).isEqualTo(now);
        }
    }

    @Test
    void a_cloud_that_is_away_is_looked_for_more_often_while_pods_wait() {
        Pool pool = pool(eni(0));
        long away = T + 1;
        long probe = away + Timing.PROBE_NANOS;
        AssignBlocks assign = new AssignBlocks("eni-0", KIND, 8);
        for (int i = 0; i < 6; i++) {
            refuse(pool, assign, Refusal.UNAVAILABLE, away);
            refuse(pool, LOOK, Refusal.UNAVAILABLE, away);
        }
        assertThat(plan(pool, 0, probe).actions()).doesNotContain(LOOK);
        assertThat(plan(pool, 1, away).wakeAtNanos()).hasValue(probe);
        assertThat(plan(pool, 1, probe).actions()).contains(LOOK).doesNotContain(assign);
        describe(pool, probe, eni(0));
        assertThat(plan(pool, 0, probe).actions()).contains(assign);
    }

    @Test
    void a_cloud_that_slows_us_down_is_not_looked_for_more_often() {
        Pool pool = pool(eni(0));
        for (int i = 0; i < 6; i++) {
            refuse(pool, LOOK, Refusal.THROTTLED, T);
        }
        assertThat(plan(pool, 1, T + Timing.PROBE_NANOS).actions()).doesNotContain(LOOK);
    }

    @Test
    void nothing_is_promised_while_the_cloud_is_not_reached() {
        Pool pool = pool(eni(0, NINE));
        for (int i = 0; i < 9; i++) {
            lease(pool, "pod-" + i, T);
        }
        refuse(pool, create(9), Refusal.UNAVAILABLE, T);
        assertThat(plan(pool, 1, T).outlook()).isInstanceOf(Outlook.Coming.class);
        refuse(pool, LOOK, Refusal.UNAVAILABLE, T);
        assertThat(obstacle(plan(pool, 1, T))).isEqualTo(Outlook.Obstacle.CLOUD);
        describe(pool, T, eni(0, NINE));
        assertThat(plan(pool, 1, T + Timing.SETTLE_NANOS).outlook())
                .isInstanceOf(Outlook.Coming.class);
    }

    @Test
    void a_pod_hears_why_nothing_comes() {
        Pool pool = pool(eni(0));
        refuse(pool, new AssignBlocks("eni-0", KIND, 8), Refusal.NOT_PERMITTED, T);
        refuse(pool, create(8), Refusal.THROTTLED, T);
        assertThat(obstacle(plan(pool, 1, T))).isEqualTo(Outlook.Obstacle.PERMISSION);
        assertThat(plan(pool, 1, T).outlook().text()).isEqualTo("the cloud says NOT_PERMITTED");
    }

    @Test
    void an_interface_that_cannot_be_attached_is_not_promised() {
        Pool pool = pool(eni(0, NINE), detached(eni(1, "10.0.1.1", "10.0.1.2")));
        for (int i = 0; i < 9; i++) {
            lease(pool, "pod-" + i, T);
        }
        pool.setLimits(new NodeIdentity.Limits(2, 3));
        assertThat(plan(pool, 1, T).outlook()).isInstanceOf(Outlook.Coming.class);
        refuse(pool, new AttachInterface("eni-1", 1), Refusal.NOT_PERMITTED, T);
        assertThat(plan(pool, 1, T).actions()).isEmpty();
        assertThat(obstacle(plan(pool, 1, T))).isEqualTo(Outlook.Obstacle.PERMISSION);
    }

    @Test
    void an_assign_that_brings_nothing_is_not_repeated_at_once() {
        Pool pool = pool(eni(0));
        AssignBlocks assign = new AssignBlocks("eni-0", KIND, 8);
        answer(pool, assign, List.of(), T);
        assertThat(plan(pool, 0, T).actions()).doesNotContain(assign);
        assertThat(plan(pool, 0, T + 1_000_000_000L).actions()).contains(assign);
    }

    @Test
    void a_link_that_does_not_come_is_named_and_not_counted_on() {
        Pool pool = pool(eni(0, NINE));
        pool.linkGone("eni-0", T);
        assertThat(plan(pool, 1, T).actions()).isEmpty();
        assertThat(plan(pool, 1, T).wakeAtNanos()).hasValue(T + Timing.LINK_PATIENCE_NANOS + 1);
        long later = T + Timing.LINK_PATIENCE_NANOS + 1;
        assertThat(plan(pool, 1, later).actions()).containsExactly(create(9));
        pool.setLimits(new NodeIdentity.Limits(1, 10));
        assertThat(plan(pool, 1, later).outlook().text())
                .contains("eni-0 (02:00:00:00:00:00) is attached, but");
    }

    @Test
    void an_interface_that_someone_detached_under_its_pods_is_attached_again() {
        CloudInterface second = eni(1, "10.0.1.1", "10.0.1.2");
        Pool pool = pool(eni(0), second);
        assertThat(lease(pool, "a", T)).isEqualTo("10.0.1.1");
        describe(pool, T + 1, eni(0), detached(second));
        assertThat(plan(pool, 0, T + 1).actions()).contains(new AttachInterface("eni-1", 1));
    }

    @Test
    void the_cloud_is_looked_at_now_and_then() {
        Pool pool = pool(eni(0, NINE));
        lease(pool, "a", T); // without it the ninth address would be given back before
        assertThat(plan(pool, 0, T).actions()).isEmpty();
        assertThat(plan(pool, 0, T).wakeAtNanos()).hasValue(T + Timing.LOOK_EVERY_NANOS);
        assertThat(plan(pool, 0, T + Timing.LOOK_EVERY_NANOS).actions()).containsExactly(LOOK);
    }

    @Test
    void a_waiting_pod_wakes_when_an_address_has_cooled() {
        Pool pool = pool(eni(0, "10.0.0.1"));
        lease(pool, "a", T);
        pool.release(Fixtures.pod("a"), T, 30);
        assertThat(plan(pool, 1, T).wakeAtNanos()).hasValue(T + 31);
    }
}
