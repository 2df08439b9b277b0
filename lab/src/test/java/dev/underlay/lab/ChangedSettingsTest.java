package dev.underlay.lab;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** An administrator changes settings while the daemon serves pods. */
@Tag("kernel")
final class ChangedSettingsTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    @Test
    void prefixes_are_asked_for_from_now_on_and_pods_keep_what_they_have() throws IOException {
        try (OneNode node = OneNode.serving("m5.large", Map.of("WARM_IP_TARGET", "1"))) {
            Await.until(SOON, node::free, free -> free == 1);
            List<Sandbox> pods = node.sandboxes(2);
            CniReply before = node.runtime().add(pods.getFirst());
            assertThat(before.ok()).isTrue();

            Path settings = node.node().folders().settings();
            Files.writeString(settings.resolve("WARM_IP_TARGET"), "-1");
            Path on = Files.writeString(settings.resolve("ENABLE_PREFIX_DELEGATION"), "true");
            Await.until(SOON, () -> log(node), log -> log.contains("settings.refused"));
            assertThat(log(node)).contains("WARM_IP_TARGET is");
            assertThat(node.status().path("settings").path("prefixDelegation").asBoolean())
                    .isFalse();

            Files.writeString(settings.resolve("WARM_IP_TARGET"), "10");
            JsonNode status = Await.until(SOON, node::status, ChangedSettingsTest::hasPrefix);
            assertThat(hasPrefix(status)).isTrue();
            CniReply after = node.runtime().add(pods.get(1));
            assertThat(after.ok()).isTrue();
            assertThat(NodeState.leases(node.status())).contains(before.address());
            assertThat(before.address()).isNotEqualTo(after.address());

            Files.delete(on);
            status =
                    Await.until(
                            SOON,
                            node::status,
                            now -> !now.path("settings").path("prefixDelegation").asBoolean());
            assertThat(status.path("settings").path("prefixDelegation").asBoolean()).isFalse();
            assertThat(NodeState.leases(status)).contains(before.address(), after.address());
        }
    }

    private static String log(OneNode node) throws IOException {
        return Files.readString(node.node().folders().log());
    }

    private static boolean hasPrefix(JsonNode status) {
        return status.path("interfaces").path(0).path("blocks").toString().contains("/28");
    }
}
