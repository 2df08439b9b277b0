package dev.underlay.cloud.aws;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The daemon serves before the SDK is loaded, so making the network must not load it. */
final class LazyStartTest {
    /** The program that is watched. */
    static final class Program {
        private Program() {}

        public static void main(String[] arguments) {
            try (AwsCloudNetwork network =
                    new AwsCloudNetwork(
                            AwsSettings.fromEnvironment(Map.of("AWS_REGION", "eu-west-1")),
                            CloudCallListener.NONE)) {
                System.out.println("made " + network.getClass().getName());
            }
        }
    }

    @Test
    void making_the_network_loads_no_class_of_the_sdk_or_of_resilience4j() throws Exception {
        Process java =
                new ProcessBuilder(
                                List.of(
                                        Path.of(System.getProperty("java.home"), "bin", "java")
                                                .toString(),
                                        "-Xlog:class+load",
                                        "-cp",
                                        System.getProperty("java.class.path"),
                                        Program.class.getName()))
                        .redirectErrorStream(true)
                        .start();
        String output;
        try (InputStream stream = java.getInputStream()) {
            output = new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        }
        assertThat(java.waitFor()).isZero();
        assertThat(output).contains("made " + AwsCloudNetwork.class.getName());
        assertThat(output.lines())
                .noneMatch(line -> line.contains("software.amazon.awssdk."))
                .noneMatch(line -> line.contains("io.github.resilience4j."))
                .noneMatch(line -> line.contains("com.github.benmanes."));
    }
}
