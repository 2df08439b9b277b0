package dev.underlay.ipamd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.pool.CloudAnswer;
import dev.underlay.pool.ClusterInterfaces;
import dev.underlay.pool.Refusal;
import dev.underlay.pool.UnattachedInterface;
import dev.underlay.pool.UnattachedInterface.Made;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.Test;

final class OrphanSweeperTest {
    private static final Instant NOW = Instant.parse("2026-11-25T12:00:00Z");
    private static final Made OLD = new Made.At(NOW.minusSeconds(3_600));

    private final Cloud cloud = new Cloud();
    private final OrphanSweeper sweeper =
            new OrphanSweeper(cloud, "i-own", InstantSource.fixed(NOW));

    private static final class Cloud implements ClusterInterfaces {
        private CloudAnswer<List<UnattachedInterface>> left = new CloudAnswer.Done<>(List.of());
        private final List<String> calls = new ArrayList<>();
        private boolean refuses;

        @Override
        public CloudAnswer<List<UnattachedInterface>> unattached() {
            calls.add("unattached");
            return left;
        }

        @Override
        public CloudAnswer<String> dateInterface(String interfaceId, Instant made) {
            calls.add("date " + interfaceId + " " + made);
            return answer(interfaceId);
        }

        @Override
        public CloudAnswer<String> deleteUnattached(String interfaceId) {
            calls.add("delete " + interfaceId);
            return answer(interfaceId);
        }

        private CloudAnswer<String> answer(String id) {
            return refuses
                    ? new CloudAnswer.Refused<>(Refusal.NOT_PERMITTED, "no")
                    : new CloudAnswer.Done<>(id);
        }
    }

    private void left(UnattachedInterface... all) {
        cloud.left = new CloudAnswer.Done<>(List.of(all));
    }

    /** G63: young ones stay, old ones go, one without a date is dated and stays. */
    @Test
    void hazard_16_the_leader_removes_what_other_nodes_left_and_dates_what_has_no_date() {
        left(
                new UnattachedInterface("eni-old", "i-1", OLD),
                new UnattachedInterface("eni-young", "i-1", new Made.At(NOW.minusSeconds(60))),
                new UnattachedInterface("eni-untold", "i-2", new Made.Untold()),
                new UnattachedInterface("eni-odd", "i-2", new Made.Unreadable("?")),
                new UnattachedInterface("eni-own", "i-own", OLD));

        sweeper.sweep(() -> true);
        assertThat(cloud.calls)
                .as("what is seen free for the first time stays")
                .containsExactly("unattached", "date eni-untold " + NOW);
        cloud.calls.clear();

        sweeper.sweep(() -> true);
        assertThat(cloud.calls)
                .containsExactly("unattached", "delete eni-old", "date eni-untold " + NOW);
    }

    @Test
    void who_does_not_lead_asks_for_nothing() {
        left(new UnattachedInterface("eni-old", "i-1", OLD));

        sweeper.sweep(() -> false);

        assertThat(cloud.calls).isEmpty();
    }

    @Test
    void who_loses_the_lead_stops() {
        left(
                new UnattachedInterface("eni-1", "i-1", OLD),
                new UnattachedInterface("eni-2", "i-1", OLD));
        sweeper.sweep(() -> true);
        cloud.calls.clear();
        Iterator<Boolean> lead = List.of(true, true, false).iterator();

        sweeper.sweep(lead::next);

        assertThat(cloud.calls).containsExactly("unattached", "delete eni-1");
    }

    @Test
    void a_refusal_stops_nothing() {
        left(
                new UnattachedInterface("eni-1", "i-1", OLD),
                new UnattachedInterface("eni-2", "i-1", OLD));
        sweeper.sweep(() -> true);
        cloud.calls.clear();
        cloud.refuses = true;
        sweeper.sweep(() -> true);
        assertThat(cloud.calls).containsExactly("unattached", "delete eni-1", "delete eni-2");

        cloud.left = new CloudAnswer.Refused<>(Refusal.MISCONFIGURED, "CLUSTER_NAME is not set");
        cloud.calls.clear();
        sweeper.sweep(() -> true);
        assertThat(cloud.calls).containsExactly("unattached");
    }
}
