package dev.underlay.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
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
                                        "ENABLE_PREFIX_DELEGATION", "T",
                                        "WARM_PREFIX_TARGET", "1",
                                        "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "1",
                                        "MAX_ENI", "3",
                                        "AWS_MANAGE_ENIS_NON_SCHEDULABLE", "true",
                                        "UNDERLAY_MAX_PODS", "58",
                                        "IP_COOLDOWN_PERIOD", "0")))
                .isEqualTo(
                        new PoolSettings(
                                Families.IPV4,
                                OptionalInt.of(2),
                                OptionalInt.of(5),
                                OptionalInt.of(10),
                                true,
                                OptionalInt.of(1),
                                true,
                                OptionalInt.of(3),
                                true,
                                OptionalInt.of(58),
                                0));
    }

    @Test
    void every_name_is_read() {
        for (String name : PoolSettings.NAMES) {
            assertThat(errors(name, "?")).singleElement().asString().startsWith(name + " is \"?\"");
        }
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

    /** Go's ParseBool, as the VPC CNI reads it. */
    @Test
    void a_flag_is_one_of_gos_words() {
        for (String yes : List.of("1", "t", "T", "TRUE", "true", "True")) {
            assertThat(TestNode.settings(Map.of("ENABLE_PREFIX_DELEGATION", yes)))
                    .extracting(PoolSettings::prefixDelegation)
                    .isEqualTo(true);
        }
        for (String no : List.of("", "0", "f", "F", "FALSE", "false", "False")) {
            assertThat(TestNode.settings(Map.of("ENABLE_PREFIX_DELEGATION", no)))
                    .isEqualTo(PoolSettings.defaults());
        }
        assertThat(errors("ENABLE_PREFIX_DELEGATION", "yes"))
                .containsExactly(
                        "ENABLE_PREFIX_DELEGATION is \"yes\": it must be true or false; correct or"
                                + " unset it");
    }

    /** The VPC CNI refuses to start then, too; with all three unset ours has a default. */
    @Test
    void prefixes_without_any_warmth_are_refused() {
        assertThat(errors("ENABLE_PREFIX_DELEGATION", "true", "WARM_PREFIX_TARGET", "0"))
                .containsExactly(
                        "ENABLE_PREFIX_DELEGATION is true and WARM_PREFIX_TARGET is 0: no address"
                                + " would be kept for the next pod; set one of"
                                + " WARM_PREFIX_TARGET, WARM_IP_TARGET, MINIMUM_IP_TARGET above 0"
                                + " or unset them");
        assertThat(
                        errors(
                                "ENABLE_PREFIX_DELEGATION", "true",
                                "WARM_IP_TARGET", "0",
                                "MINIMUM_IP_TARGET", "0"))
                .singleElement()
                .asString()
                .contains("WARM_IP_TARGET and MINIMUM_IP_TARGET are 0");
        assertThat(errors("ENABLE_PREFIX_DELEGATION", "true", "WARM_PREFIX_TARGET", "-1"))
                .singleElement()
                .asString()
                .startsWith("WARM_PREFIX_TARGET is \"-1\"");
        assertThat(errors("ENABLE_PREFIX_DELEGATION", "true")).isEmpty();
        assertThat(errors("ENABLE_PREFIX_DELEGATION", "true", "WARM_ENI_TARGET", "0")).isEmpty();
        assertThat(
                        errors(
                                "ENABLE_PREFIX_DELEGATION", "true",
                                "WARM_PREFIX_TARGET", "0",
                                "WARM_IP_TARGET", "+5"))
                .isEmpty();
        assertThat(errors("WARM_PREFIX_TARGET", "0")).isEmpty();
    }

    /** What an administrator sets and what the cluster says: both hold. */
    @Test
    void the_lower_ceiling_holds() {
        PoolSettings set = TestNode.settings(Map.of("UNDERLAY_MAX_PODS", "58"));
        assertThat(set.withMaxPods(29).maxPods()).hasValue(29);
        assertThat(set.withMaxPods(110).maxPods()).hasValue(58);
        assertThat(PoolSettings.defaults().withMaxPods(110).maxPods()).hasValue(110);
    }

    /** G57: the VPC CNI refuses both families, and takes neither unless one is set. */
    @Test
    void one_family_or_both() {
        assertThat(families()).isEqualTo(Families.IPV4);
        assertThat(families("ENABLE_IPv6", "false")).isEqualTo(Families.IPV4);
        assertThat(families("ENABLE_IPv6", "true", "ENABLE_PREFIX_DELEGATION", "true"))
                .isEqualTo(Families.IPV6);
        assertThat(families("ENABLE_IPv4", "true", "ENABLE_IPv6", "true")).isEqualTo(Families.BOTH);

        assertThat(errors("ENABLE_IPv4", "false"))
                .singleElement()
                .asString()
                .contains("pods would have no address");
        assertThat(errors("ENABLE_IPv6", "true"))
                .singleElement()
                .asString()
                .contains("ENABLE_PREFIX_DELEGATION is not", "set both");
        assertThat(
                        errors(
                                "ENABLE_IPv4", "true",
                                "ENABLE_IPv6", "true",
                                "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "true"))
                .singleElement()
                .asString()
                .contains("the primary interface", "unset one");
        assertThat(errors("ENABLE_IPv4", "no")).singleElement().asString().contains("\"no\"");
    }

    private static Families families(String... namesAndValues) {
        return TestNode.settings(environment(namesAndValues)).families();
    }

    private static Map<String, String> environment(String... namesAndValues) {
        Map<String, String> environment = new TreeMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            environment.put(namesAndValues[i], namesAndValues[i + 1]);
        }
        return environment;
    }

    private static List<String> errors(String... namesAndValues) {
        return switch (PoolSettings.fromEnvironment(environment(namesAndValues))) {
            case PoolSettings.Parsed.Good _ -> List.of();
            case PoolSettings.Parsed.Bad(var errors) -> errors;
        };
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
