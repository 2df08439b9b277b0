package dev.underlay.ipamd;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.pool.PoolSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SettingsFolderTest {
    @TempDir Path folder;

    private SettingsFolder settings(Path at) {
        return new SettingsFolder(at, Map.of("WARM_IP_TARGET", "3", "MAX_ENI", "2"));
    }

    private static PoolSettings good(SettingsFolder folder) {
        return ((PoolSettings.Parsed.Good) folder.read()).settings();
    }

    private static List<String> errors(SettingsFolder folder) {
        return ((PoolSettings.Parsed.Bad) folder.read()).errors();
    }

    @Test
    void a_folder_that_is_not_there_leaves_the_environment_alone() {
        assertThat(good(settings(folder.resolve("none"))).warmIpTarget()).hasValue(3);
    }

    /** As the kubelet mounts a ConfigMap: links into a folder that it replaces as a whole. */
    @Test
    void the_files_of_a_mounted_config_map_override_the_environment() throws IOException {
        Path inside = Files.createDirectory(folder.resolve("..2026_11_25"));
        Files.createSymbolicLink(folder.resolve("..data"), inside.getFileName());
        Files.writeString(inside.resolve("WARM_IP_TARGET"), "5\n");
        Files.createSymbolicLink(
                folder.resolve("WARM_IP_TARGET"), Path.of("..data/WARM_IP_TARGET"));
        assertThat(good(settings(folder)).warmIpTarget()).hasValue(5);
        assertThat(good(settings(folder)).maxEni()).hasValue(2);
    }

    @Test
    void an_empty_file_unsets_what_the_environment_sets() throws IOException {
        Files.writeString(folder.resolve("WARM_IP_TARGET"), "");
        assertThat(good(settings(folder)).warmIpTarget()).isEmpty();
    }

    @Test
    void a_change_is_told_once_and_a_wrong_one_changes_nothing() throws IOException {
        SettingsFolder settings = settings(folder);
        List<OptionalInt> told = new ArrayList<>();
        SettingsFolder.Watch watch =
                new SettingsFolder.Watch(
                        settings, good(settings), now -> told.add(now.warmIpTarget()));
        watch.look();
        assertThat(told).isEmpty();
        Files.writeString(folder.resolve("WARM_IP_TARGET"), "7");
        watch.look();
        watch.look();
        Files.writeString(folder.resolve("WARM_IP_TARGET"), "-7");
        watch.look();
        assertThat(told).containsExactly(OptionalInt.of(7));
        Files.delete(folder.resolve("WARM_IP_TARGET"));
        watch.look();
        assertThat(told).containsExactly(OptionalInt.of(7), OptionalInt.of(3));
    }

    @Test
    void every_wrong_file_is_named() throws IOException {
        Files.writeString(folder.resolve("WARM_IP_TARGET"), "many");
        Files.writeString(folder.resolve("WARM_IP_TARGETS"), "1");
        assertThat(errors(settings(folder)))
                .hasSize(2)
                .anyMatch(error -> error.contains("WARM_IP_TARGETS is none of the settings"))
                .anyMatch(error -> error.startsWith("WARM_IP_TARGET is \"many\""));
        Path file = Files.writeString(folder.resolve("file"), "");
        assertThat(errors(settings(file))).singleElement().asString().contains("--settings-dir");
    }
}
