package dev.underlay.ipamd.owner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.pool.Refusal;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What an ADD that fails is told, and that those who waited in vain hold nothing. */
class NoAddressTest {
    private static final int FULL = 27; // an m5.large: 3 interfaces with 9 addresses for pods

    @TempDir Path folder;

    @Test
    void a_node_that_is_full_names_its_types_limit_and_when_a_rested_address_comes()
            throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder).ready()) {
            List<Turn.Add> running = fill(node);
            Turn.Add late = node.add("late");
            node.advance(45, TimeUnit.SECONDS);
            release(node, running.getFirst(), "c0");
            node.advance(15, TimeUnit.SECONDS);
            assertThat(words(late))
                    .startsWith("no address came within 60 s: interface limit: ")
                    .contains("its type allows 3 with 9 pod addresses each")
                    .contains("the next address has rested in 15 s")
                    .endsWith("to look further: underlay status");
        }
    }

    @Test
    void a_full_node_where_nothing_rests_says_that_a_pod_must_end() throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder).ready()) {
            fill(node);
            Turn.Add late = node.add("late");
            node.advance(60, TimeUnit.SECONDS);
            assertThat(words(late)).contains("the next comes when a pod of this node ends");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    SUBNET_FULL   | subnet full: | subnet-1 has 0 free addresses
                    THROTTLED     | throttling:  | AssignPrivateIpAddresses is slowed down
                    NOT_PERMITTED | permission:  | allow ec2:AssignPrivateIpAddresses
                    QUOTA_EXCEEDED | quota:      | raise Network interfaces per Region
                    UNAVAILABLE   | cloud:       | EC2 does not answer
                    """)
    void what_the_cloud_refused_is_named_with_the_next_try(
            Refusal refusal, String limit, String words) throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder).ready()) {
            node.cloud.refuse(refusal, words);
            Turn.Add late = node.add("c0");
            for (int i = 1; i < FULL && late.answer().isDone(); i++) {
                node.calm();
                late = node.add("c" + i);
            }
            for (int second = 0; second < 60; second++) {
                node.advance(1, TimeUnit.SECONDS);
                node.calm();
            }
            assertThat(words(late))
                    .contains(limit)
                    .contains(words)
                    .containsPattern("the cloud is asked again in \\d+ s")
                    .contains("underlay status");
        }
    }

    @Test
    void before_the_cloud_has_answered_the_start_is_named() throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder)) {
            Turn.Add late = node.add("early");
            node.advance(60, TimeUnit.SECONDS);
            assertThat(words(late)).contains("start: ");
        }
    }

    @Test
    void one_too_many_in_the_queue_is_told_the_limit_at_once() throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder).ready()) {
            fill(node);
            for (int i = 0; i < OwnerHarness.MAX_WAITING; i++) {
                assertThat(node.add("w" + i).answer()).isNotDone();
            }
            assertThat(words(node.add("one-more")))
                    .startsWith("100 pods wait for an address already: interface limit: ");
        }
    }

    /** Those who were cancelled, deleted or too late have their address taken by nobody. */
    @Test
    void calls_that_waited_in_vain_leave_every_slot_to_others() throws IOException {
        try (OwnerHarness node = OwnerHarness.fresh(folder).ready()) {
            List<Turn.Add> running = fill(node);
            List<Turn.Add> vain = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                vain.add(node.add("vain-" + i));
            }
            var _ = node.owner.abandon(vain.get(0), false);
            var _ = node.owner.abandon(vain.get(5), false);
            node.del("vain-1");
            node.advance(61, TimeUnit.SECONDS);
            assertThat(vain)
                    .allSatisfy(add ->
                            assertThat(add.answer().getNow(null))
                                    .isInstanceOf(AddAnswer.Refused.class));
            for (int i = 0; i < FULL; i++) {
                release(node, running.get(i), "c" + i);
            }
            node.advance(31, TimeUnit.SECONDS);
            HashSet<Object> addresses = new HashSet<>();
            for (int i = 0; i < FULL; i++) {
                addresses.add(node.granted(node.add("next-" + i)));
            }
            assertThat(addresses).hasSize(FULL);
            assertThat(node.journal.state().leases())
                    .extracting(lease -> lease.key().containerId())
                    .allMatch(container -> container.startsWith("next-"));
        }
    }

    private static List<Turn.Add> fill(OwnerHarness node) {
        List<Turn.Add> adds = new ArrayList<>();
        for (int i = 0; i < FULL; i++) {
            adds.add(node.add("c" + i));
        }
        node.calm();
        for (int i = 0; i < FULL; i++) {
            node.wire(adds.get(i), 10 + i);
        }
        return adds;
    }

    private static void release(OwnerHarness node, Turn.Add add, String container) {
        assertThat(add.answer()).isDone();
        var _ = node.owner.released(node.del(container));
        node.run();
    }

    private static String words(Turn.Add add) {
        AddAnswer answer = add.answer().getNow(null);
        assertThat(answer).isInstanceOf(AddAnswer.Refused.class);
        AddAnswer.Refused refused = (AddAnswer.Refused) answer;
        assertThat(refused.error().code()).isEqualTo(11);
        return refused.error().message();
    }
}
