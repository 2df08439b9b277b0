package dev.underlay.cni.netlink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.underlay.cni.linux.Linux;
import java.nio.ByteOrder;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Messages byte by byte, as a little-endian machine sends them; the sequence number is 0. */
class MessageTest {
    @BeforeEach
    void vectors_are_little_endian() {
        assumeTrue(ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN, "big-endian machine");
    }

    @Test
    void veth_with_its_peer_born_in_another_namespace() {
        Links.Veth veth =
                new Links.Veth(
                        "eni1",
                        "0e:58:0a:00:00:0b",
                        21,
                        "eth0",
                        "0a:58:0a:00:00:0b",
                        9001,
                        Linux.own(12)); // a number only; never closed
        assertThat(Links.create(veth).hex())
                .isEqualTo(
                        hex(
                                "98000000 1000 0506 00000000 00000000", // length, RTM_NEWLINK,
                                // REQUEST ACK EXCL CREATE, sequence, port
                                "00 00 0000 00000000 00000000 00000000", // ifinfomsg
                                "0900 0300 656e6931 00 000000", // IFNAME "eni1", padding
                                "0a00 0100 0e580a00000b 0000", // ADDRESS, padding
                                "0800 0400 29230000", // MTU 9001
                                "0800 1b00 15000000", // GROUP 21
                                "5000 1280", // LINKINFO, nested
                                "0900 0100 76657468 00 000000", // KIND "veth"
                                "4000 0280", // DATA, nested
                                "3c00 0180", // VETH_INFO_PEER, nested
                                "00 00 0000 00000000 00000000 00000000", // the peer's ifinfomsg
                                "0900 0300 65746830 00 000000", // IFNAME "eth0"
                                "0a00 0100 0a580a00000b 0000", // ADDRESS
                                "0800 0400 29230000", // MTU
                                "0800 1c00 0c000000")); // NET_NS_FD 12
    }

    @Test
    void link_settings_of_both_families() {
        Message message =
                new LinkChange(7)
                        .up()
                        .alias("ab")
                        .ipv4Conf(LinkChange.RP_FILTER, 2)
                        .noIpv6Addresses()
                        .message();
        assertThat(message.hex())
                .isEqualTo(
                        hex(
                                "48000000 1300 0500 00000000 00000000", // RTM_SETLINK, REQUEST ACK
                                "00 00 0000 07000000 01000000 01000000", // index 7, IFF_UP of
                                // IFF_UP
                                "0600 1400 6162 0000", // IFALIAS "ab" without a zero byte
                                "2000 1a80", // AF_SPEC, nested
                                "1000 0280 0c00 0180 0800 0800 02000000", // AF_INET, CONF,
                                // RP_FILTER
                                "0c00 0a80 0500 0800 01 000000")); // AF_INET6, ADDR_GEN_MODE none
    }

    @Test
    void route_to_a_pod() {
        Route route =
                Route.onLink(
                        IpPrefix.parse("10.0.0.11"),
                        7,
                        Optional.of(IpPrefix.literal("10.0.0.10")),
                        20000,
                        85);
        assertThat(route.add().hex())
                .isEqualTo(
                        hex(
                                "3c000000 1800 0506 00000000 00000000", // RTM_NEWROUTE
                                "02 20 00 00 00 55 fd 01 00000000", // AF_INET, /32, table in an
                                // attribute, protocol 85, scope link, unicast, no flags
                                "0800 0100 0a00000b", // DST, network order
                                "0800 0f00 204e0000", // TABLE 20000
                                "0800 0400 07000000", // OIF
                                "0800 0700 0a00000a")); // PREFSRC
    }

    @Test
    void unreachable_route_of_an_ipv6_block() {
        Route route = Route.unreachable(IpPrefix.parse("fd00:10:0:0:1::/80"), 20000, -2, 85);
        assertThat(route.delete().hex())
                .isEqualTo(
                        hex(
                                "40000000 1900 0500 00000000 00000000", // RTM_DELROUTE
                                "0a 50 00 00 00 55 00 07 00000000", // AF_INET6, /80, unreachable
                                "1400 0100 fd000010 00000000 00010000 00000000", // DST
                                "0800 0f00 204e0000", // TABLE 20000
                                "0800 0600 feffffff")); // PRIORITY 4294967294
    }

    @Test
    void rule_on_our_bits_of_the_mark() {
        Rule rule = new Rule(false, 602, Optional.empty(), 2, 0x7f, 20002, 85);
        assertThat(rule.add().hex())
                .isEqualTo(
                        hex(
                                "44000000 2000 0506 00000000 00000000", // RTM_NEWRULE with EXCL
                                "02 00 00 00 00 00 00 01 00000000", // AF_INET, FR_ACT_TO_TBL
                                "0800 0600 5a020000", // PRIORITY 602
                                "0800 0f00 224e0000", // TABLE 20002
                                "0500 1500 55 000000", // PROTOCOL 85
                                "0800 0a00 02000000", // FWMARK
                                "0800 1000 7f000000")); // FWMASK
    }

    @Test
    void ipv6_address_without_duplicate_detection() {
        LinkAddress address =
                new LinkAddress(
                        7,
                        IpPrefix.parse("fd00:10::11"),
                        LinkAddress.NODAD | LinkAddress.NOPREFIXROUTE);
        assertThat(address.add().hex())
                .isEqualTo(
                        hex(
                                "48000000 1400 0506 00000000 00000000", // RTM_NEWADDR
                                "0a 80 00 00 07000000", // AF_INET6, /128, flags in an attribute
                                "1400 0200 fd000010 00000000 00000000 00000011", // LOCAL
                                "1400 0100 fd000010 00000000 00000000 00000011", // ADDRESS
                                "0800 0800 02020000")); // FLAGS
    }

    @Test
    void permanent_neighbour() {
        Neighbour neighbour =
                Neighbour.permanent(7, IpPrefix.literal("169.254.1.1"), "0e:58:0a:00:00:0b");
        assertThat(neighbour.add().hex())
                .isEqualTo(
                        hex(
                                "30000000 1c00 0506 00000000 00000000", // RTM_NEWNEIGH
                                "02 00 0000 07000000 8000 00 00", // AF_INET, index, NUD_PERMANENT
                                "0800 0100 a9fe0101", // DST
                                "0a00 0200 0e580a00000b 0000")); // LLADDR
    }

    private static String hex(String... fields) {
        return String.join("", fields).replace(" ", "");
    }
}
