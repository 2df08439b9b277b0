package dev.underlay.cni.socket;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.cni.linux.Linux;
import dev.underlay.cni.socket.DelIntents.DelIntent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the launcher writes is tested with the launcher itself. */
class DelIntentsTest {
    @TempDir Path folder;

    @Test
    void a_folder_that_does_not_exist_holds_nothing() throws Exception {
        assertThat(new DelIntents(folder.resolve("intents")).list()).isEmpty();
    }

    @Test
    void intents_come_oldest_first_until_they_are_consumed() throws Exception {
        intent("b", "containerId=two\ninterfaceName=eth0\nbootTimeNanos=20\n");
        intent(
                "a",
                """
                network=underlay
                containerId=one
                interfaceName=eth0
                namespaceInode=4026532000
                bootTimeNanos=10
                laterKey=ignored
                """);
        DelIntents intents = new DelIntents(folder);
        List<DelIntent> found = intents.list();
        assertThat(found)
                .containsExactly(
                        new DelIntent(
                                "underlay", "one", "eth0", 4026532000L, 10, folder.resolve("a")),
                        new DelIntent("", "two", "eth0", 0, 20, folder.resolve("b")));
        intents.consume(found.getFirst());
        intents.consume(found.getFirst());
        assertThat(intents.list()).containsExactly(found.getLast());
    }

    @Test
    void half_written_files_are_left_alone_and_nonsense_is_removed() throws Exception {
        Path half = intent("." + Linux.bootTimeNanos() + "-7", "containerId=o");
        intent(".10-7", "containerId=o"); // its launcher was killed soon after the boot
        for (String text :
                List.of(
                        "",
                        "containerId=a\n",
                        "interfaceName=e\ncontainerId=a\nbootTimeNanos=x\n")) {
            intent("nonsense-" + text.length(), text);
        }
        intent(
                "large",
                "containerId=" + "a".repeat(40_000) + "\ninterfaceName=e\nbootTimeNanos=1\n");
        Files.write(folder.resolve("bytes"), new byte[] {(byte) 0xff, 0, (byte) 0xfe});
        assertThat(new DelIntents(folder).list()).isEmpty();
        try (var files = Files.list(folder)) {
            assertThat(files).containsExactly(half);
        }
    }

    private Path intent(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }
}
