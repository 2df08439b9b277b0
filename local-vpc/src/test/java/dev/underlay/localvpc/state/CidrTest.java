package dev.underlay.localvpc.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CidrTest {
    @Test
    void blocks_contain_and_overlap() {
        Cidr vpc = Cidr.parse("10.0.0.0/16");
        Cidr prefix = Cidr.parse("10.0.255.240/28");
        assertThat(vpc.contains(prefix)).isTrue();
        assertThat(vpc.contains(vpc)).isTrue();
        assertThat(prefix.contains(vpc)).isFalse();
        assertThat(prefix.overlaps(vpc)).isTrue();
        assertThat(vpc.contains(Cidr.parse("10.1.0.0/28"))).isFalse();
        assertThat(prefix.overlaps(Cidr.parse("10.0.255.224/28"))).isFalse();
        assertThat(Cidr.parse("0.0.0.0/0").contains(vpc)).isTrue();
        assertThat(Cidr.parse("::/0").contains(vpc)).isFalse();
    }

    @Test
    void blocks_are_counted_and_addressed() {
        Cidr subnet = Cidr.parse("10.0.1.0/24");
        assertThat(subnet.size()).isEqualTo(256);
        assertThat(subnet.at(32, 28)).hasToString("10.0.1.32/28");
        assertThat(subnet.at(7, 32)).hasToString("10.0.1.7");
        assertThat(subnet.offsetOf(Cidr.parse("10.0.1.7"))).isEqualTo(7);
        assertThat(Cidr.parse("255.255.255.255").address().getHostAddress())
                .isEqualTo("255.255.255.255");
        assertThat(Cidr.parse("2001:db8:0:0:1::/80").address().getAddress()).hasSize(16);
        assertThat(Cidr.of(subnet.address())).isEqualTo(Cidr.parse("10.0.1.0"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "x", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.1/24", "::1/64"})
    void what_is_no_block_is_refused(String text) {
        assertThatThrownBy(() -> Cidr.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }
}
