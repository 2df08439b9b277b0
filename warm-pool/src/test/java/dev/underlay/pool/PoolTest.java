package dev.underlay.pool;

import static dev.underlay.pool.Fixtures.T;
import static dev.underlay.pool.Fixtures.answer;
import static dev.underlay.pool.Fixtures.blocks;
import static dev.underlay.pool.Fixtures.describe;
import static dev.underlay.pool.Fixtures.eni;
import static dev.underlay.pool.Fixtures.forget;
import static dev.underlay.pool.Fixtures.lease;
import static dev.underlay.pool.Fixtures.pod;
import static dev.underlay.pool.Fixtures.pool;
import static dev.underlay.pool.Fixtures.refuse;
import static dev.underlay.pool.Fixtures.unmanaged;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.groups.Tuple.tuple;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What the pool leases, keeps and drops. */
final class PoolTest {
    private static final long LATER = T + 2 * Timing.SETTLE_NANOS;

    @Test
    void the_fullest_interface_and_block_are_filled_first() {
        Pool pool = pool(eni(0, "10.0.0.1/32"), eni(1, "10.0.1.16/28", "10.0.1.32/28"));
        pool.linkGone("eni-0", T);
        assertThat(lease(pool, "a", T)).isEqualTo("10.0.1.16");
        pool.adopt(new Lease(pod("b"), IpAddress.parse("10.0.1.32"), "eni-1"), T);
        pool.adopt(new Lease(pod("c"), IpAddress.parse("10.0.1.40"), "eni-1"), T);
        pool.linkReady("eni-0");
        assertThat(lease(pool, "d", T)).isEqualTo("10.0.1.33");
    }

    /** G59: in 10.0.1.16/28. */
    @Test
    void one_never_used_comes_before_the_one_idle_longest() {
        Pool pool = pool(eni(0, "10.0.1.16/28"));
        assertThat(lease(pool, "a", T)).isEqualTo("10.0.1.16");
        assertThat(lease(pool, "b", T)).isEqualTo("10.0.1.17");
        pool.release(pod("b"), T, 30);
        assertThat(lease(pool, "c", T + 31)).isEqualTo("10.0.1.18");
        for (int i = 0; i < 13; i++) {
            lease(pool, "d" + i, T + 31);
        }
        pool.release(pod("a"), T + 40, 30);
        forget(pool, T + 100);
        assertThat(lease(pool, "e", T + 100)).isEqualTo("10.0.1.17");
        assertThat(lease(pool, "f", T + 100)).isEqualTo("10.0.1.16");
        assertThat(lease(pool, "g", T + 100)).isEqualTo("none");
    }

    /** G64 and G65. */
    @Test
    void the_same_pod_gets_the_same_address_and_may_leave_twice() {
        Pool pool = pool(eni(0, "10.0.0.1/32", "10.0.0.2/32"));
        assertThat(lease(pool, "a", T)).isEqualTo("10.0.0.1");
        assertThat(lease(pool, "a", T)).isEqualTo("again 10.0.0.1");
        assertThat(pool.release(pod("a"), T, 30)).hasSize(1);
        assertThat(pool.release(pod("a"), T, 30)).isEmpty();
        assertThat(pool.release(pod("nobody"), T, 30)).isEmpty();
        assertThat(pool.counts(T)).isEqualTo(new Counts(0, 1, 1, 0));
        forget(pool, T + 31);
        assertThat(pool.counts(T + 31)).isEqualTo(new Counts(0, 0, 2, 0));
    }

    /** Meanwhile it counts as cooling and cannot be given back. */
    @Test
    void an_address_that_has_cooled_is_free_once_its_flows_are_forgotten() {
        Pool pool = pool(eni(0), eni(1, "10.0.1.1/32", "10.0.1.2/32"));
        assertThat(lease(pool, "a", T)).isEqualTo("10.0.1.1");
        assertThat(lease(pool, "b", T)).isEqualTo("10.0.1.2");
        pool.release(pod("a"), T, 30);
        pool.release(pod("b"), T, 40);
        assertThat(pool.cooled(T + 30)).isEmpty();
        pool.forgotten(List.of(IpAddress.parse("10.0.1.1")), T + 30); // too early to count
        assertThat(pool.cooled(T + 31)).containsExactly(IpAddress.parse("10.0.1.1"));
        assertThat(lease(pool, "c", T + 31)).isEqualTo("none");
        assertThat(pool.counts(T + 31)).isEqualTo(new Counts(0, 2, 0, 0));
        refuses(pool, new CloudAction.UnassignBlocks("eni-1", blocks("10.0.1.1/32")), "in use");

        forget(pool, T + 32);
        assertThat(pool.cooled(T + 32)).isEmpty();
        assertThat(pool.counts(T + 32)).isEqualTo(new Counts(0, 1, 1, 0));
        assertThat(lease(pool, "c", T + 32)).isEqualTo("10.0.1.1");
        forget(pool, T + 33);
        assertThat(pool.leasesOf(pod("c"))).hasSize(1);
    }

    @Test
    void a_node_that_cannot_forget_gets_its_addresses_back_a_little_later() {
        Pool pool = pool(eni(0, "10.0.0.1/32"));
        lease(pool, "a", T);
        pool.release(pod("a"), T, 30);
        assertThat(Fixtures.plan(pool, 0, T).wakeAtNanos()).hasValue(T + 31);
        long limit = T + 30 + Timing.FORGET_NANOS;
        assertThat(lease(pool, "b", limit)).isEqualTo("none");
        assertThat(Fixtures.plan(pool, 0, T + 31).wakeAtNanos()).hasValue(limit + 1);
        assertThat(lease(pool, "b", limit + 1)).isEqualTo("10.0.0.1");
    }

    @Test
    void addresses_wait_for_their_link() {
        Pool pool = pool(eni(0, "10.0.0.1/32"));
        pool.linkGone("eni-0", T);
        assertThat(lease(pool, "a", T)).isEqualTo("none");
        assertThat(pool.counts(T)).isEqualTo(new Counts(0, 0, 0, 1));
        pool.linkReady("eni-0");
        assertThat(lease(pool, "a", T)).isEqualTo("10.0.0.1");
    }

    @Test
    void the_journal_serves_before_the_cloud_is_asked_but_last() {
        Pool pool = new Pool();
        pool.restoreInterfaces(List.of(eni(0, "10.0.0.1/32", "10.0.0.2/32")), T);
        pool.adopt(new Lease(pod("a"), IpAddress.parse("10.0.0.1"), "eni-0"), T);
        pool.linkReady("eni-0");
        assertThat(lease(pool, "b", T)).isEqualTo("10.0.0.2");
        assertThat(lease(pool, "c", T)).isEqualTo("none");

        describe(pool, LATER, eni(0, "10.0.0.1/32"));
        pool.release(pod("b"), LATER, 0);
        forget(pool, LATER + 1);
        assertThat(lease(pool, "c", LATER + 1)).isEqualTo("none"); // the cloud does not list it

        pool.restoreInterfaces(List.of(eni(1, "10.0.1.1/32")), LATER);
        describe(pool, LATER + 1, eni(0, "10.0.0.1/32", "10.0.0.9/32"));
        pool.restoreInterfaces(List.of(eni(1, "10.0.1.1/32", "10.0.1.2/32")), LATER);
        pool.linkReady("eni-1");
        pool.adopt(new Lease(pod("d"), IpAddress.parse("10.0.1.1"), "eni-1"), LATER);
        pool.adopt(new Lease(pod("e"), IpAddress.parse("10.0.1.3"), "eni-1"), LATER);
        assertThat(lease(pool, "f", LATER + 1)).isEqualTo("10.0.0.9"); // though eni-1 is fuller
        assertThat(lease(pool, "g", LATER + 1)).isEqualTo("10.0.1.2");
    }

    @Test
    void hazard_07_an_interface_missing_from_an_answer_is_kept_for_its_pods() {
        CloudInterface second = eni(1, "10.0.1.1/32", "10.0.1.2/32");
        Pool pool = pool(eni(0), second);
        assertThat(lease(pool, "a", T)).isEqualTo("10.0.1.1");
        describe(pool, LATER, eni(0));
        assertThat(pool.leasesOf(pod("a")).getFirst().interfaceId()).isEqualTo("eni-1");
        assertThat(pool.interfaces().getLast().standing()).isEqualTo(Standing.MISSING);
        assertThat(lease(pool, "b", LATER)).isEqualTo("none");
        assertThat(Fixtures.plan(pool, 0, LATER).actions())
                .noneMatch(
                        action -> Flights.interfaceOf(action).filter("eni-1"::equals).isPresent());

        describe(pool, LATER + 1, eni(0), second);
        assertThat(lease(pool, "b", LATER + 1)).isEqualTo("10.0.1.2");

        pool.release(pod("a"), LATER + 1, 30);
        pool.release(pod("b"), LATER + 1, 30);
        describe(pool, LATER + 2, eni(0)); // they still cool
        assertThat(pool.counts(LATER + 2).cooling()).isEqualTo(2);
        forget(pool, LATER + 100);
        describe(pool, LATER + 100, eni(0));
        assertThat(pool.interfaces()).extracting(InterfaceView::id).containsExactly("eni-0");
    }

    @Test
    void the_primary_interface_is_never_dropped_nor_left_alone() {
        Pool pool = pool(unmanaged(eni(0, "10.0.0.1/32")), unmanaged(eni(1, "10.0.1.1/32")));
        assertThat(pool.interfaces()).extracting(InterfaceView::id).containsExactly("eni-0");
        assertThat(lease(pool, "a", T)).isEqualTo("10.0.0.1");
        pool.release(pod("a"), T, 0);
        forget(pool, LATER);
        describe(pool, LATER);
        assertThat(pool.interfaces()).extracting(InterfaceView::id).containsExactly("eni-0");
    }

    @Test
    void hazard_06_an_answer_of_our_own_beats_a_description_that_lags() {
        Pool pool = pool(eni(0, "10.0.0.1/32"));
        CloudAction assign = new CloudAction.AssignBlocks("eni-0", BlockKind.SECONDARY_ADDRESS, 1);
        answer(pool, assign, blocks("10.0.0.2/32"), T);
        describe(pool, T + 1, eni(0, "10.0.0.1/32"));
        assertThat(pool.counts(T + 1).free()).isEqualTo(2);

        CloudAction unassign = new CloudAction.UnassignBlocks("eni-0", blocks("10.0.0.1/32"));
        answer(pool, unassign, blocks("10.0.0.1/32"), T + 2);
        describe(pool, T + 3, eni(0, "10.0.0.1/32", "10.0.0.2/32"));
        assertThat(pool.counts(T + 3).free()).isEqualTo(1);

        describe(pool, LATER, eni(0, "10.0.0.1/32")); // by now the description is right
        assertThat(lease(pool, "a", LATER)).isEqualTo("10.0.0.1");
        assertThat(lease(pool, "b", LATER)).isEqualTo("none");
    }

    @Test
    void nothing_in_use_primary_or_unconfirmed_leaves() {
        Pool pool = pool(eni(0, "10.0.0.1/32"), eni(1, "10.0.1.1/32"));
        assertThat(lease(pool, "a", T)).isEqualTo("10.0.0.1");
        assertThat(lease(pool, "b", T)).isEqualTo("10.0.1.1");
        pool.release(pod("b"), T, 30);
        refuses(pool, new CloudAction.UnassignBlocks("eni-0", blocks("10.0.0.1/32")), "in use");
        refuses(pool, new CloudAction.UnassignBlocks("eni-1", blocks("10.0.1.1/32")), "in use");
        refuses(pool, new CloudAction.DetachInterface("eni-1"), "in use");
        refuses(pool, new CloudAction.DeleteInterface("eni-1"), "in use");
        pool.release(pod("a"), T, 0);
        forget(pool, T + 1);
        refuses(pool, new CloudAction.DetachInterface("eni-0"), "primary");
        pool.restoreInterfaces(List.of(eni(2, "10.0.2.1/32")), T);
        refuses(
                pool,
                new CloudAction.UnassignBlocks("eni-2", blocks("10.0.2.1/32")),
                "UNCONFIRMED");
    }

    private static void refuses(Pool pool, CloudAction action, String why) {
        assertThatIllegalStateException()
                .isThrownBy(() -> pool.begin(action, T + 1))
                .withMessageContaining(why);
        assertThat(pool.inFlight()).isEmpty();
    }

    @Test
    void what_is_on_its_way_out_is_not_leased_and_returns_when_refused() {
        Pool pool = pool(eni(0, "10.0.0.1/32"), eni(1, "10.0.1.1/32"));
        CloudAction unassign = new CloudAction.UnassignBlocks("eni-0", blocks("10.0.0.1/32"));
        CloudAction detach = new CloudAction.DetachInterface("eni-1");
        pool.begin(unassign, T);
        pool.begin(detach, T);
        assertThat(lease(pool, "a", T)).isEqualTo("none");
        assertThat(pool.unfinished()).containsExactly(unassign, detach);
        pool.end(unassign, new CloudAnswer.Refused<>(Refusal.THROTTLED, "slow"), T);
        pool.end(detach, new CloudAnswer.Refused<>(Refusal.BUSY, "busy"), T);
        assertThat(lease(pool, "a", T)).isEqualTo("10.0.0.1");
        assertThat(lease(pool, "b", T)).isEqualTo("10.0.1.1");
    }

    @Test
    void a_living_pod_wins_over_everything() {
        Pool pool = pool(eni(0, "10.0.0.1/32", "10.0.0.2/32"));
        assertThat(lease(pool, "a", T)).isEqualTo("10.0.0.1");
        assertThat(lease(pool, "b", T)).isEqualTo("10.0.0.2");
        Lease theirs = new Lease(pod("b"), IpAddress.parse("10.0.0.1"), "eni-0");
        assertThat(pool.adopt(theirs, T))
                .containsExactly(
                        new Lease(pod("b"), IpAddress.parse("10.0.0.2"), "eni-0"),
                        new Lease(pod("a"), IpAddress.parse("10.0.0.1"), "eni-0"));
        assertThat(pool.leases()).containsExactly(theirs);

        Lease unknown = new Lease(pod("c"), IpAddress.parse("10.0.7.7"), "eni-7");
        assertThat(pool.adopt(unknown, T)).isEmpty();
        describe(pool, LATER, eni(0, "10.0.0.1/32"));
        assertThat(pool.leasesOf(pod("c"))).containsExactly(unknown);
    }

    @Test
    void an_unassign_that_a_pod_overtook_leaves_the_pod_its_address() {
        Pool pool = pool(eni(0, "10.0.0.1/32"));
        CloudAction unassign = new CloudAction.UnassignBlocks("eni-0", blocks("10.0.0.1/32"));
        pool.begin(unassign, T);
        Lease lease = new Lease(pod("a"), IpAddress.parse("10.0.0.1"), "eni-0");
        pool.adopt(lease, T);
        pool.end(unassign, new CloudAnswer.Done<>(blocks("10.0.0.1/32")), T);
        assertThat(pool.leases()).containsExactly(lease);
    }

    @Test
    void a_refusal_is_held_against_what_caused_it() {
        Pool pool = pool(eni(0), eni(1));
        refuse(
                pool,
                new CloudAction.AssignBlocks("eni-1", BlockKind.SECONDARY_ADDRESS, 1),
                Refusal.SUBNET_FULL,
                T);
        refuse(pool, new CloudAction.AttachInterface("eni-1", 2), Refusal.BUSY, T);
        refuse(pool, new CloudAction.AttachInterface("eni-1", 2), Refusal.THROTTLED, T);
        refuse(pool, new CloudAction.AttachInterface("eni-1", 2), Refusal.THROTTLED, T);
        assertThat(pool.holds())
                .extracting(Hold::subject, Hold::failures)
                .containsExactly(
                        tuple("AttachInterface", 2), tuple("eni-1", 1), tuple("subnet-1", 1));
        answer(pool, new CloudAction.AttachInterface("eni-1", 1), eni(1), T);
        assertThat(pool.holds()).extracting(Hold::subject).containsExactly("subnet-1");
    }

    @Test
    void nothing_is_held_against_an_interface_that_is_gone() {
        Pool pool = pool(eni(0), eni(1), eni(2));
        for (String id : List.of("eni-1", "eni-2")) {
            refuse(pool, new CloudAction.AttachInterface(id, 2), Refusal.BUSY, T);
        }
        describe(pool, T + Timing.SETTLE_NANOS, eni(0), eni(2));
        assertThat(pool.holds()).extracting(Hold::subject).containsExactly("eni-2");
        refuse(
                pool,
                new CloudAction.DeleteInterface("eni-2"),
                Refusal.GONE,
                T + Timing.SETTLE_NANOS);
        assertThat(pool.holds()).isEmpty();
    }
}
