package dev.underlay.lab;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.underlay.localvpc.CallLedger;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The daemon or a call is killed: pods keep their packets and no address is lost or shared. */
@Tag("kernel")
final class DaemonDeathTest {
    @Test
    void hazard_10_pods_keep_their_packets_and_leases_and_what_was_deleted_meanwhile_is_freed()
            throws Exception {
        try (OneNode node = OneNode.serving("m5.large", Map.of())) {
            List<Sandbox> pods = node.sandboxes(3);
            List<CniReply> added = node.addAll(3, pods);
            Place a = node.place(pods.get(0), added.get(0));
            Place b = node.place(pods.get(1), added.get(1));
            Traffic.answers(a, b);

            node.daemon().kill();

            Traffic.answers(a, b);
            Traffic.answers(node.vpc().internet(), a);
            Traffic.answers(b, node.node().place());
            CniReply deleted = node.runtime().delete(pods.get(2));
            assertThat(deleted.line()).isEqualTo("success");

            node.startDaemon();

            Set<String> living = new TreeSet<>(List.of(a.address(), b.address()));
            NodeState state =
                    Await.until(
                            Duration.ofSeconds(10),
                            node::state,
                            seen ->
                                    seen.leases().equals(living)
                                            && seen.podLinks().size() == living.size());
            assertThat(state.leases()).isEqualTo(living);
            assertThat(state.podRoutes()).hasSize(2);
            assertThat(state.podLinks()).hasSize(2);
            assertThat(node.runtime().check(pods.get(0)).line()).isEqualTo("success");
            Traffic.answers(a, b);
            assertThat(node.runtime().add(pods.get(0)).address()).isEqualTo(a.address());
            Sandbox fresh = node.runtime().sandbox("fresh");
            CniReply next = node.runtime().add(fresh);
            assertThat(next.line()).startsWith("10.0.");
            assertThat(next.address())
                    .describedAs("a released address cools, also over a restart")
                    .isNotIn(added.stream().map(CniReply::address).toList());
            Traffic.answers(node.place(fresh, next), a);
            List<String> history = new ArrayList<>();
            node.daemon()
                    .page("/history")
                    .path("entries")
                    .forEach(one ->
                            history.add(
                                    one.path("podName").asText()
                                            + (one.path("lasts").asBoolean() ? " has " : " had ")
                                            + one.path("address").asText()));
            assertThat(history)
                    .containsExactlyInAnyOrder(
                            "pod-2 had " + added.get(2).address(),
                            "pod-0 has " + a.address(),
                            "pod-1 has " + b.address(),
                            "fresh has " + next.address());
        }
    }

    @Test
    void hazard_15_a_restart_on_a_node_that_is_as_it_should_be_only_reads() throws Exception {
        try (OneNode node = OneNode.serving("m5.large", Map.of())) {
            node.addAll(3, node.sandboxes(12)); // more than one interface
            awaitRest(node);
            Map<CallLedger.Key, Long> before = node.vpc().cloud().ledger().counts();
            assertThat(before.keySet()).anyMatch(key -> key.action().startsWith("Create"));
            node.daemon().kill();
            node.startDaemon();
            awaitRest(node);
            Map<CallLedger.Key, Long> since = node.vpc().cloud().ledger().counts();
            since.entrySet().removeIf(now -> now.getValue().equals(before.get(now.getKey())));
            assertThat(since.keySet())
                    .extracting(CallLedger.Key::action)
                    .isNotEmpty()
                    .allMatch(action -> action.startsWith("Describe") || action.equals("Metadata"));
        }
    }

    private static void awaitRest(OneNode node) throws IOException {
        Await.until(
                Duration.ofSeconds(20),
                () -> {
                    JsonNode status = node.status();
                    return status.path("ready").asBoolean() && status.path("inFlight").isEmpty();
                },
                rests -> rests);
    }

    @Test
    void a_daemon_without_its_journal_finds_its_leases_in_the_kernel() throws Exception {
        try (OneNode node = OneNode.serving("m5.large", Map.of())) {
            List<Sandbox> pods = node.sandboxes(2);
            List<CniReply> added = node.addAll(2, pods);
            node.daemon().kill();
            Files.delete(node.node().folders().run().resolve("journal"));

            node.startDaemon();

            assertThat(node.state().leases())
                    .isEqualTo(new TreeSet<>(added.stream().map(CniReply::address).toList()));
            for (Sandbox pod : pods) {
                assertThat(node.runtime().delete(pod).line()).isEqualTo("success");
            }
            assertThat(node.withoutPods().podPart())
                    .isEqualTo("links [], routes [], neighbours [], leases []");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_daemon_with_a_damaged_journal_says_so_once_and_no_pod_loses_its_address(boolean header)
            throws Exception {
        try (OneNode node = OneNode.serving("m5.large", Map.of())) {
            List<Sandbox> pods = node.sandboxes(3);
            List<CniReply> added = node.addAll(1, pods);
            Place a = node.place(pods.get(0), added.get(0));
            Place b = node.place(pods.get(1), added.get(1));
            Set<String> had = node.assigned();
            node.daemon().kill();
            Path journal = node.node().folders().run().resolve("journal");
            byte[] bytes = Files.readAllBytes(journal);
            int lease =
                    new String(bytes, StandardCharsets.ISO_8859_1)
                            .indexOf(pods.get(0).containerId());
            bytes[header ? 12 : lease] ^= 1;
            Files.write(journal, bytes);

            node.startDaemon();

            assertThat(Files.readAllLines(node.node().folders().log()))
                    .filteredOn(line -> line.contains("journal.damaged"))
                    .hasSize(1);
            assertThat(node.state().leases())
                    .isEqualTo(new TreeSet<>(added.stream().map(CniReply::address).toList()));
            Traffic.answers(a, b);
            Sandbox fresh = node.runtime().sandbox("fresh");
            CniReply next = node.runtime().add(fresh);
            assertThat(next.line()).startsWith("10.0.");
            assertThat(had).as("nobody knows which of them rest").doesNotContain(next.address());
            Traffic.answers(node.place(fresh, next), a);
            for (Sandbox pod : pods) {
                assertThat(node.runtime().check(pod).line()).isEqualTo("success");
            }
        }
    }

    @Test
    void an_add_that_is_killed_in_the_middle_and_deleted_leaves_nothing() throws Exception {
        try (OneNode node = OneNode.serving("m5.large", Map.of())) {
            List<Sandbox> pods = node.sandboxes(12);
            for (int i = 0; i < pods.size(); i++) {
                killedAfterMicros(node, pods.get(i), i * 400L);
            }
            for (Sandbox pod : pods) {
                assertThat(node.runtime().delete(pod).line()).isEqualTo("success");
            }
            assertThat(node.withoutPods().podPart())
                    .isEqualTo("links [], routes [], neighbours [], leases []");
            for (Sandbox pod : pods) {
                assertThat(Output.inside(pod.netns(), "ip", "link", "show", "eth0").ok())
                        .describedAs("eth0 in " + pod.podName())
                        .isFalse();
            }
        }
    }

    @Test
    void a_daemon_that_is_killed_in_the_middle_of_adds_leaves_nothing_after_the_dels()
            throws Exception {
        try (OneNode node = OneNode.serving("m5.large", Map.of())) {
            List<Sandbox> pods = node.sandboxes(8);
            List<Process> calls = new ArrayList<>();
            for (Sandbox pod : pods) {
                calls.add(node.runtime().start("ADD", pod));
            }
            node.daemon().kill();
            for (Process call : calls) {
                assertThat(call.waitFor(90, TimeUnit.SECONDS)).isTrue();
            }
            node.startDaemon();
            for (Sandbox pod : pods) {
                assertThat(node.runtime().delete(pod).line()).isEqualTo("success");
            }
            assertThat(node.withoutPods().podPart())
                    .isEqualTo("links [], routes [], neighbours [], leases []");
            assertThat(node.addAll(8, node.sandboxes("again", 8)))
                    .allSatisfy(reply -> assertThat(reply.line()).startsWith("10.0."));
        }
    }

    private static void killedAfterMicros(OneNode node, Sandbox pod, long micros) throws Exception {
        Process add = node.runtime().start("ADD", pod);
        add.waitFor(micros, TimeUnit.MICROSECONDS);
        add.destroyForcibly().waitFor();
    }
}
