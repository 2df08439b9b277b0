package dev.underlay.cni.wiring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class AttachmentTest {
    private static final String CONTAINER = "3f9c".repeat(16);

    @Test
    void alias_carries_everything_and_reads_back() {
        Attachment full =
                new Attachment("underlay", CONTAINER, "eth0", 4026532281L, "shop", "web-0");
        assertThat(full.toAlias())
                .isEqualTo("underlay/1/underlay/" + CONTAINER + "/eth0/4026532281/shop/web-0");
        assertThat(Attachment.fromAlias(full.toAlias())).contains(full);
    }

    @Test
    void sandbox_outside_kubernetes_reads_back() {
        Attachment bare = new Attachment("underlay", "c1", "eth0", 7, "", "");
        assertThat(Attachment.fromAlias(bare.toAlias())).contains(bare);
    }

    @Test
    void overlong_pod_name_is_cut_to_what_the_identity_leaves() {
        Attachment longest =
                new Attachment(
                        "n".repeat(100), CONTAINER, "eth0", Long.MAX_VALUE, "s".repeat(63), "p");
        assertThat(longest.toAlias().getBytes(StandardCharsets.UTF_8)).hasSize(255);
        assertThat(Attachment.fromAlias(longest.toAlias()))
                .hasValueSatisfying(read -> {
                    assertThat(read.isSameSandbox(longest)).isTrue();
                    assertThat(read.podNamespace()).isEqualTo("s".repeat(53));
                    assertThat(read.podName()).isEmpty();
                });
    }

    @Test
    void cut_falls_between_characters() {
        for (int padding = 0; padding < 4; padding++) {
            Attachment wide =
                    new Attachment(
                            "n".repeat(padding + 1), CONTAINER, "eth0", 1, "é", "🐙".repeat(63));
            String alias = wide.toAlias();
            assertThat(alias.getBytes(StandardCharsets.UTF_8).length).isBetween(252, 255);
            assertThat(alias).endsWith("🐙");
        }
    }

    @Test
    void identity_that_does_not_fit_is_refused_by_name() {
        Attachment huge = new Attachment("n".repeat(200), CONTAINER, "eth0", 1, "", "");
        assertThatThrownBy(huge::toAlias).hasMessageContaining("choose a shorter network name");
        Attachment slash = new Attachment("a/b", CONTAINER, "eth0", 1, "", "");
        assertThatThrownBy(slash::toAlias)
                .hasMessageContaining("slash")
                .hasMessageContaining("a/b");
    }

    @Test
    void foreign_aliases_are_not_ours() {
        assertThat(Attachment.fromAlias("")).isEmpty();
        assertThat(Attachment.fromAlias("uplink to rack 7")).isEmpty();
        assertThat(Attachment.fromAlias("underlay/1/a/b/eth0/notanumber/x/y")).isEmpty();
        assertThat(Attachment.fromAlias("underlay/1/a")).isEmpty();
    }

    @Test
    void host_link_has_the_incumbents_name_where_the_pod_is_known() {
        // Vectors of the AWS VPC CNI, which builds the name from SHA-1 of "namespace.name".
        assertThat(Names.podLink("kube-system", "coredns-57ff979f67-qqbdh"))
                .isEqualTo("enib5faff8a083");
        assertThat(Names.podLink("default", "nginx")).isEqualTo("enic440f455693");
        assertThat(Names.podLink("plugin-namespace", "sample-pod")).isEqualTo("eniff774515e10");
    }

    @Test
    void host_link_of_a_sandbox_alone_is_its_own() {
        Attachment one = new Attachment("underlay", "c1", "eth0", 7, "", "");
        Attachment other = new Attachment("underlay", "c2", "eth0", 7, "", "");
        assertThat(Names.hostLink(one)).singleElement().asString().hasSize(15).startsWith("ul");
        assertThat(Names.hostLink(one)).doesNotContainAnyElementsOf(Names.hostLink(other));
    }
}
