package dev.underlay.ipamd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.underlay.pool.Families;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DaemonSettingsTest {
    @TempDir Path folder;

    @Test
    void both_spellings_of_an_option_are_read_and_the_rest_has_defaults() throws IOException {
        DaemonOptions options =
                DaemonOptions.parse(
                        "--run-dir", "/run/x", "--launcher=" + launcher(), "--run-dir=/run/y");
        assertThat(DaemonSettings.of(options, Map.of("UNDERLAY_ADD_WAIT", "7")))
                .isInstanceOfSatisfying(
                        DaemonSettings.Checked.Good.class,
                        good -> {
                            assertThat(good.settings().runDir()).isEqualTo(Path.of("/run/y"));
                            assertThat(good.settings().addWait()).isEqualTo(Duration.ofSeconds(7));
                            assertThat(good.settings().metricsAddress().getPort()).isEqualTo(61678);
                            assertThat(good.settings().healthAddress().getAddress())
                                    .matches(a -> a.isLoopbackAddress());
                        });
    }

    @Test
    void all_wrong_settings_are_told_at_once_each_by_name() {
        DaemonOptions options =
                DaemonOptions.parse(
                        "--launcher",
                        "/does/not/exist",
                        "--metrics-address=localhost:1",
                        "--health-address",
                        "127.0.0.1:99999",
                        "--run-dir",
                        "/" + "x".repeat(100));
        Map<String, String> environment =
                Map.of(
                        "WARM_IP_TARGET", "many",
                        "IP_COOLDOWN_PERIOD", "-1",
                        "UNDERLAY_ADD_WAIT", "61",
                        "AWS_ENDPOINT_URL_EC2", "nowhere");
        assertThat(DaemonSettings.of(options, environment))
                .isInstanceOfSatisfying(
                        DaemonSettings.Checked.Bad.class,
                        bad ->
                                assertThat(String.join("\n", bad.errors()))
                                        .contains(
                                                "--launcher",
                                                "--metrics-address",
                                                "--health-address",
                                                "--run-dir",
                                                "WARM_IP_TARGET",
                                                "IP_COOLDOWN_PERIOD",
                                                "UNDERLAY_ADD_WAIT",
                                                "AWS_ENDPOINT_URL_EC2"));
    }

    /** A ConfigMap reaches every node: none would start again. */
    @Test
    void what_is_wrong_in_the_settings_folder_is_no_reason_not_to_start() throws IOException {
        Path settings = Files.createDirectory(folder.resolve("settings"));
        Files.writeString(settings.resolve("WARM_IP_TARGET"), "many");
        Files.writeString(settings.resolve("README"), "what is this");
        DaemonOptions options =
                DaemonOptions.parse("--launcher=" + launcher(), "--settings-dir=" + settings);
        assertThat(DaemonSettings.of(options, Map.of("WARM_IP_TARGET", "3")))
                .isInstanceOfSatisfying(
                        DaemonSettings.Checked.Good.class,
                        good -> assertThat(good.settings().pool().warmIpTarget()).hasValue(3));
    }

    @Test
    void what_the_pool_can_do_and_the_daemon_cannot_is_refused() throws IOException {
        DaemonOptions options = DaemonOptions.parse("--launcher=" + launcher());
        Map<String, String> custom = Map.of("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "true");
        assertThat(DaemonSettings.of(options, custom))
                .isInstanceOfSatisfying(
                        DaemonSettings.Checked.Bad.class,
                        bad ->
                                assertThat(bad.errors())
                                        .singleElement()
                                        .asString()
                                        .contains("CUSTOM_NETWORK", "unset"));
    }

    @Test
    void pods_may_have_one_family_or_both() throws IOException {
        DaemonOptions options = DaemonOptions.parse("--launcher=" + launcher());
        Map<String, String> both = Map.of("ENABLE_IPv4", "true", "ENABLE_IPv6", "true");
        Map<String, String> ipv6 =
                Map.of("ENABLE_IPv6", "true", "ENABLE_PREFIX_DELEGATION", "true");
        assertThat(families(options, both)).isEqualTo(Families.BOTH);
        assertThat(families(options, ipv6)).isEqualTo(Families.IPV6);
        assertThat(DaemonSettings.of(options, Map.of("ENABLE_IPv6", "true")))
                .isInstanceOfSatisfying(
                        DaemonSettings.Checked.Bad.class,
                        bad ->
                                assertThat(bad.errors())
                                        .singleElement()
                                        .asString()
                                        .contains("ENABLE_PREFIX_DELEGATION", "set both"));
    }

    private static Families families(DaemonOptions options, Map<String, String> environment) {
        return ((DaemonSettings.Checked.Good) DaemonSettings.of(options, environment))
                .settings()
                .pool()
                .families();
    }

    @Test
    void an_unknown_option_and_a_missing_value_are_named() {
        assertThatThrownBy(() -> DaemonOptions.parse("--rundir", "/x"))
                .hasMessageContaining("--rundir");
        assertThatThrownBy(() -> DaemonOptions.parse("--run-dir"))
                .hasMessageContaining("--run-dir needs a value");
    }

    private Path launcher() throws IOException {
        return Files.createFile(
                folder.resolve("launcher"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }
}
