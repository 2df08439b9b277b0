package dev.underlay.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.underlay.localvpc.Dials.Reach;
import dev.underlay.localvpc.Faults;
import dev.underlay.localvpc.Faults.Fault;
import dev.underlay.localvpc.state.Eni;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What the AWS VPC CNI (v1.23.1) was seen to get wrong, each on the shipped daemon and launcher.
 *
 * <ol>
 *   <li>An ADD fails when others run: {@link BurstTest}.
 *   <li>SIGTERM does not end the daemon.
 *   <li>Without its network policy agent an ADD fails, and keeps what it made.
 *   <li>An ADD hangs for good on a daemon that does not answer.
 *   <li>A DEL without a daemon and without the ADD's result leaves rules and the lease.
 *   <li>A plugin that is killed leaves links, a namespace that vanishes leaves rules.
 *   <li>A daemon that is killed after it made an interface makes another.
 *   <li>A repeated ADD rebuilds the pod's link, CHECK finds a pod that is gone, and the result's
 *       MAC is none.
 *   <li>Metrics are served on all addresses.
 * </ol>
 */
@Tag("kernel")
final class IncumbentFaultsTest {
    private static final Map<String, String> SETTINGS =
            Map.of("WARM_IP_TARGET", "5", "IP_COOLDOWN_PERIOD", "1");

    private static final Duration SOON = Duration.ofSeconds(10);
    private static final int KILLS = 40;

    /** Longer than a whole ADD takes when nobody else runs. */
    private static final int KILLED_WITHIN_MICROS = 12_000;

    /** An m5.large has addresses for 27 pods, so that one at least must wait. */
    private static final int MORE_THAN_FREE = 28;

    private static OneNode node;

    @BeforeAll
    static void raise() throws IOException {
        node = OneNode.serving("m5.large", SETTINGS);
    }

    @AfterEach
    void nothing_is_left() throws IOException {
        NodeState state = node.withoutPods();
        assertThat(state.podPart()).isEqualTo("links [], routes [], neighbours [], leases []");
        for (String address : node.assigned()) {
            assertThat(state.rules())
                    .describedAs("no rule is about one pod")
                    .noneMatch(rule -> rule.contains('"' + address + '"'));
        }
        assertThat(node.vpc().cloud().findings()).isEmpty();
    }

    @AfterAll
    static void remove() throws IOException {
        if (node != null) {
            node.close();
        }
    }

    @Test
    void fault_1_to_9_each_have_a_test() throws NoSuchMethodException {
        assertThat(BurstTest.class.getDeclaredMethod("fifty_adds_at_once_get_fifty_addresses"))
                .matches(method -> method.isAnnotationPresent(Test.class));
        for (int fault = 2; fault <= 9; fault++) {
            String prefix = "fault_" + fault + "_";
            assertThat(Stream.of(IncumbentFaultsTest.class.getDeclaredMethods()))
                    .anyMatch(method -> method.getName().startsWith(prefix));
        }
    }

    @Test
    void fault_2_sigterm_ends_the_daemon_though_the_cloud_is_silent_and_adds_wait()
            throws Exception {
        node.dials().ec2(Reach.SILENT);
        List<Sandbox> pods = node.sandboxes("waiting", MORE_THAN_FREE);
        List<Process> adds = new ArrayList<>();
        for (Sandbox pod : pods) {
            adds.add(node.runtime().start("ADD", pod));
        }
        assertThat(
                        Await.until(
                                SOON,
                                () -> node.status().path("waiting").asInt(),
                                waiting -> waiting > 0))
                .isPositive();

        long began = System.nanoTime();
        int code = node.daemon().stop();
        Duration took = Duration.ofNanos(System.nanoTime() - began);

        assertThat(code).isZero();
        assertThat(took).isLessThan(Duration.ofSeconds(5));
        for (Process add : adds) {
            assertThat(add.waitFor(SOON.toSeconds(), TimeUnit.SECONDS)).isTrue();
        }
        node.dials().ec2(Reach.UP);
        node.startDaemon();
        deleted(pods);
    }

    @Test
    void fault_3_an_add_needs_nobody_but_the_daemon() throws Exception {
        assertThat(listening())
                .describedAs("no policy agent, nor anything else")
                .containsExactlyInAnyOrder("127.0.0.1:61678", "127.0.0.1:61679");
        Sandbox pod = node.runtime().sandbox("alone");

        CniReply added = node.runtime().add(pod);

        assertThat(added.line()).startsWith("10.0.");
        assertThat(added.took()).isLessThan(Duration.ofSeconds(2));
        Traffic.bothWays(List.of(node.place(pod, added), node.node().place()));
        Traffic.answers(node.vpc().internet(), node.place(pod, added));
        deleted(List.of(pod));
    }

    @Test
    void fault_4_a_daemon_that_does_not_answer_costs_a_call_its_deadline_and_leaves_nothing()
            throws Exception {
        Path launcher = node.node().folders().binaries().resolve("underlay");
        Sandbox living = node.runtime().sandbox("living");
        Sandbox late = node.runtime().sandbox("late");
        assertThat(node.runtime().add(living).line()).startsWith("10.0.");
        signal("STOP"); // its socket goes on accepting
        try {
            BadInputTest.isError(within(2_000, node.runtime().status()), 50);
            assertThat(within(2_000, node.runtime().delete(living)).line()).isEqualTo("success");

            Files.copy(hasty(), launcher, StandardCopyOption.REPLACE_EXISTING);
            BadInputTest.isError(within(1_000, node.runtime().add(late)), 11, "ipamd");
        } finally {
            signal("CONT");
            Files.copy(
                    OneNode.programs().launcher(), launcher, StandardCopyOption.REPLACE_EXISTING);
        }
        assertThat(node.withoutPods().podPart())
                .isEqualTo("links [], routes [], neighbours [], leases []");
        CniReply added = node.runtime().add(late);
        assertThat(added.line()).startsWith("10.0.");
        deleted(List.of(late));
    }

    @Test
    void fault_5_a_del_without_daemon_and_result_is_done_by_the_next_daemon() throws Exception {
        List<Sandbox> pods = node.sandboxes("forgotten", 3);
        assertThat(node.addAll(3, pods)).allMatch(CniReply::ok);
        node.daemon().kill();

        for (Sandbox pod : pods) { // neither namespace nor result are named, and both ends live
            assertThat(node.runtime().deleteAgain(pod).line()).isEqualTo("success");
        }
        node.startDaemon();

        assertThat(node.withoutPods().podPart())
                .isEqualTo("links [], routes [], neighbours [], leases []");
        assertThat(pods).noneMatch(IncumbentFaultsTest::hasInterface);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void fault_6_an_add_killed_anywhere_leaves_nothing_after_a_del_or_its_namespace(boolean del)
            throws Exception {
        long seed = new SplittableRandom().nextLong(1_000_000);
        System.err.println("fault 6: seed " + seed);
        SplittableRandom random = new SplittableRandom(seed);
        List<Sandbox> pods = node.sandboxes(del ? "deleted" : "vanished", KILLS / 2);
        for (Sandbox pod : pods) {
            Process add = node.runtime().start("ADD", pod);
            add.waitFor(random.nextInt(KILLED_WITHIN_MICROS), TimeUnit.MICROSECONDS);
            add.destroyForcibly().waitFor();
            if (del) {
                assertThat(node.runtime().delete(pod).line()).isEqualTo("success");
            } else {
                pod.netns().delete();
            }
        }
        assertThat(node.withoutPods().podPart())
                .describedAs("seed %d", seed)
                .isEqualTo("links [], routes [], neighbours [], leases []");
        if (del) {
            assertThat(pods).noneMatch(IncumbentFaultsTest::hasInterface);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"CreateNetworkInterface", "AttachNetworkInterface"})
    void fault_7_a_daemon_killed_after_it_made_an_interface_makes_no_other(String calledLast)
            throws Exception {
        try (OneNode fresh = OneNode.boot("m5.large", Map.of("WARM_IP_TARGET", "12"))) {
            Faults faults = fresh.dials().faults();
            faults.always("AttachNetworkInterface", new Fault.Stall());
            fresh.daemon().start();
            Await.until(SOON, () -> calls(fresh, calledLast), calls -> calls > 0);
            fresh.daemon().kill();
            faults.clear();
            assertThat(calls(fresh, "CreateNetworkInterface")).isEqualTo(1);
            Set<String> made = interfaces(fresh);
            assertThat(made).hasSize(2);

            fresh.startDaemon();

            assertThat(Await.until(SOON, fresh::free, free -> free >= 12))
                    .isGreaterThanOrEqualTo(12);
            assertThat(fresh.interfaces().stream().map(Eni::id)).containsAll(made);
            assertThat(interfaces(fresh)).isEqualTo(made);
            assertThat(calls(fresh, "CreateNetworkInterface")).isEqualTo(1);
            assertThat(fresh.vpc().cloud().findings()).isEmpty();
        }
    }

    @Test
    void fault_8_an_add_again_has_the_same_result_and_touches_nothing() throws Exception {
        Sandbox pod = node.runtime().sandbox("twice");
        CniReply first = node.runtime().add(pod);
        assertThat(first.line()).startsWith("10.0.");
        JsonNode hostEnd = first.json().path("interfaces").path(0);
        JsonNode podEnd = first.json().path("interfaces").path(1);
        List<JsonNode> before = links(pod, hostEnd);
        assertThat(hostEnd.path("mac")).isEqualTo(before.getFirst().path("address"));
        assertThat(podEnd.path("mac")).isEqualTo(before.getLast().path("address"));
        assertThat(podEnd.path("mac").asText()).matches("([0-9a-f]{2}:){5}[0-9a-f]{2}");
        NodeState state = node.state();

        CompletableFuture<Pings> running = new CompletableFuture<>();
        Thread.ofVirtual()
                .start(() -> {
                    try {
                        String address = first.address();
                        running.complete(Pings.send(node.vpc().internet().namespace(), address, 8));
                    } catch (IOException e) {
                        running.completeExceptionally(e);
                    }
                });
        do {
            assertThat(node.runtime().add(pod).json()).isEqualTo(first.json());
        } while (!running.isDone());

        assertThat(running.get().lost()).describedAs(running.get().words()).isZero();
        assertThat(links(pod, hostEnd)).isEqualTo(before);
        assertThat(node.state().podPart()).isEqualTo(state.podPart());
        deleted(List.of(pod));
    }

    @Test
    void fault_8_check_of_a_deleted_pod_says_that_it_is_unknown() throws Exception {
        Sandbox pod = node.runtime().sandbox("gone");
        CniReply added = node.runtime().add(pod);
        assertThat(node.runtime().check(pod).line()).isEqualTo("success");
        deleted(List.of(pod));

        CniReply checked =
                node.runtime()
                        .call(
                                node.runtime().environment("CHECK", pod, pod.netnsPath()),
                                node.runtime().configuration(added.json()));

        BadInputTest.isError(checked, 3, pod.containerId());
    }

    @Test
    void fault_9_what_the_daemon_serves_is_reached_on_loopback_only() throws Exception {
        assertThat(listening())
                .isNotEmpty()
                .allSatisfy(address -> assertThat(address).startsWith("127.0.0.1:"));
    }

    private static void deleted(List<Sandbox> pods) throws IOException {
        for (Sandbox pod : pods) {
            assertThat(node.runtime().delete(pod).line()).isEqualTo("success");
        }
    }

    /** No sooner than the deadline, and not much later. */
    private static CniReply within(long deadlineMillis, CniReply reply) {
        assertThat(reply.took())
                .isBetween(
                        Duration.ofMillis(deadlineMillis),
                        Duration.ofMillis(deadlineMillis + 2_000));
        return reply;
    }

    /** The launcher with one second for an ADD; the shipped one's 65 are too long for a test. */
    private static Path hasty() throws IOException {
        Path built = Path.of("target/launcher-test/underlay");
        Output build =
                Output.of(
                        new ProcessBuilder(
                                        "../cni/src/main/c/build.sh",
                                        built.toString(),
                                        "-DADD_MILLIS=1000")
                                .start(),
                        new byte[0],
                        Duration.ofSeconds(60));
        assertThat(build.ok()).describedAs(build.err()).isTrue();
        return built;
    }

    private static void signal(String name) throws IOException {
        String pid = String.valueOf(node.daemon().pid());
        Output sent = Output.inside(node.node().netns(), "sh", "-c", "kill -" + name + " " + pid);
        assertThat(sent.ok()).describedAs(sent.err()).isTrue();
    }

    /** Where somebody accepts TCP connections in the node's namespace, IPv4 written as such. */
    private static Set<String> listening() throws IOException {
        Output seen = Output.inside(node.node().netns(), "ss", "-H", "-l", "-t", "-n");
        assertThat(seen.ok()).describedAs(seen.err()).isTrue();
        Set<String> addresses = new TreeSet<>();
        seen.out()
                .lines()
                .forEach(line ->
                        addresses.add(
                                line.strip()
                                        .replaceAll("\\s+", " ")
                                        .replaceAll("^LISTEN \\d+ \\d+ (\\S+) .*$", "$1")
                                        .replaceAll("^\\[::ffff:([0-9.]+)\\]", "$1")));
        return addresses;
    }

    private static boolean hasInterface(Sandbox pod) {
        try {
            return Output.inside(pod.netns(), "ip", "link", "show", Sandbox.INTERFACE).ok();
        } catch (IOException e) {
            return fail(e);
        }
    }

    /** Host's and pod's end with their addresses, as the kernel has them. */
    private static List<JsonNode> links(Sandbox pod, JsonNode hostEnd) throws IOException {
        String[] show = {"ip", "-json", "address", "show", hostEnd.path("name").asText()};
        String host = Output.inside(node.node().netns(), show).out();
        show[show.length - 1] = Sandbox.INTERFACE;
        String own = Output.inside(pod.netns(), show).out();
        ObjectMapper json = new ObjectMapper();
        return List.of(json.readTree(host).path(0), json.readTree(own).path(0));
    }

    private static long calls(OneNode node, String action) {
        return node.vpc().cloud().ledger().calls(action);
    }

    private static Set<String> interfaces(OneNode node) {
        Set<String> ids = new TreeSet<>();
        node.vpc().cloud().interfaces().forEach(eni -> ids.add(eni.id()));
        return ids;
    }
}
