package dev.underlay.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class IpAddressTest {
    /** The canonical forms of RFC 5952, section 4, and what they are read from. */
    @ParameterizedTest
    @CsvSource({
        "10.0.3.17, 10.0.3.17",
        "255.255.255.255, 255.255.255.255",
        "0.0.0.0, 0.0.0.0",
        "2001:0DB8:0:0:0:0:0:1, 2001:db8::1",
        "::, ::",
        "::1, ::1",
        "1::, 1::",
        "2001:db8:0:1:1:1:1:1, 2001:db8:0:1:1:1:1:1", // one zero group is not shortened
        "2001:0:0:1:0:0:0:1, 2001:0:0:1::1", // the longest run is
        "2001:db8:0:0:1:0:0:1, 2001:db8::1:0:0:1", // the first of equal runs is
        "1:2:3:4:5:6:0:0, 1:2:3:4:5:6::",
        "0:0:3:4:5:6:7:8, ::3:4:5:6:7:8",
        "fe80:ffff:8000::8000:ffff, fe80:ffff:8000::8000:ffff",
    })
    void text_is_read_and_written_in_its_canonical_form(String text, String canonical) {
        IpAddress address = IpAddress.parse(text);
        assertThat(address).hasToString(canonical);
        assertThat(IpAddress.parse(canonical)).isEqualTo(address);
        assertThat(IpAddress.ofBytes(address.toBytes())).isEqualTo(address);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "10",
                "10.1",
                "10.0.1",
                "10.0.0.256",
                "10.0.0.0x1",
                "10.0.0.1 ",
                "localhost",
                "fe80::1%1",
                "1:2:3",
                "[::1]"
            })
    void anything_else_is_refused(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> IpAddress.parse(text));
    }

    @Test
    void addresses_are_numbers() {
        assertThat(IpAddress.parse("10.0.0.255").plus(1)).hasToString("10.0.1.0");
        assertThat(IpAddress.parse("2001:db8::ffff:ffff:ffff:ffff").plus(1))
                .hasToString("2001:db8:0:1::");
        assertThat(IpAddress.parse("9.255.255.255")).isLessThan(IpAddress.parse("10.0.0.0"));
        assertThat(IpAddress.parse("127.0.0.1")).isLessThan(IpAddress.parse("128.0.0.1"));
        assertThat(IpAddress.parse("7fff::")).isLessThan(IpAddress.parse("8000::"));
        assertThat(IpAddress.parse("255.0.0.1")).isLessThan(IpAddress.parse("::"));
    }

    @Test
    void there_is_nothing_after_the_last_one() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> IpAddress.parse("255.255.255.255").plus(1));
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () -> IpAddress.parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").plus(1));
    }
}
