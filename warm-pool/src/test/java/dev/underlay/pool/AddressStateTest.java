package dev.underlay.pool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.pool.AddressState.Change;
import dev.underlay.pool.AddressState.Cooling;
import dev.underlay.pool.AddressState.Free;
import dev.underlay.pool.AddressState.Leased;
import org.junit.jupiter.api.Test;

final class AddressStateTest {
    private static final AttachmentKey WEB = new AttachmentKey("underlay", "web", "eth0");
    private static final AttachmentKey DB = new AttachmentKey("underlay", "db", "eth0");
    private static final long T = 1_000;
    private static final long PERIOD = 30;

    @Test
    void a_free_address_is_leased() {
        assertThat(AddressState.lease(new Free(AddressState.NEVER_USED), WEB, T))
                .isEqualTo(new Change.Moved(new Leased(WEB)));
    }

    @Test
    void a_leased_address_stays_with_its_pod() {
        Leased leased = new Leased(WEB);
        assertThat(AddressState.lease(leased, WEB, T)).isEqualTo(new Change.AlreadySo());
        assertThat(AddressState.lease(leased, DB, T)).isInstanceOf(Change.Refused.class);
        assertThat(AddressState.release(leased, DB, T, PERIOD))
                .isEqualTo(new Change.Refused("held by underlay/web/eth0"));
    }

    @Test
    void a_released_address_cools_and_a_second_release_changes_nothing() {
        Change released = AddressState.release(new Leased(WEB), WEB, T, PERIOD);
        Cooling cooling = new Cooling(T + PERIOD);
        assertThat(released).isEqualTo(new Change.Moved(cooling));
        assertThat(AddressState.release(cooling, WEB, T + 5, PERIOD))
                .isEqualTo(new Change.AlreadySo());
        assertThat(AddressState.release(new Free(T), WEB, T, PERIOD))
                .isEqualTo(new Change.AlreadySo());
    }

    /** G60: at the very end of its period it still cools. And until its flows are forgotten. */
    @Test
    void a_cooling_address_is_free_once_its_period_has_passed_and_its_flows_are_forgotten() {
        Cooling cooling = new Cooling(T + PERIOD);
        assertThat(AddressState.forgotten(cooling, T + PERIOD)).isEqualTo(cooling);
        assertThat(AddressState.cooled(cooling, T + PERIOD)).isFalse();
        assertThat(AddressState.lease(cooling, DB, T + PERIOD))
                .isEqualTo(new Change.Refused("cooling for another 0 ns"));

        long after = T + PERIOD + 1;
        assertThat(AddressState.at(cooling, after)).isEqualTo(cooling);
        assertThat(AddressState.cooled(cooling, after)).isTrue();
        assertThat(AddressState.lease(cooling, DB, after))
                .isEqualTo(new Change.Refused("the node has not forgotten its flows yet"));
        Free free = new Free(T + PERIOD);
        assertThat(AddressState.forgotten(cooling, after)).isEqualTo(free);
        assertThat(AddressState.lease(free, DB, after)).isEqualTo(new Change.Moved(new Leased(DB)));
    }

    @Test
    void a_node_that_cannot_forget_does_not_keep_the_address_for_ever() {
        Cooling cooling = new Cooling(T + PERIOD);
        long limit = T + PERIOD + Timing.FORGET_NANOS;
        assertThat(AddressState.at(cooling, limit)).isEqualTo(cooling);
        assertThat(AddressState.at(cooling, limit + 1)).isEqualTo(new Free(T + PERIOD));
        assertThat(AddressState.cooled(cooling, limit + 1)).isFalse();
    }

    @Test
    void only_what_has_cooled_is_freed_by_forgetting() {
        assertThat(AddressState.forgotten(new Leased(WEB), T)).isEqualTo(new Leased(WEB));
        assertThat(AddressState.forgotten(new Free(5), T)).isEqualTo(new Free(5));
    }
}
