package dev.underlay.cloud.aws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class AwsSettingsTest {
    @Test
    void the_standard_variables_are_read_and_empty_ones_are_absent() {
        AwsSettings settings =
                AwsSettings.fromEnvironment(
                        Map.of(
                                "AWS_ENDPOINT_URL", "http://all:1",
                                "AWS_ENDPOINT_URL_EC2", "http://ec2:2",
                                "AWS_REGION", "eu-west-1",
                                "AWS_ACCESS_KEY_ID", "AKID",
                                "AWS_SECRET_ACCESS_KEY", "hush",
                                "CLUSTER_NAME", ""));
        assertThat(settings.ec2Endpoint()).contains(URI.create("http://ec2:2"));
        assertThat(settings.region()).contains("eu-west-1");
        assertThat(settings.keys()).isPresent();
        assertThat(settings.clusterName()).isEmpty();
        assertThat(settings.metadataEndpoint()).hasToString("http://169.254.169.254");
        assertThat(settings.toString()).doesNotContain("hush");
    }

    @Test
    void subnets_are_discovered_unless_that_is_turned_off() {
        assertThat(AwsSettings.fromEnvironment(Map.of()).subnetDiscovery()).isTrue();
        assertThat(
                        AwsSettings.fromEnvironment(Map.of("ENABLE_SUBNET_DISCOVERY", "F"))
                                .subnetDiscovery())
                .isFalse();
        assertThatThrownBy(
                        () -> AwsSettings.fromEnvironment(Map.of("ENABLE_SUBNET_DISCOVERY", "no")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("ENABLE_SUBNET_DISCOVERY");
    }

    @Test
    void half_a_pair_of_keys_is_none() {
        assertThat(AwsSettings.fromEnvironment(Map.of("AWS_ACCESS_KEY_ID", "AKID")).keys())
                .isEmpty();
    }

    @Test
    void a_broken_endpoint_names_its_variable() {
        for (String broken : new String[] {"localhost:80", "::", "http//x"}) {
            assertThatThrownBy(() ->
                            AwsSettings.fromEnvironment(Map.of("AWS_ENDPOINT_URL_EC2", broken)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("AWS_ENDPOINT_URL_EC2");
        }
    }
}
