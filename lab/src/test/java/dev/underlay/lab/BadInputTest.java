package dev.underlay.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.localvpc.fabric.Netns;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Wrong calls through the shipped launcher: each gets the error object of the CNI specification
 * with its code, a message that names the thing and the next step, and leaves nothing behind.
 */
@Tag("kernel")
final class BadInputTest {
    private static OneNode node;
    private static int descriptorsBefore;

    @BeforeAll
    static void raise() throws IOException {
        node = OneNode.serving("m5.large", Map.of());
        Sandbox first = node.runtime().sandbox("first");
        assertThat(node.runtime().add(first).line()).startsWith("10.0.");
        assertThat(node.runtime().delete(first).line()).isEqualTo("success");
        descriptorsBefore = namespaceDescriptors().size();
    }

    @AfterEach
    void nothing_is_leaked() throws IOException {
        assertThat(node.withoutPods().podPart())
                .isEqualTo("links [], routes [], neighbours [], leases []");
        assertThat(
                        Await.until(
                                Duration.ofSeconds(5),
                                BadInputTest::namespaceDescriptors,
                                open -> open.size() <= descriptorsBefore))
                .hasSizeLessThanOrEqualTo(descriptorsBefore);
    }

    @AfterAll
    static void remove() throws IOException {
        if (node != null) {
            node.close();
        }
    }

    @Test
    void an_unknown_verb() throws IOException {
        Sandbox pod = node.runtime().sandbox("verb");
        CniReply reply = call(node.runtime().environment("FETCH", pod, pod.netnsPath()));

        isError(reply, 4, "CNI_COMMAND", "FETCH", "ADD");
    }

    @Test
    void missing_variables_are_named_all_at_once() throws IOException {
        CniReply reply = call(node.runtime().environment("ADD"));

        isError(reply, 4, "CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "must set");
    }

    @Test
    void a_container_id_that_is_a_path() throws IOException {
        Sandbox pod = node.runtime().sandbox("path");
        Map<String, String> environment = node.runtime().environment("ADD", pod, pod.netnsPath());
        environment.put("CNI_CONTAINERID", "../../etc/passwd");

        isError(call(environment), 4, "CNI_CONTAINERID", "../../etc/passwd");
    }

    @Test
    void broken_json() throws IOException {
        Sandbox pod = node.runtime().sandbox("json");
        CniReply reply =
                node.runtime()
                        .call(
                                node.runtime().environment("ADD", pod, pod.netnsPath()),
                                "{\"name\": \"underlay\", ");

        isError(reply, 6, "network configuration", "check");
    }

    @Test
    void ten_megabytes_of_input() throws IOException {
        Sandbox pod = node.runtime().sandbox("big");
        CniReply reply =
                node.runtime()
                        .call(
                                node.runtime().environment("ADD", pod, pod.netnsPath()),
                                "{\"name\": \"" + "x".repeat(10 << 20) + "\"}");

        isError(reply, 7, "network configuration");
    }

    @Test
    void a_version_that_nobody_speaks() throws IOException {
        Sandbox pod = node.runtime().sandbox("version");
        String configuration =
                node.runtime()
                        .configuration(null)
                        .replaceAll("\"cniVersion\":\"[^\"]*\"", "\"cniVersion\":\"9.9.9\"");
        CniReply reply =
                node.runtime()
                        .call(
                                node.runtime().environment("ADD", pod, pod.netnsPath()),
                                configuration);

        isError(reply, 1, "9.9.9", "1.0.0");
    }

    @Test
    void a_namespace_that_is_gone() throws IOException {
        Sandbox pod = node.runtime().sandbox("gone");
        pod.netns().delete();

        isError(node.runtime().add(pod), 8, pod.netnsPath());
        assertThat(node.runtime().delete(pod).line()).isEqualTo("success");
    }

    @Test
    void the_nodes_own_namespace_is_no_pods() throws IOException {
        Sandbox pod = node.runtime().sandbox("own");
        Netns own = node.node().netns();

        isError(
                call(node.runtime().environment("ADD", pod, own.path().toString())),
                8,
                own.path().toString());
    }

    @Test
    void a_check_of_a_pod_that_was_never_added() throws IOException {
        Sandbox pod = node.runtime().sandbox("unknown");
        CniReply added = node.runtime().add(pod);
        String previous = node.runtime().configuration(added.json());
        assertThat(node.runtime().delete(pod).ok()).isTrue();

        CniReply reply =
                node.runtime()
                        .call(node.runtime().environment("CHECK", pod, pod.netnsPath()), previous);

        isError(reply, 3, pod.containerId());
    }

    @Test
    void a_del_of_a_pod_that_was_never_added_succeeds_without_output() throws IOException {
        Sandbox pod = node.runtime().sandbox("never");

        CniReply reply = node.runtime().delete(pod);

        assertThat(reply.ok()).isTrue();
        assertThat(reply.out()).isEmpty();
    }

    @Test
    void a_daemon_that_is_down() throws IOException {
        Sandbox pod = node.runtime().sandbox("down");
        assertThat(node.daemon().stop()).isZero();
        try {
            isError(node.runtime().add(pod), 11, node.node().folders().socket().toString());
            isError(node.runtime().status(), 50, node.node().folders().socket().toString());
            CniReply deleted = node.runtime().delete(pod);
            assertThat(deleted.line()).isEqualTo("success");
            assertThat(deleted.took()).isLessThan(Duration.ofSeconds(1));
            assertThat(intents()).hasSize(1);
        } finally {
            node.startDaemon();
        }
        assertThat(Await.until(Duration.ofSeconds(10), BadInputTest::intents, List::isEmpty))
                .isEmpty();
    }

    @Test
    void a_daemon_that_never_answers() throws Exception {
        Sandbox added = node.runtime().sandbox("stuck-1");
        Sandbox checked = node.runtime().sandbox("stuck-2");
        Sandbox deleted = node.runtime().sandbox("stuck-3");
        assertThat(node.runtime().add(checked).ok()).isTrue();
        assertThat(node.runtime().add(deleted).ok()).isTrue();
        signal("STOP");
        List<CniReply> replies;
        try {
            replies =
                    Parallel.map(
                            4,
                            List.<Parallel.Work<ContainerRuntime, CniReply>>of(
                                    runtime -> runtime.add(added),
                                    runtime -> runtime.check(checked),
                                    runtime -> runtime.delete(deleted),
                                    ContainerRuntime::status),
                            work -> work.on(node.runtime()));
        } finally {
            signal("CONT");
        }
        isError(replies.get(0), 11, node.node().folders().socket().toString());
        assertThat(replies.get(0).took()).isLessThan(Duration.ofSeconds(68));
        isError(replies.get(1), 11, node.node().folders().socket().toString());
        assertThat(replies.get(1).took()).isLessThan(Duration.ofSeconds(12));
        assertThat(replies.get(2).line()).isEqualTo("success");
        assertThat(replies.get(2).took()).isLessThan(Duration.ofSeconds(4));
        isError(replies.get(3), 50, node.node().folders().socket().toString());
        assertThat(replies.get(3).took()).isLessThan(Duration.ofSeconds(4));
        node.daemon().awaitReady();
        assertThat(node.runtime().delete(checked).ok()).isTrue();
        // The ADD's caller had gone when the daemon woke up; no DEL follows it here.
    }

    private static CniReply call(Map<String, String> environment) throws IOException {
        return node.runtime().call(environment, node.runtime().configuration(null));
    }

    static void isError(CniReply reply, int code, String... words) {
        assertThat(reply.exitCode()).describedAs(reply.line()).isNotZero();
        assertThat(reply.json().isObject()).describedAs(reply.out()).isTrue();
        assertThat(reply.errorCode()).describedAs(reply.line()).isEqualTo(code);
        for (String word : words) {
            assertThat(reply.json().path("msg").asText()).contains(word);
        }
        assertThat(reply.json().path("cniVersion").asText()).isNotEmpty();
    }

    private static void signal(String name) throws IOException, InterruptedException {
        Process kill =
                new ProcessBuilder("kill", "-" + name, String.valueOf(node.daemon().pid())).start();
        assertThat(kill.waitFor(5, TimeUnit.SECONDS)).isTrue();
    }

    private static List<Path> intents() throws IOException {
        Path folder = node.node().folders().intents();
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (var files = Files.list(folder)) {
            return files.toList();
        }
    }

    /** The daemon's open descriptors of network namespaces: each keeps one alive. */
    private static Set<String> namespaceDescriptors() throws IOException {
        Set<String> open = new TreeSet<>();
        Path folder = Path.of("/proc/" + node.daemon().pid() + "/fd");
        try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(folder)) {
            for (Path descriptor : descriptors) {
                try {
                    String target = Files.readSymbolicLink(descriptor).toString();
                    if (target.startsWith("net:[") || target.startsWith("/proc/sys")) {
                        open.add(descriptor.getFileName() + " " + target);
                    }
                } catch (IOException e) {
                    // It was closed in between.
                }
            }
        }
        return open;
    }
}
