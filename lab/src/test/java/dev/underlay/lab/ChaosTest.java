package dev.underlay.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A small fixed sample of {@code ./underlay chaos}. */
@Tag("kernel")
final class ChaosTest {
    private static final int KILLS = 12;
    private static final long SEED = 20;

    @Test
    void pods_outlive_a_daemon_that_is_killed_at_random_moments() throws IOException {
        Kernel.required();
        ChaosReport report = Chaos.run(OneNode.programs(), KILLS, SEED, System.err);

        assertThat(report.broken()).describedAs(report.text()).isEmpty();
        assertThat(report.kills()).isEqualTo(KILLS);
        assertThat(report.pingsSent()).isGreaterThan(100);
        assertThat(report.pingsLost()).isZero();
        assertThat(report.adds()).isGreaterThan(KILLS);
        assertThat(report.dels()).isGreaterThan(KILLS);
    }
}
