package dev.underlay.ipamd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import dev.underlay.pool.PoolSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SettingsFolderTest {
    @TempDir Path folder;

    private SettingsFolder settings(Path at) {
        return new SettingsFolder(at, Map.of("WARM_IP_TARGET", "3", "MAX_ENI", "2"));
    }

    private static PoolSettings good(SettingsFolder folder) {
        return ((PoolSettings.Parsed.Good) folder.read().settings()).settings();
    }

    private static List<String> errors(SettingsFolder folder) {
        return ((PoolSettings.Parsed.Bad) folder.read().settings()).errors();
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
        Files.writeString(folder.resolve("MAX_ENI"), "1".repeat(5000));
        Files.createDirectory(folder.resolve("UNDERLAY_MAX_PODS"));
        Files.write(folder.resolve("IP_COOLDOWN_PERIOD"), new byte[] {(byte) 0xff});
        assertThat(errors(settings(folder)))
                .hasSize(4)
                .anyMatch(error -> error.startsWith("WARM_IP_TARGET is \"many\""))
                .anyMatch(error -> error.contains("MAX_ENI is longer than 4096 bytes"))
                .anyMatch(error -> error.contains("UNDERLAY_MAX_PODS is no regular file"))
                .anyMatch(error -> error.startsWith("IP_COOLDOWN_PERIOD is "));
        Path file = Files.writeString(folder.resolve("file"), "");
        assertThat(errors(settings(file))).singleElement().asString().contains("--settings-dir");
    }

    @Test
    void a_name_that_no_setting_has_says_nothing() throws IOException {
        Files.writeString(folder.resolve("WARM_IP_TARGET"), "5");
        Files.writeString(folder.resolve("WARM_IP_TARGETS"), "7");
        Files.writeString(folder.resolve("ENABLE_IPv6"), "true");
        SettingsFolder settings = settings(folder);
        assertThat(good(settings).warmIpTarget()).hasValue(5);
        assertThat(settings.read().unknown()).containsExactly("ENABLE_IPv6", "WARM_IP_TARGETS");
    }

    @Test
    void a_wrong_folder_leaves_a_start_with_the_environment_and_is_taken_once_it_is_right()
            throws IOException {
        SettingsFolder settings = settings(folder);
        Files.writeString(folder.resolve("WARM_IP_TARGET"), "many");
        PoolSettings first = ((PoolSettings.Parsed.Good) settings.atStart()).settings();
        assertThat(first.warmIpTarget()).hasValue(3);
        List<OptionalInt> told = new ArrayList<>();
        SettingsFolder.Watch watch =
                new SettingsFolder.Watch(settings, first, now -> told.add(now.warmIpTarget()));
        watch.look();
        assertThat(told).isEmpty();
        Files.writeString(folder.resolve("WARM_IP_TARGET"), "7");
        watch.look();
        assertThat(told).containsExactly(OptionalInt.of(7));
        assertThat(settings.atStart()).isEqualTo(settings.read().settings());
    }

    @Test
    void what_is_wrong_in_the_environment_refuses_a_start_whatever_the_folder_says()
            throws IOException {
        Files.writeString(folder.resolve("WARM_IP_TARGET"), "5");
        SettingsFolder settings = new SettingsFolder(folder, Map.of("WARM_IP_TARGET", "many"));
        assertThat(settings.atStart()).isInstanceOf(PoolSettings.Parsed.Bad.class);
    }

    @Test
    void a_listing_that_breaks_off_is_an_error_as_any_other() {
        Stream<Path> broken =
                Stream.of(folder)
                        .peek(_ -> {
                            throw new UncheckedIOException(new IOException("EIO"));
                        });
        assertThatIOException()
                .isThrownBy(() -> SettingsFolder.visible(broken))
                .withMessageContaining("EIO");
    }
}
