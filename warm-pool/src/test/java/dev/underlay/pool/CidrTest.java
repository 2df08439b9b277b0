package dev.underlay.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class CidrTest {
    @ParameterizedTest
    @CsvSource({
        "10.0.1.16/28, 10.0.1.16, 10.0.1.31, 16",
        "10.0.0.0/16, 10.0.0.0, 10.0.255.255, 65536",
        "0.0.0.0/0, 0.0.0.0, 255.255.255.255, 4294967296",
        "10.0.0.7/32, 10.0.0.7, 10.0.0.7, 1",
        "2001:db8:0:0:1::/80, 2001:db8:0:0:1::, 2001:db8::1:ffff:ffff:ffff, 281474976710656",
    })
    void a_block_holds_its_first_to_its_last_address(
            String text, String first, String last, long size) {
        Cidr cidr = Cidr.parse(text);
        assertThat(cidr.size()).isEqualTo(size);
        assertThat(cidr.address(0)).isEqualTo(IpAddress.parse(first));
        assertThat(cidr.address(size - 1)).isEqualTo(IpAddress.parse(last));
        assertThat(cidr.contains(IpAddress.parse(last))).isTrue();
        assertThatIllegalArgumentException().isThrownBy(() -> cidr.address(size));
        assertThatIllegalArgumentException().isThrownBy(() -> cidr.address(-1));
    }

    @Test
    void a_block_holds_neither_its_neighbours_nor_the_other_family() {
        Cidr cidr = Cidr.parse("10.0.1.16/28");
        assertThat(cidr.contains(IpAddress.parse("10.0.1.15"))).isFalse();
        assertThat(cidr.contains(IpAddress.parse("10.0.1.32"))).isFalse();
        assertThat(Cidr.parse("::/0").contains(IpAddress.parse("10.0.1.16"))).isFalse();
        assertThat(Cidr.parse("::/0").contains(IpAddress.parse("8000::1"))).isTrue();
        assertThat(Cidr.parse("::/0").size()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void a_single_address_is_a_block() {
        assertThat(Cidr.parse("10.0.0.7")).isEqualTo(Cidr.parse("10.0.0.7/32"));
        assertThat(Cidr.of(IpAddress.parse("::1"))).hasToString("::1/128");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "10.0.1.17/28",
                "10.0.0.0/33",
                "10.0.0.0/-1",
                "::/129",
                "10.0.0.0/",
                "10.0.0.0/x",
                "10/8",
                "2001:db8::1/80"
            })
    void anything_else_is_refused(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> Cidr.parse(text));
    }

    @Test
    void blocks_are_ordered_by_network_then_by_length() {
        assertThat(Cidr.parse("10.0.0.0/16")).isLessThan(Cidr.parse("10.0.0.0/28"));
        assertThat(Cidr.parse("10.0.0.0/28")).isLessThan(Cidr.parse("10.0.0.1/32"));
    }
}
