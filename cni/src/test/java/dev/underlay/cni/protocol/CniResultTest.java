package dev.underlay.cni.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.underlay.cni.netlink.IpPrefix;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The exact bytes of a result in every version: no field that the version does not have. */
class CniResultTest {
    private static final CniResult DUAL_STACK =
            new CniResult(
                    List.of(
                            CniResult.Interface.onHost("eni1", "02:00:00:00:00:01", 9001),
                            CniResult.Interface.inPod(
                                    "eth0", "02:00:00:00:00:02", 9001, "/var/run/netns/a")),
                    List.of(
                            ip("10.0.3.17/32", "169.254.1.1"),
                            ip("2600:1f18:0:0:0:0:0:11/128", "fe80::1")),
                    List.of(
                            CniResult.Route.via(
                                    IpPrefix.parse("0.0.0.0/0"), IpPrefix.literal("169.254.1.1")),
                            new CniResult.Route(
                                    IpPrefix.parse("::/0"),
                                    Optional.of(IpPrefix.literal("fe80::1")),
                                    1500,
                                    1440,
                                    7,
                                    OptionalInt.of(254),
                                    OptionalInt.of(0))),
                    CniResult.Dns.NONE);

    private static final String OLD_BODY =
            """
            "interfaces":[{"name":"eni1","mac":"02:00:00:00:00:01"},\
            {"name":"eth0","mac":"02:00:00:00:00:02","sandbox":"/var/run/netns/a"}],\
            "ips":[{"version":"4","interface":1,"address":"10.0.3.17/32","gateway":"169.254.1.1"},\
            {"version":"6","interface":1,"address":"2600:1f18::11/128","gateway":"fe80::1"}],\
            "routes":[{"dst":"0.0.0.0/0","gw":"169.254.1.1"},{"dst":"::/0","gw":"fe80::1"}]}\
            """;

    @Test
    void version_0_3_1() {
        assertThat(DUAL_STACK.json(SpecVersion.V0_3_1))
                .isEqualTo("{\"cniVersion\":\"0.3.1\"," + OLD_BODY);
    }

    @Test
    void version_0_4_0() {
        assertThat(DUAL_STACK.json(SpecVersion.V0_4_0))
                .isEqualTo("{\"cniVersion\":\"0.4.0\"," + OLD_BODY);
    }

    @Test
    void version_1_0_0_has_no_family_beside_the_address() {
        assertThat(DUAL_STACK.json(SpecVersion.V1_0_0))
                .isEqualTo(
                        "{\"cniVersion\":\"1.0.0\","
                                + OLD_BODY.replace("\"version\":\"4\",", "")
                                        .replace("\"version\":\"6\",", ""));
    }

    @Test
    void version_1_1_0_has_mtu_and_the_numbers_of_routes() {
        assertThat(DUAL_STACK.json(SpecVersion.V1_1_0))
                .isEqualTo(
                        """
                        {"cniVersion":"1.1.0",\
                        "interfaces":[{"name":"eni1","mac":"02:00:00:00:00:01","mtu":9001},\
                        {"name":"eth0","mac":"02:00:00:00:00:02","mtu":9001,"sandbox":"/var/run/netns/a"}],\
                        "ips":[{"interface":1,"address":"10.0.3.17/32","gateway":"169.254.1.1"},\
                        {"interface":1,"address":"2600:1f18::11/128","gateway":"fe80::1"}],\
                        "routes":[{"dst":"0.0.0.0/0","gw":"169.254.1.1"},\
                        {"dst":"::/0","gw":"fe80::1","mtu":1500,"advmss":1440,"priority":7,"table":254,"scope":0}]}\
                        """);
    }

    @ParameterizedTest
    @EnumSource(SpecVersion.class)
    void what_is_written_is_read_again(SpecVersion version) throws Exception {
        String json = DUAL_STACK.json(version);
        CniResult read = CniResult.parse(new ObjectMapper().readTree(json));
        assertThat(read.json(version)).isEqualTo(json);
        if (version == SpecVersion.V1_1_0) {
            assertThat(read).isEqualTo(DUAL_STACK);
        }
    }

    @Test
    void an_earlier_plugins_entries_stay_and_indexes_follow() {
        CniResult earlier =
                new CniResult(
                        List.of(CniResult.Interface.onHost("br0", "", 0)),
                        List.of(),
                        List.of(),
                        new CniResult.Dns(List.of("10.0.0.2"), "", List.of(), List.of()));
        CniResult both = earlier.plus(DUAL_STACK);
        assertThat(both.interfaces()).hasSize(3);
        assertThat(both.ips())
                .allSatisfy(ip ->
                        assertThat(both.interfaces().get(ip.interfaceIndex().getAsInt()).name())
                                .isEqualTo("eth0"));
        assertThat(both.dns()).isEqualTo(earlier.dns());
        assertThat(both.json(SpecVersion.V1_0_0))
                .endsWith("\"dns\":{\"nameservers\":[\"10.0.0.2\"]}}");
    }

    private static CniResult.Ip ip(String prefix, String gateway) {
        return new CniResult.Ip(
                IpPrefix.parse(prefix), Optional.of(IpPrefix.literal(gateway)), OptionalInt.of(1));
    }
}
