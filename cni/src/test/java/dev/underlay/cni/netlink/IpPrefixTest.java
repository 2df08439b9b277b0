package dev.underlay.cni.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IpPrefixTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "0.0.0.0/0",
                "10.0.0.16/28",
                "::/0",
                "::1/128",
                "1::/16",
                "fd00:10::11/128",
                "fd00:10:0:0:1::/80",
                "2001:db8:0:1:1:1:1:1/128", // RFC 5952, 4.2.2: one zero group stays
                "2001:0:0:1::1/128", // 4.2.3: the longer run
                "2001:db8::1:0:0:1/128" // 4.2.3: the first of equal runs
            })
    void text_is_the_canonical_one(String canonical) {
        assertThat(IpPrefix.parse(canonical)).hasToString(canonical);
    }

    @Test
    void address_alone_is_a_prefix_of_one() {
        assertThat(IpPrefix.parse("10.0.0.5")).hasToString("10.0.0.5/32");
        assertThat(IpPrefix.parse("fd00::5")).hasToString("fd00::5/128");
    }

    @Test
    void length_beyond_the_family_is_refused() {
        assertThatThrownBy(() -> IpPrefix.parse("10.0.0.0/33")).hasMessageContaining("/33");
    }

    @Test
    void network_clears_what_is_beyond_the_length() {
        assertThat(IpPrefix.parse("10.0.0.37/28").network()).hasToString("10.0.0.32/28");
        assertThat(IpPrefix.parse("fd00::ffff/127").network()).hasToString("fd00::fffe/127");
    }

    @Test
    void containment_stays_in_its_family() {
        IpPrefix all = IpPrefix.parse("0.0.0.0/0");
        assertThat(all.contains(IpPrefix.parse("10.0.0.0/8"))).isTrue();
        assertThat(all.contains(IpPrefix.parse("::/0"))).isFalse();
        assertThat(IpPrefix.parse("10.0.0.16/28").contains(IpPrefix.literal("10.0.0.31"))).isTrue();
        assertThat(IpPrefix.parse("10.0.0.16/28").contains(IpPrefix.literal("10.0.0.32")))
                .isFalse();
    }

    @Test
    void order_is_by_family_then_number() {
        assertThat(
                        Stream.of("fd00::/8", "200.0.0.1", "10.0.0.0/16", "10.0.0.0/8")
                                .map(IpPrefix::parse)
                                .sorted()
                                .map(IpPrefix::toString))
                .containsExactly("10.0.0.0/8", "10.0.0.0/16", "200.0.0.1/32", "fd00::/8");
    }
}
