package dev.underlay.cni.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CniErrorTest {
    @Test
    void the_object_has_the_specifications_fields() {
        assertThat(CniError.tryAgain("no \"address\" yet", "").json(SpecVersion.V1_0_0))
                .isEqualTo(
                        "{\"cniVersion\":\"1.0.0\",\"code\":11,\"msg\":\"no \\\"address\\\" yet\"}");
        assertThat(CniError.notAvailable("a", "b").json(SpecVersion.V1_1_0))
                .isEqualTo(
                        "{\"cniVersion\":\"1.1.0\",\"code\":50,\"msg\":\"a\",\"details\":\"b\"}");
    }

    @Test
    void words_that_a_runtime_reads_as_success_of_del_never_appear() {
        CniError error =
                CniError.kernelRefused(
                        "route: No such file or directory (errno 2)", "link eni1 Not Found");
        assertThat(error.json(SpecVersion.V1_0_0).toLowerCase(java.util.Locale.ROOT))
                .doesNotContain("not found")
                .doesNotContain("no such file or directory");
    }
}
