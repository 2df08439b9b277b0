package dev.underlay.cni.routing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.cni.testing.Netns;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("kernel")
class SysctlsTest {
    @Test
    void a_value_that_only_starts_as_the_wanted_one_is_replaced() throws Exception {
        String setting = "ipv4/tcp_retries2";
        try (Netns node = Netns.create("sysctl")) {
            node.call(() -> {
                Sysctls.set(setting, "15");
                Sysctls.set(setting, "1");
                return setting;
            });
            assertThat(node.exec("cat", "/proc/sys/net/" + setting).strip()).isEqualTo("1");
        }
    }
}
