package dev.underlay.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

final class PoolSettingsTest {
    @Test
    void nothing_set_gives_the_defaults() {
        assertThat(TestNode.settings(Map.of("PATH", "/bin", "WARM_ENI_TARGET", " ")))
                .isEqualTo(PoolSettings.defaults());
        assertThat(PoolSettings.defaults().cooldownNanos()).isEqualTo(30_000_000_000L);
    }

    @Test
    void every_setting_is_read() {
        assertThat(
                        TestNode.settings(
                                Map.of(
                                        "WARM_ENI_TARGET", "2",
                                        "WARM_IP_TARGET", " 5 ",
                                        "MINIMUM_IP_TARGET", "10",
                                        "MAX_ENI", "3",
                                        "IP_COOLDOWN_PERIOD", "0")))
                .isEqualTo(
                        new PoolSettings(
                                OptionalInt.of(2),
                                OptionalInt.of(5),
                                OptionalInt.of(10),
                                OptionalInt.of(3),
                                OptionalInt.empty(),
                                0));
    }

    /** G55 and G56, as far as values are valid: for addresses a 0 means unset. */
    @Test
    void a_zero_is_a_target_of_interfaces_only() {
        PoolSettings zero =
                TestNode.settings(
                        Map.of(
                                "WARM_ENI_TARGET", "0",
                                "WARM_IP_TARGET", "0",
                                "MINIMUM_IP_TARGET", "0",
                                "MAX_ENI", "-1"));
        assertThat(zero.warmEniTarget()).hasValue(0);
        assertThat(zero.warmIpTarget()).isEmpty();
        assertThat(zero.minimumIpTarget()).isEmpty();
        assertThat(zero.maxEni()).isEmpty();
    }

    @Test
    void all_bad_settings_are_named_at_once() {
        PoolSettings.Parsed parsed =
                PoolSettings.fromEnvironment(
                        Map.of(
                                "WARM_ENI_TARGET", "-1",
                                "WARM_IP_TARGET", "5",
                                "MINIMUM_IP_TARGET", "99999999999",
                                "MAX_ENI", "many",
                                "IP_COOLDOWN_PERIOD", "1.5"));
        assertThat(parsed)
                .isInstanceOfSatisfying(
                        PoolSettings.Parsed.Bad.class,
                        bad -> {
                            assertThat(bad.errors()).hasSize(4);
                            assertThat(bad.errors().getFirst())
                                    .isEqualTo(
                                            "WARM_ENI_TARGET is \"-1\": it must be a whole number"
                                                    + " from 0 to 2147483647; correct or unset"
                                                    + " it");
                            assertThat(bad.errors().get(1)).startsWith("MINIMUM_IP_TARGET");
                            assertThat(bad.errors().get(2)).startsWith("MAX_ENI is \"many\"");
                            assertThat(bad.errors().get(3)).startsWith("IP_COOLDOWN_PERIOD");
                        });
    }
}
