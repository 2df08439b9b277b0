package dev.underlay.ipamd.owner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.cni.linux.Linux;
import dev.underlay.cni.wiring.PodLink;
import dev.underlay.ipamd.journal.JournalRecord;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudAction;
import dev.underlay.pool.Cordon;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.PoolSettings;
import dev.underlay.pool.Refusal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** ADD and DEL against a pool whose cloud, kernel and time are the test's own. */
class PoolOwnerTest {
    @TempDir Path folder;

    @Test
    void a_fresh_node_asks_the_cloud_and_then_serves() throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder)) {
            node.run();
            assertThat(node.owner.state().refusal(node.mailbox.nowNanos()))
                    .hasValueSatisfying(error -> assertThat(error.code()).isEqualTo(50));
            node.ready();
            assertThat(node.owner.state().refusal(node.mailbox.nowNanos())).isEmpty();
            assertThat(node.owner.serving().toCompletableFuture()).isDone();
            assertThat(node.cloud.assigned(node.granted(node.add("c1")))).isTrue();
            assertThat(node.node.cidrs()).isEqualTo(FakeCloud.NODE.networkCidrs());
        }
    }

    @Test
    void every_pod_of_a_full_node_has_an_address_of_its_own() throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder).ready()) {
            Set<IpAddress> addresses = new HashSet<>();
            List<Turn.Add> adds = new ArrayList<>();
            for (int i = 0; i < 27; i++) {
                adds.add(node.add("c" + i));
            }
            node.calm();
            adds.forEach(add -> addresses.add(node.granted(add)));
            assertThat(addresses).hasSize(27);
            assertThat(node.node.routed()).hasSize(3);
        }
    }

    @Test
    void hazard_03_adds_without_a_free_address_wait_and_are_served_in_their_order()
            throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder).ready()) {
            fill(node, 27);
            Turn.Add first = node.add("first");
            Turn.Add second = node.add("second");
            assertThat(first.answer()).isNotDone();
            release(node, "c3");
            release(node, "c4");
            assertThat(first.answer()).isNotDone();
            node.advance(31, TimeUnit.SECONDS);
            assertThat(first.answer()).isDone();
            assertThat(node.granted(first)).isNotNull();
            assertThat(second.answer()).isDone();
        }
    }

    @Test
    void an_add_that_waited_too_long_is_told_why() throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder).ready()) {
            fill(node, 27);
            Turn.Add late = node.add("late");
            node.advance(59, TimeUnit.SECONDS);
            assertThat(late.answer()).isNotDone();
            node.advance(2, TimeUnit.SECONDS);
            assertThat(late.answer().getNow(null))
                    .isInstanceOfSatisfying(
                            AddAnswer.Refused.class,
                            refused -> {
                                assertThat(refused.error().code()).isEqualTo(11);
                                assertThat(refused.error().message())
                                        .contains("60 s")
                                        .contains("interfaces");
                            });
            release(node, "c1");
            node.advance(31, TimeUnit.SECONDS);
            assertThat(node.add("next").answer()).isDone();
        }
    }

    @Test
    void hazard_05_calls_that_are_under_way_keep_nobody_waiting() throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder).ready()) {
            int asked = node.cloud.asked().size();
            Turn.Add first = node.add("c0");
            node.wire(first, 1);
            for (int i = 1; i < 6; i++) {
                node.add("c" + i);
            }
            assertThat(node.cloud.asked()).as("under way from here on").hasSizeGreaterThan(asked);
            IpAddress next = node.granted(node.add("next"));
            assertThat(next).isNotEqualTo(node.granted(first));
            release(node, "c0");
            assertThat(node.journal.state().lease(first.key())).isEmpty();
            for (int i = 7; i < 27; i++) {
                node.add("c" + i);
            }
            assertThat(node.cloud.asked())
                    .as("several at once, none answered")
                    .hasSizeGreaterThan(asked + 1);
        }
    }

    @Test
    void with_the_cloud_away_adds_succeed_while_slots_last_and_then_wait() throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder).ready()) {
            node.cloud.refuse(Refusal.UNAVAILABLE, "EC2 does not answer");
            int served = 0;
            Turn.Add add = node.add("c0");
            node.calm();
            while (add.answer().isDone()) {
                served++;
                add = node.add("c" + served);
                node.calm();
            }
            assertThat(served).isEqualTo(8);
            node.cloud.recover();
            node.advance(50, TimeUnit.SECONDS);
            node.calm();
            assertThat(add.answer()).isDone();
        }
    }

    @Test
    void hazard_36_an_address_that_has_cooled_is_leased_once_the_kernel_has_forgotten_its_flows()
            throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder).ready()) {
            fill(node, 27);
            Turn.Add waiting = node.add("waiting");
            Turn.Add next = node.add("next");
            String first =
                    node.journal
                                    .state()
                                    .lease(OwnerHarness.key("c3"))
                                    .orElseThrow()
                                    .addresses()
                                    .getFirst()
                            + "/32";
            release(node, "c3");
            node.node.takeForgotten();
            node.advance(30, TimeUnit.SECONDS);
            assertThat(node.node.takeForgotten()).as("it still cools").isEmpty();
            node.node.holdFlows();
            node.advance(1, TimeUnit.SECONDS);
            assertThat(node.node.takeForgotten()).containsExactly(first);
            assertThat(waiting.answer()).isNotDone();
            node.node.letFlowsGo();
            node.run();
            assertThat(node.granted(waiting) + "/32").isEqualTo(first);
            assertThat(next.answer()).isNotDone();
            assertThat(node.node.takeForgotten()).as("asked for once").isEmpty();
        }
    }

    /** It may be the kernel's fault or the daemon's: addresses come back, later. */
    @Test
    void a_kernel_that_never_answers_about_flows_keeps_no_address_for_ever() throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder).ready()) {
            fill(node, 27);
            Turn.Add waiting = node.add("waiting");
            node.node.holdFlows();
            release(node, "c3");
            node.advance(31, TimeUnit.SECONDS);
            assertThat(waiting.answer()).isNotDone();
            node.advance(10, TimeUnit.SECONDS);
            assertThat(waiting.answer()).isDone();
            assertThat(node.granted(waiting)).isNotNull();
        }
    }

    /** An address may have been another node's, with flows from here. */
    @Test
    void a_block_is_leased_from_once_the_kernel_has_forgotten_its_former_life() throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder)) {
            node.node.holdFlows();
            node.ready();
            node.node.letFlowsGo(); // of the primary interface, which has no blocks yet
            node.node.holdFlows();
            node.calm();
            Turn.Add add = node.add("first");
            assertThat(add.answer()).isNotDone();
            List<String> asked = node.node.takeForgotten();
            node.node.letFlowsGo();
            node.calm();
            assertThat(asked).contains(node.granted(add) + "/32");
            fill(node, 20);
            List<String> more = node.node.takeForgotten();
            assertThat(more).doesNotContain(node.granted(add) + "/32");
            assertThat(more).hasSizeGreaterThan(10);
        }
    }

    @Test
    void a_del_takes_the_turn_of_an_add_that_waits() throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder).ready()) {
            fill(node, 27);
            Turn.Add waiting = node.add("waiting");
            Turn.Del del = node.del("waiting");
            assertThat(waiting.answer().getNow(null)).isInstanceOf(AddAnswer.Refused.class);
            assertThat(del.answer().getNow(null)).isInstanceOf(DelAnswer.Nothing.class);
            release(node, "c1");
            node.advance(31, TimeUnit.SECONDS);
            assertThat(node.journal.state().lease(OwnerHarness.key("waiting"))).isEmpty();
        }
    }

    @Test
    void a_del_during_the_wiring_waits_for_it() throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder).ready()) {
            Turn.Add add = node.add("c1");
            Turn.Del del = node.del("c1");
            assertThat(del.answer()).isNotDone();
            node.wire(add, 7);
            assertThat(del.answer().getNow(null))
                    .isInstanceOfSatisfying(
                            DelAnswer.Unwire.class,
                            unwire ->
                                    assertThat(unwire.what().link().orElseThrow().index())
                                            .isEqualTo(7));
            Turn.Add again = node.add("c1", 77);
            assertThat(again.answer()).isNotDone();
            var _ = node.owner.released(del);
            node.run();
            assertThat(again.answer().getNow(null)).isInstanceOf(AddAnswer.Granted.class);
            assertThat(node.granted(again)).isNotEqualTo(node.granted(add));
        }
    }

    @Test
    void a_repeated_add_gets_the_stored_result_and_another_namespace_is_refused()
            throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder).ready()) {
            Turn.Add add = node.add("c1", 5);
            node.wire(add, 7);
            assertThat(node.add("c1", 5).answer().getNow(null))
                    .isEqualTo(new AddAnswer.Stored("{\"address\":\"" + node.granted(add) + "\"}"));
            assertThat(node.add("c1", 6).answer().getNow(null))
                    .isInstanceOfSatisfying(
                            AddAnswer.Refused.class,
                            refused -> assertThat(refused.error().code()).isEqualTo(100));
            assertThat(node.journal.state().leases()).hasSize(1);
        }
    }

    @Test
    void an_address_that_never_reached_its_pod_is_free_at_once() throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder).ready()) {
            fill(node, 26);
            Turn.Add add = node.add("c1-broken");
            IpAddress address = node.granted(add);
            var _ = node.owner.abandon(add, false);
            node.run();
            assertThat(node.journal.state().lease(add.key())).isEmpty();
            node.advance(1, TimeUnit.NANOSECONDS);
            assertThat(node.granted(node.add("next"))).isEqualTo(address);
        }
    }

    @Test
    void an_abandoned_place_in_the_queue_takes_nothing() throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder).ready()) {
            fill(node, 27);
            Turn.Add gone = node.add("gone");
            Turn.Add stays = node.add("stays");
            var _ = node.owner.abandon(gone, false);
            release(node, "c1");
            node.advance(31, TimeUnit.SECONDS);
            assertThat(gone.answer().getNow(null)).isInstanceOf(AddAnswer.Refused.class);
            assertThat(stays.answer().getNow(null)).isInstanceOf(AddAnswer.Granted.class);
        }
    }

    @Test
    void a_released_address_rests_before_another_pod_gets_it() throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder).ready()) {
            List<Turn.Add> adds = fill(node, 27);
            IpAddress address = node.granted(adds.get(5));
            release(node, "c5");
            Turn.Add next = node.add("next");
            node.advance(29, TimeUnit.SECONDS);
            assertThat(next.answer()).isNotDone();
            node.advance(2, TimeUnit.SECONDS);
            assertThat(node.granted(next)).isEqualTo(address);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void after_a_journal_lost_records_all_addresses_without_a_pod_rest(boolean all)
            throws IOException {
        FakeCloud cloud = new FakeCloud();
        FakeNode kernel = new FakeNode();
        PoolSettings settings = PoolSettings.defaults();
        Path journal = folder.resolve("journal");
        PodLink link;
        IpAddress living;
        List<Cidr> before;
        try (OwnerHarness node = new OwnerHarness(journal, cloud, kernel, settings)) {
            node.ready();
            Turn.Add add = node.add("living");
            link = node.wire(add, 3);
            living = node.granted(add);
            before = blocks(node);
            assertThat(before).hasSizeGreaterThan(4);
        }
        if (all) {
            Files.delete(journal);
        }
        try (OwnerHarness node = new OwnerHarness(journal, cloud, kernel, settings, 1)) {
            node.recover(List.of(link));
            node.owner.restAll(node.mailbox.nowNanos() + TimeUnit.SECONDS.toNanos(30));
            node.ready();
            Turn.Add first = node.add("first");
            node.calm();
            assertThat(before).as("a fresh one").doesNotContain(Cidr.of(node.granted(first)));
            assertThat(node.journal.state().lease(OwnerHarness.key("living")).orElseThrow())
                    .extracting(JournalRecord.Leased::addresses)
                    .isEqualTo(List.of(living));
            node.advance(31, TimeUnit.SECONDS);
            fill(node, 20);
            Set<Cidr> leased = new HashSet<>();
            node.journal
                    .state()
                    .leases()
                    .forEach(one -> leased.add(Cidr.of(one.addresses().getFirst())));
            assertThat(leased).as("they have rested").containsAll(before);
        }
    }

    private static List<Cidr> blocks(OwnerHarness node) {
        return node.journal.state().interfaces().stream()
                .flatMap(one -> one.blocks().stream())
                .toList();
    }

    @Test
    void a_del_from_the_past_means_only_an_older_lease() throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder).ready()) {
            long before = node.mailbox.nowNanos();
            node.advance(1, TimeUnit.SECONDS);
            node.wire(node.add("c1"), 7);
            Turn.Del old = node.owner.del(OwnerHarness.key("c1"), OptionalLong.of(before));
            node.run();
            assertThat(old.answer().getNow(null)).isInstanceOf(DelAnswer.Nothing.class);
            node.advance(1, TimeUnit.SECONDS);
            Turn.Del young =
                    node.owner.del(
                            OwnerHarness.key("c1"), OptionalLong.of(node.mailbox.nowNanos()));
            node.run();
            assertThat(young.answer().getNow(null)).isInstanceOf(DelAnswer.Unwire.class);
        }
    }

    @Test
    void a_block_is_routed_before_its_addresses_are_leased() throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder)) {
            node.owner.identified(FakeCloud.NODE);
            node.run();
            Turn.Add add = node.add("c1");
            node.cloud.answerOne(); // the description
            node.run();
            node.node.hold();
            node.calm(); // the blocks
            assertThat(add.answer()).isNotDone();
            node.node.letGo();
            node.run();
            assertThat(node.node.routes(Cidr.of(node.granted(add)))).isTrue();
        }
    }

    @Test
    void an_interface_that_the_kernel_refuses_is_told_by_name_and_tried_again() throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder)) {
            node.node.refuse(true);
            node.ready();
            assertThat(node.owner.state().refusal(node.mailbox.nowNanos()))
                    .hasValueSatisfying(error -> {
                        assertThat(error.code()).isEqualTo(51);
                        assertThat(error.message()).contains("eni-0");
                    });
            node.node.refuse(false);
            node.advance(2, TimeUnit.SECONDS);
            node.calm();
            assertThat(node.owner.state().refusal(node.mailbox.nowNanos())).isEmpty();
            assertThat(node.add("c1").answer()).isDone();
        }
    }

    /**
     * What was routed before the refusal stands in the kernel although the interface is not ready.
     */
    @Test
    void an_interface_that_goes_after_the_kernel_refused_a_block_leaves_no_route()
            throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder).ready()) {
            node.owner.settings(settings(Map.of("WARM_IP_TARGET", "12")));
            node.calm();
            assertThat(node.node.routed()).containsOnlyKeys("eni-0", "eni-1");
            node.node.refuse(true);
            node.owner.settings(settings(Map.of("WARM_IP_TARGET", "14")));
            node.calm();
            assertThat(node.owner.state().problems()).singleElement().asString().contains("eni-1");
            node.cloud.deleteInterface("eni-1"); // by somebody else
            node.advance(11, TimeUnit.MINUTES);
            node.node.refuse(false);
            node.calm();
            assertThat(node.node.routed()).containsOnlyKeys("eni-0", "eni-2");
        }
    }

    @Test
    void the_token_of_a_new_interface_is_journalled_before_the_cloud_is_asked() throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder).ready()) {
            for (int i = 0; i < 12; i++) {
                node.add("c" + i);
            }
            List<CloudAction> made =
                    node.cloud.asked().stream()
                            .filter(CloudAction.CreateInterface.class::isInstance)
                            .toList();
            assertThat(made).isNotEmpty();
            assertThat(node.journal.state().unfinished()).isEqualTo(made);
            node.calm();
            assertThat(node.journal.state().unfinished()).isEmpty();
            assertThat(node.journal.state().interfaces()).isEqualTo(node.cloud.all());
        }
    }

    @Test
    void a_pod_whose_link_vanished_loses_its_lease() throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder).ready()) {
            node.wire(node.add("c1"), 7);
            node.wire(node.add("c2"), 8);
            node.wire(node.add("c3"), 9);
            node.owner.linkGone(7);
            node.owner.linkGone(70);
            node.run();
            CompletableFuture<Set<Integer>> known = node.owner.podLinks();
            node.run();
            assertThat(known).isCompletedWithValue(Set.of(8, 9));
            node.owner.linkGone(8);
            node.run();
            assertThat(node.journal.state().leases())
                    .extracting(JournalRecord.Leased::key)
                    .containsExactly(OwnerHarness.key("c3"));
        }
    }

    @Test
    void an_empty_list_of_cidrs_is_never_believed() throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder).ready()) {
            node.owner.networkCidrs(List.of());
            node.run();
            assertThat(node.node.cidrs()).isEqualTo(FakeCloud.NODE.networkCidrs());
            node.owner.networkCidrs(List.of(Cidr.parse("10.0.0.0/16"), Cidr.parse("10.9.0.0/16")));
            node.run();
            assertThat(node.node.cidrs()).hasSize(2);
            assertThat(node.journal.state().networkCidrs()).hasSize(2);
        }
    }

    /** Only a file system that is full refuses an append, so a small one is filled. */
    @Test
    @Tag("kernel")
    void an_add_that_cannot_be_journalled_is_refused_and_holds_nothing() throws IOException {
        try {
            Linux.check("mount", c -> c.mount("tmpfs", folder.toString(), "tmpfs", 0, "size=32k"));
        } catch (IOException e) {
            Assumptions.abort("SKIPPED: no small file system: " + e.getMessage());
        }
        try (OwnerHarness node = OwnerHarness.fresh(folder).ready()) {
            Turn.Add add = node.add("c-0");
            int i = 0;
            while (add.answer().getNow(null) instanceof AddAnswer.Granted && i++ < 2000) {
                var _ = node.owner.abandon(add, false);
                node.advance(1, TimeUnit.NANOSECONDS);
                add = node.add("c-" + i);
            }
            assertThat(add.answer().getNow(null))
                    .isInstanceOfSatisfying(
                            AddAnswer.Refused.class,
                            refused ->
                                    assertThat(refused.error().message())
                                            .contains("journal")
                                            .contains("space"));
            assertThat(node.journal.state().leases()).isEmpty();
        } finally {
            Linux.check("umount", c -> c.umount2(folder.toString(), 0));
        }
    }

    @Test
    void the_report_shows_what_is_there() throws Exception {
        PoolSettings settings =
                ((PoolSettings.Parsed.Good)
                                PoolSettings.fromEnvironment(Map.of("WARM_IP_TARGET", "3")))
                        .settings();
        try (OwnerHarness node =
                new OwnerHarness(
                        folder.resolve("journal"), new FakeCloud(), new FakeNode(), settings)) {
            node.ready();
            node.wire(node.add("web-0"), 7);
            node.calm();
            var asked = node.owner.report();
            node.run();
            StatusReport report = asked.get();
            assertThat(report.ready()).isTrue();
            assertThat(report.slots()).isEqualTo(new StatusReport.Slots(3, 1, 0, 0));
            assertThat(report.leases()).extracting("podName").containsExactly("web-0");
            assertThat(report.interfaces()).extracting("leased").containsExactly(1);
            assertThat(report.settings().warmIpTarget()).isEqualTo(3);
            assertThat(report.settings().maxEni()).isNull();
        }
    }

    @Test
    void the_report_says_why_single_addresses_serve_instead_of_prefixes() throws Exception {
        PoolSettings settings = settings(Map.of("ENABLE_PREFIX_DELEGATION", "true"));
        try (OwnerHarness node =
                new OwnerHarness(
                        folder.resolve("journal"), new FakeCloud(), new FakeNode(), settings)) {
            node.ready();
            assertThat(report(node).outlook()).doesNotContain("instead of prefixes");
            node.cloud.refuse(Refusal.NO_FREE_PREFIX, "no /28 is left");
            fill(node, 2);
            StatusReport report = report(node);
            assertThat(report.outlook())
                    .contains("; single addresses instead of prefixes: ", "tried again in");
            assertThat(report.refusals()).extracting("message").contains("no /28 is left");
            assertThat(report.settings().prefixDelegation()).isTrue();
            node.cloud.recover();
            node.owner.settings(settings(Map.of("ENABLE_PREFIX_DELEGATION", "false")));
            node.advance(1, TimeUnit.HOURS);
            node.calm();
            assertThat(report(node).refusals()).as("what holds nothing back any more").isEmpty();
        }
    }

    @Test
    void changed_settings_hold_at_once() throws Exception {
        try (OwnerHarness node = OwnerHarness.fresh(folder).ready()) {
            node.wire(node.add("c1"), 7);
            assertThat(report(node).slots().free()).isEqualTo(7);
            node.owner.settings(
                    settings(Map.of("WARM_IP_TARGET", "12", "IP_COOLDOWN_PERIOD", "600")));
            node.calm();
            assertThat(report(node).slots().free()).isEqualTo(12);
            assertThat(report(node).settings().warmIpTarget()).isEqualTo(12);
            Turn.Del del = node.del("c1");
            var _ = node.owner.released(del);
            node.run();
            node.advance(599, TimeUnit.SECONDS);
            assertThat(report(node).slots().cooling()).isOne();
            node.advance(2, TimeUnit.SECONDS);
            assertThat(report(node).slots().cooling()).isZero();
        }
    }

    /** A cluster tells of its cordon and of the pods that fit; a node without one is open. */
    @Test
    void what_the_cluster_says_of_the_node_holds() throws Exception {
        try (OwnerHarness node = OwnerHarness.fresh(folder).ready()) {
            assertThat(report(node).settings().cordon()).isEqualTo("OPEN");
            node.owner.podCapacity(10);
            node.owner.settings(settings(Map.of("WARM_IP_TARGET", "12")));
            node.calm();
            assertThat(report(node).slots().free()).isEqualTo(10);
            node.owner.settings(settings(Map.of("WARM_IP_TARGET", "1")));
            assertThat(report(node).settings().whileCordoned()).isFalse();
            for (Cordon cordon : new Cordon[] {Cordon.UNKNOWN, Cordon.CORDONED}) {
                node.owner.cordon(cordon);
                node.advance(1, TimeUnit.HOURS);
                node.calm();
                assertThat(report(node).slots().free()).isEqualTo(10);
                assertThat(report(node).settings().cordon()).isEqualTo(cordon.name());
            }
            node.owner.cordon(Cordon.OPEN);
            node.calm();
            assertThat(report(node).slots().free()).isOne();
            node.owner.cordon(Cordon.CORDONED);
            node.owner.settings(
                    settings(
                            Map.of(
                                    "WARM_IP_TARGET", "6",
                                    "AWS_MANAGE_ENIS_NON_SCHEDULABLE", "true")));
            node.calm();
            assertThat(report(node).slots().free()).isEqualTo(6);
            assertThat(report(node).settings().whileCordoned()).isTrue();
        }
    }

    private static PoolSettings settings(Map<String, String> environment) {
        return ((PoolSettings.Parsed.Good) PoolSettings.fromEnvironment(environment)).settings();
    }

    private static StatusReport report(OwnerHarness node) throws Exception {
        var asked = node.owner.report();
        node.run();
        return asked.get();
    }

    private static List<Turn.Add> fill(OwnerHarness node, int count) {
        List<Turn.Add> adds = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Turn.Add add = node.add("c" + i);
            node.calm();
            node.wire(add, 100 + i);
            adds.add(add);
        }
        return adds;
    }

    private static void release(OwnerHarness node, String container) {
        Turn.Del del = node.del(container);
        var _ = node.owner.released(del);
        node.run();
    }
}
