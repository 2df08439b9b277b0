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

    /** G60: at the very end of its period it still cools. */
    @Test
    void a_cooling_address_is_free_once_its_period_has_passed() {
        Cooling cooling = new Cooling(T + PERIOD);
        assertThat(AddressState.at(cooling, T + PERIOD)).isEqualTo(cooling);
        assertThat(AddressState.lease(cooling, DB, T + PERIOD)).isInstanceOf(Change.Refused.class);
        assertThat(AddressState.at(cooling, T + PERIOD + 1)).isEqualTo(new Free(T + PERIOD));
        assertThat(AddressState.lease(cooling, DB, T + PERIOD + 1))
                .isEqualTo(new Change.Moved(new Leased(DB)));
    }
}
