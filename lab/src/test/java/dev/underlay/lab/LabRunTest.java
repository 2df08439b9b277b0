package dev.underlay.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.underlay.localvpc.fabric.Netns;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a run leaves is removed, whoever ended it, and nobody else's is touched. */
@Tag("kernel")
final class LabRunTest {
    @TempDir private Path root;

    @BeforeEach
    void needsTheKernel() {
        Kernel.required();
    }

    @Test
    void a_closed_run_leaves_no_process_namespace_or_folder() throws IOException {
        Process recorded;
        Process inside;
        LabRun run = LabRun.start(root, ProcessId.self());
        try (run) {
            Netns netns = Netns.create(run.prefix() + "a");
            recorded = new ProcessBuilder("sleep", "600").start();
            run.record(recorded);
            inside = netns.call(new ProcessBuilder("sleep", "600")::start);
        }
        assertThat(recorded.isAlive()).isFalse();
        assertThat(inside.isAlive()).isFalse();
        assertThat(LabRun.namespaces(run.prefix())).isEmpty();
        assertThat(run.folder()).doesNotExist();
    }

    @Test
    void what_a_killed_owner_left_is_removed_by_the_next_run() throws Exception {
        Process owner = new ProcessBuilder("sleep", "600").start();
        LabRun dead = LabRun.start(root, ProcessId.of(owner.pid()).orElseThrow());
        Netns.create(dead.prefix() + "a");
        Process recorded = new ProcessBuilder("sleep", "600").start();
        dead.record(recorded);
        owner.destroyForcibly().waitFor();

        try (LabRun next = LabRun.start(root, ProcessId.self())) {
            assertThat(recorded.isAlive()).isFalse();
            assertThat(LabRun.namespaces(dead.prefix())).isEmpty();
            assertThat(LabRun.live(root)).containsExactly(next.id());
        } finally {
            dead.close();
        }
    }

    @Test
    void a_live_run_is_left_alone() throws IOException {
        try (LabRun first = LabRun.start(root, ProcessId.self())) {
            Netns netns = Netns.create(first.prefix() + "a");
            Process inside = netns.call(new ProcessBuilder("sleep", "600")::start);
            first.record(inside);
            try (LabRun second = LabRun.start(root, ProcessId.self())) {
                assertThat(LabRun.live(root)).containsExactlyInAnyOrder(first.id(), second.id());
            }
            assertThat(inside.isAlive()).isTrue();
            assertThat(netns.exists()).isTrue();
        }
    }

    @Test
    void a_process_that_got_a_recorded_number_later_is_left_alone() throws IOException {
        Process successor = new ProcessBuilder("sleep", "600").start();
        try {
            LabRun run = LabRun.start(root, ProcessId.self());
            try (run) {
                ProcessId now = ProcessId.of(successor.pid()).orElseThrow();
                ProcessId before = new ProcessId(now.pid(), now.startTicks() - 1);
                Files.writeString(run.folder().resolve("processes"), before + "\n12 torn");
            }
            assertThat(successor.isAlive()).isTrue();
        } finally {
            successor.destroyForcibly();
        }
    }

    @Test
    void nothing_starts_once_a_run_is_closed() throws IOException {
        Netns netns;
        LabRun run = LabRun.start(root, ProcessId.self());
        try (run) {
            netns = Netns.create(run.prefix() + "a");
            assertThat(run.launch(netns, new ProcessBuilder("sleep", "600")).isAlive()).isTrue();
        }
        assertThatThrownBy(() -> run.launch(netns, new ProcessBuilder("sleep", "600")))
                .hasMessageContaining("is closed");
    }

    @Test
    void a_run_that_was_cut_off_while_it_began_is_swept() throws IOException {
        Path half = Files.createDirectory(root.resolve(".new-abcd"));
        Files.createFile(half.resolve("owner"));
        assertThat(LabRun.sweep(root)).isEmpty();
        assertThat(half).doesNotExist();
        assertThat(LabRun.sweep(root.resolve("nowhere"))).isEqualTo(List.of());
    }
}
