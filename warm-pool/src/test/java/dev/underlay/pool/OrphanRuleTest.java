package dev.underlay.pool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.pool.UnattachedInterface.Made;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

final class OrphanRuleTest {
    private static final Instant NOW = Instant.parse("2026-11-25T12:00:00Z");

    private static OrphanRule rule(String instanceId, Made made) {
        return OrphanRule.of(new UnattachedInterface("eni-1", instanceId, made), "i-own", NOW);
    }

    private static Made minutesAgo(long minutes) {
        return new Made.At(NOW.minus(Duration.ofMinutes(minutes)));
    }

    @Test
    void golden_vector_g63() {
        assertThat(rule("i-1", minutesAgo(4))).isEqualTo(OrphanRule.KEEP);
        assertThat(rule("i-1", minutesAgo(6))).isEqualTo(OrphanRule.DELETE);
        assertThat(rule("i-1", new Made.Untold())).isEqualTo(OrphanRule.DATE);
    }

    @Test
    void hazard_43_a_date_that_cannot_be_read_is_not_an_old_one() {
        assertThat(rule("i-1", new Made.Unreadable("yesterday"))).isEqualTo(OrphanRule.KEEP);
    }

    @Test
    void a_clock_that_runs_behind_keeps() {
        assertThat(rule("i-1", minutesAgo(-30))).isEqualTo(OrphanRule.KEEP);
    }

    @Test
    void what_is_ones_own_is_left_to_the_planner() {
        assertThat(rule("i-own", minutesAgo(60))).isEqualTo(OrphanRule.KEEP);
        assertThat(rule("i-own", new Made.Untold())).isEqualTo(OrphanRule.KEEP);
    }
}
