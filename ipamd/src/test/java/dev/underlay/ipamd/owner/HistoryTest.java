package dev.underlay.ipamd.owner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.ipamd.journal.JournalState;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.PoolSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who had which address when: over releases, over a restart, up to its bound. */
class HistoryTest {
    /** What the wall's clock shows 1,000 s after boot, where the test's clock begins. */
    private static final Instant BEGIN = Instant.parse("2026-11-25T12:00:00Z");

    @TempDir Path folder;

    @Test
    void it_tells_who_had_an_address_and_who_has_it_also_after_a_restart() throws Exception {
        IpAddress address;
        FakeCloud cloud = new FakeCloud();
        FakeNode kernel = new FakeNode();
        try (OwnerHarness node = daemon(cloud, kernel)) {
            node.ready();
            for (int i = 0; i < 26; i++) {
                node.add("other-" + i);
            }
            Turn.Add first = node.add("web-0");
            node.calm();
            address = node.granted(first); // the last one that the node can have
            node.wire(first, 3);
            node.advance(5, TimeUnit.SECONDS);
            var _ = node.owner.released(node.del("web-0"));
            node.run();
            node.advance(40, TimeUnit.SECONDS);
            assertThat(node.granted(node.add("web-1"))).isEqualTo(address);
            assertThat(entries(node, address))
                    .containsExactly(
                            "web-0 12:00:00Z 12:00:05Z false", "web-1 12:00:45Z null true");
        }
        try (OwnerHarness node = daemon(cloud, kernel)) {
            node.advance(60, TimeUnit.SECONDS);
            node.recover(List.of()); // web-1's link vanished while no daemon ran
            assertThat(entries(node, address))
                    .containsExactly(
                            "web-0 12:00:00Z 12:00:05Z false", "web-1 12:00:45Z 12:01:00Z false");
        }
    }

    @Test
    void a_pod_that_only_the_kernel_knows_has_its_address_since_an_unknown_time() throws Exception {
        try (OwnerHarness node = OwnerHarness.fresh(folder)) {
            IpAddress address = IpAddress.parse("10.0.0.77");
            node.recover(
                    List.of(
                            OwnerHarness.link(
                                    new Sandbox(OwnerHarness.key("old"), 7, "shop", "old"),
                                    address,
                                    3)));
            assertThat(entries(node, address)).containsExactly("old null null true");
        }
    }

    @Test
    void the_oldest_leases_are_forgotten_and_that_is_told() throws Exception {
        try (OwnerHarness node = OwnerHarness.fresh(folder).ready()) {
            for (int i = 0; i <= JournalState.MAX_ENDED; i++) {
                Turn.Add add = node.add("c" + i);
                assertThat(add.answer()).as("%d", i).isDone();
                assertThat(report(node).complete()).isEqualTo(i < JournalState.MAX_ENDED);
                var _ = node.owner.abandon(add, false);
                node.run();
                node.advance(1, TimeUnit.NANOSECONDS);
            }
            HistoryReport report = report(node);
            assertThat(report.complete()).isFalse();
            assertThat(report.entries()).hasSize(JournalState.MAX_ENDED);
            assertThat(report.entries().getFirst().podName()).isEqualTo("c1");
        }
    }

    private OwnerHarness daemon(FakeCloud cloud, FakeNode kernel) throws Exception {
        return new OwnerHarness(folder.resolve("journal"), cloud, kernel, PoolSettings.defaults());
    }

    private static List<String> entries(OwnerHarness node, IpAddress address) throws Exception {
        return report(node).entries().stream()
                .filter(one -> one.address().equals(address.toString()))
                .map(one ->
                        "%s %s %s %s"
                                .formatted(one.podName(), one.from(), one.until(), one.lasts()))
                .map(line -> line.replace("2026-11-25T", ""))
                .toList();
    }

    private static HistoryReport report(OwnerHarness node) throws Exception {
        Duration since = Duration.ofNanos(node.mailbox.nowNanos() - 1_000_000_000_000L);
        var asked = node.owner.history(BEGIN.plus(since));
        node.run();
        return asked.get();
    }
}
