package dev.underlay.cni.nft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.underlay.cni.testing.Netns;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("kernel")
class NftablesTest {
    @Test
    void context_stays_in_the_namespace_it_was_opened_in() throws Exception {
        try (Netns netns = Netns.create("nft");
                Nftables nftables = netns.call(Nftables::open)) {
            nftables.run("table inet mine {\nchain c {\n}\n}");
            assertThat(netns.exec("nft", "list", "tables")).isEqualTo("table inet mine\n");
            assertThat(nftables.list("list tables")).isEqualTo("table inet mine\n");
            assertThat(nftables.listJson("list tables")).contains("\"name\": \"mine\"");
        }
    }

    @Test
    void refused_transaction_leaves_nothing_and_names_the_place() throws Exception {
        try (Netns netns = Netns.create("nft");
                Nftables nftables = netns.call(Nftables::open)) {
            assertThatThrownBy(
                            () -> nftables.run("add table inet mine\nadd rule inet mine no accept"))
                    .isInstanceOf(NftException.class)
                    .hasMessageContaining("No such file or directory");
            assertThatThrownBy(() -> nftables.run("add tabel inet mine"))
                    .hasMessageContaining("syntax error");
            assertThat(nftables.list("list tables")).isEmpty();
            nftables.run("add table inet mine");
            assertThat(nftables.list("list tables")).contains("mine");
        }
    }

    @Test
    void many_threads_share_the_one_owner() throws Exception {
        try (Netns netns = Netns.create("nft");
                Nftables nftables = netns.call(Nftables::open)) {
            nftables.run("table inet mine {\nset s {\ntype ipv4_addr\n}\n}");
            assertThat(
                            IntStream.range(0, 200)
                                    .parallel()
                                    .filter(i -> {
                                        try {
                                            nftables.run(
                                                    "add element inet mine s { 10.0.0." + i + " }");
                                            return true;
                                        } catch (java.io.IOException e) {
                                            throw new java.io.UncheckedIOException(e);
                                        }
                                    })
                                    .count())
                    .isEqualTo(200);
            String listed = nftables.list("list set inet mine s");
            assertThat(IntStream.range(0, 200)).allMatch(i -> listed.contains("10.0.0." + i));
        }
    }
}
