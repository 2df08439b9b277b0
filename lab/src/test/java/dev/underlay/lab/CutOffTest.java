package dev.underlay.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.localvpc.Dials.Reach;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** EC2 and the metadata service take requests and never answer: pods start while slots last. */
@Tag("kernel")
final class CutOffTest {
    private static final String CALLS =
            "trace=%process,fsync,fdatasync,sync,syncfs,msync,sync_file_range";

    @TempDir private Path folder;

    @Test
    void hazard_41_adds_succeed_while_slots_last_without_a_new_process_or_a_sync()
            throws Exception {
        Kernel.required("strace", "-V");
        Map<String, String> settings =
                Map.of(
                        "WARM_IP_TARGET", "6",
                        "MINIMUM_IP_TARGET", "6",
                        "MY_NODE_NAME", "node-1",
                        "KUBECONFIG", apiServerThatIsCutOff());
        try (OneNode node = OneNode.serving("m5.large", settings)) {
            assertThat(node.status().path("settings").path("cordon").asText())
                    .describedAs("what the daemon hears of its API server")
                    .isEqualTo("UNKNOWN");
            int free = Await.until(Duration.ofSeconds(20), node::free, n -> n >= 6);
            assertThat(free).isGreaterThanOrEqualTo(6);
            node.dials().ec2(Reach.SILENT);
            node.dials().metadata(Reach.SILENT);
            List<Sandbox> sandboxes = node.sandboxes(free + 1);

            Path trace = folder.resolve("trace.txt");
            Process strace = trace(node, trace);
            List<CniReply> replies = node.addAll(3, sandboxes.subList(0, free));
            strace.destroy();
            assertThat(strace.waitFor(10, TimeUnit.SECONDS)).isTrue();

            assertThat(replies).allSatisfy(reply -> assertThat(reply.line()).startsWith("10.0."));
            assertThat(replies)
                    .allSatisfy(
                            reply -> assertThat(reply.took()).isLessThan(Duration.ofSeconds(5)));
            List<String> forbidden =
                    Files.readAllLines(trace).stream().filter(CutOffTest::isForbidden).toList();
            assertThat(forbidden).isEmpty();

            aCallThatFindsNoSlotWaitsForTheCloud(node, sandboxes.getLast());
        }
    }

    @Test
    void a_new_process_and_a_sync_are_told_from_a_new_thread() {
        assertThat(
                        List.of(
                                "7 execve(\"/bin/true\", [\"true\"], 0x7f) = 0",
                                "7 vfork() = 9",
                                "7 clone(child_stack=NULL, flags=CLONE_VFORK|SIGCHLD) = 9",
                                "7 clone3({flags=CLONE_VM|CLONE_VFORK}, 88 <unfinished ...>",
                                "7 fdatasync(5) = 0",
                                "7 msync(0x7f, 4096, MS_SYNC) = 0"))
                .allMatch(CutOffTest::isForbidden);
        assertThat(
                        List.of(
                                "7 clone3({flags=CLONE_VM|CLONE_FS|CLONE_THREAD}, 88) = 9",
                                "7 <... clone3 resumed> => {parent_tid=[9]}, 88) = 9",
                                "9 exit(0) = ?",
                                "9 +++ exited with 0 +++"))
                .noneMatch(CutOffTest::isForbidden);
    }

    /** At an address of the node's subnet that nobody has. */
    private String apiServerThatIsCutOff() throws IOException {
        String file =
                """
                apiVersion: v1
                kind: Config
                current-context: here
                clusters:
                - {name: here, cluster: {server: "http://10.0.0.250:6443"}}
                users:
                - {name: node, user: {token: none}}
                contexts:
                - {name: here, context: {cluster: here, user: node}}
                """;
        return Files.writeString(folder.resolve("kubeconfig"), file).toString();
    }

    private static void aCallThatFindsNoSlotWaitsForTheCloud(OneNode node, Sandbox sandbox)
            throws Exception {
        CompletableFuture<CniReply> late = new CompletableFuture<>();
        Thread.ofVirtual()
                .start(() -> {
                    try {
                        late.complete(node.runtime().add(sandbox));
                    } catch (IOException e) {
                        late.completeExceptionally(e);
                    }
                });
        assertThat(
                        Await.until(
                                Duration.ofSeconds(10),
                                () -> node.status().path("waiting").asInt(),
                                waiting -> waiting == 1))
                .isEqualTo(1);
        node.dials().ec2(Reach.UP);
        node.dials().metadata(Reach.UP);
        assertThat(late.get(90, TimeUnit.SECONDS).line()).startsWith("10.0.");
    }

    /** Follows every thread of the daemon; returns once strace is attached. */
    private static Process trace(OneNode node, Path file) throws IOException {
        Process strace =
                new ProcessBuilder(
                                "strace",
                                "-f",
                                "-o",
                                file.toString(),
                                "-e",
                                CALLS,
                                "-p",
                                String.valueOf(node.daemon().pid()))
                        .start();
        BufferedReader words =
                new BufferedReader(
                        new InputStreamReader(strace.getErrorStream(), StandardCharsets.UTF_8));
        String line = words.readLine();
        assertThat(line).contains("attached");
        Thread.ofVirtual().start(() -> drain(words));
        return strace;
    }

    private static void drain(BufferedReader words) {
        try {
            words.transferTo(Writer.nullWriter());
        } catch (IOException e) {
            // strace was ended, as the test wants it.
        }
    }

    /** A new thread is no new process; the ends of calls that were cut in two say nothing. */
    private static boolean isForbidden(String line) {
        boolean newThread = line.contains("clone") && line.contains("CLONE_THREAD");
        boolean calls =
                line.contains("fork(")
                        || line.contains("clone")
                        || line.contains("exec")
                        || line.contains("sync");
        return calls && !newThread && !line.contains(" resumed>");
    }
}
