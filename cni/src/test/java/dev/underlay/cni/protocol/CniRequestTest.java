package dev.underlay.cni.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.cni.netlink.IpPrefix;
import dev.underlay.cni.protocol.CniRequest.ValidAttachment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is taken, and for everything else the code that the specification gives it. */
class CniRequestTest {
    private static final String CONFIG =
            """
            {"cniVersion":"1.0.0","name":"underlay","type":"underlay"}\
            """;

    @Test
    void an_add_as_containerd_sends_it_is_understood() {
        CniRequest request =
                accepted(
                        environment(
                                "ADD",
                                Map.of(
                                        "CNI_ARGS",
                                        "K8S_POD_NAME=web-0;IgnoreUnknown=1;K8S_POD_UID=u-1;"
                                                + "K8S_POD_NAMESPACE=shop")),
                        """
                        {"cniVersion":"1.0.0","name":"underlay","type":"underlay","mtu":1500,
                         "capabilities":{"portMappings":true},"unknown":[1],
                         "runtimeConfig":{"portMappings":[{"HostPort":80}],"ips":null}}\
                        """);
        assertThat(request.verb()).isEqualTo(CniVerb.ADD);
        assertThat(request.version()).isEqualTo(SpecVersion.V1_0_0);
        assertThat(request.network()).isEqualTo("underlay");
        assertThat(request.containerId()).isEqualTo("c-1");
        assertThat(request.interfaceName()).isEqualTo("eth0");
        assertThat(request.netns()).isEqualTo("/run/netns/a");
        assertThat(request.podNamespace()).isEqualTo("shop");
        assertThat(request.podName()).isEqualTo("web-0");
        assertThat(request.podUid()).isEqualTo("u-1");
        assertThat(request.mtuBytes()).isEqualTo(1500);
        assertThat(request.previous()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(
            value = CniVerb.class,
            names = {"STATUS", "GC"})
    void verbs_about_the_whole_node_need_no_attachment(CniVerb verb) {
        CniRequest request =
                accepted(
                        Map.of("CNI_COMMAND", verb.name()),
                        "{\"cniVersion\":\"1.1.0\",\"name\":\"underlay\"}");
        assertThat(request.verb()).isEqualTo(verb);
        assertThat(request.containerId()).isEmpty();
    }

    @Test
    void all_missing_variables_are_named_at_once() {
        Map<String, String> environment = Map.of("CNI_COMMAND", "ADD", "CNI_NETNS", "");
        assertThat(refused(environment, CONFIG).message())
                .contains("CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME");
        assertThat(refused(environment, CONFIG).code()).isEqualTo(4);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "FOO", "add", "VERSION"})
    void another_verb_has_code_4(String verb) {
        assertThat(refused(environment(verb, Map.of()), CONFIG).code()).isEqualTo(4);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {".", "..", "a/b", "a:b", "a b", "eth%d", "abcdefghijklmnop", "é", "a\tb"})
    void a_bad_interface_name_has_code_4_and_is_named(String name) {
        CniError error = refused(environment("ADD", Map.of("CNI_IFNAME", name)), CONFIG);
        assertThat(error.code()).isEqualTo(4);
        assertThat(error.message()).contains("CNI_IFNAME").contains(name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"../x", "-a", ".a", "a/b", "a b", "ä"})
    void a_bad_container_id_has_code_4(String id) {
        CniError error = refused(environment("DEL", Map.of("CNI_CONTAINERID", id)), CONFIG);
        assertThat(error.code()).isEqualTo(4);
        assertThat(error.message()).contains("CNI_CONTAINERID");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "null", "[]", "7", "\u0000\u0001", "{\"a\":1,}", "{} x{"})
    void what_is_not_a_json_object_has_code_6(String input) {
        assertThat(refused(environment("ADD", Map.of()), input).code()).isEqualTo(6);
    }

    @Test
    void deep_nesting_is_refused_and_not_a_stack_overflow() {
        String deep = "{\"a\":".repeat(20_000);
        assertThat(refused(environment("ADD", Map.of()), deep).code()).isEqualTo(6);
        assertThat(refused(environment("ADD", Map.of()), "[".repeat(500_000)).code()).isEqualTo(6);
    }

    @Test
    void of_a_key_that_comes_twice_the_last_counts() {
        assertThat(
                        accepted(
                                        environment("ADD", Map.of()),
                                        "{\"name\":\"a\",\"cniVersion\":\"1.0.0\",\"name\":\"b\"}")
                                .network())
                .isEqualTo("b");
    }

    @ParameterizedTest
    @CsvSource({
        "ADD,0.2.0,1",
        "ADD,9.9.9,1",
        "CHECK,0.3.1,1",
        "STATUS,1.0.0,1",
        "GC,1.0.0,1",
        "DEL,'',1"
    })
    void a_version_that_is_not_spoken_has_code_1(String verb, String version, int code) {
        String config = "{\"cniVersion\":\"" + version + "\",\"name\":\"n\"}";
        assertThat(refused(environment(verb, Map.of()), config).code()).isEqualTo(code);
    }

    @Test
    void a_missing_version_means_0_1_0_which_is_not_spoken() {
        CniError error = refused(environment("ADD", Map.of()), "{\"name\":\"n\"}");
        assertThat(error.code()).isEqualTo(1);
        assertThat(error.details()).contains("0.1.0").contains("0.3.1, 0.4.0, 1.0.0, 1.1.0");
    }

    @Test
    void a_refusal_is_written_in_the_version_of_the_request() {
        assertThat(CniRequest.parse(environment("ADD", Map.of()), "{\"cniVersion\":\"0.4.0\"}"))
                .isInstanceOfSatisfying(
                        ParseResult.Refused.class,
                        r -> {
                            assertThat(r.version()).isEqualTo(SpecVersion.V0_4_0);
                            assertThat(r.error().code()).isEqualTo(7);
                        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a b", "../x", ".x"})
    void a_bad_network_name_has_code_7(String name) {
        String config = "{\"cniVersion\":\"1.0.0\",\"name\":\"" + name + "\"}";
        assertThat(refused(environment("DEL", Map.of()), config).code()).isEqualTo(7);
    }

    @ParameterizedTest
    @ValueSource(strings = {"575", "65536", "-1", "1.5", "\"1500\"", "1e99", "{}"})
    void a_bad_mtu_has_code_7_for_add_and_does_not_stop_del(String mtu) {
        String config = "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"mtu\":" + mtu + "}";
        CniError error = refused(environment("ADD", Map.of()), config);
        assertThat(error.code()).isEqualTo(7);
        assertThat(error.message()).contains("mtu");
        assertThat(accepted(environment("DEL", Map.of()), config).mtuBytes()).isZero();
    }

    @Test
    void a_del_needs_neither_namespace_nor_readable_previous_result_nor_arguments() {
        CniRequest request =
                accepted(
                        environment("DEL", Map.of("CNI_NETNS", "", "CNI_ARGS", "broken")),
                        "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"prevResult\":{\"ips\":7}}");
        assertThat(request.netns()).isEmpty();
        assertThat(request.previous()).isEmpty();
    }

    @Test
    void a_check_without_previous_result_has_code_7() {
        CniError error = refused(environment("CHECK", Map.of()), CONFIG);
        assertThat(error.code()).isEqualTo(7);
        assertThat(error.message()).contains("prevResult");
    }

    @Test
    void a_previous_result_is_read_in_old_shapes_with_null_lists_and_empty_dns() {
        CniRequest request =
                accepted(
                        environment("CHECK", Map.of()),
                        """
                        {"cniVersion":"0.4.0","name":"n","prevResult":{
                          "interfaces":[{"name":"eth0","sandbox":"/run/netns/a"}],
                          "ips":[{"version":"4","interface":0,"address":"10.0.3.17/32"}],
                          "routes":null,"dns":{}}}\
                        """);
        assertThat(request.previous())
                .hasValue(
                        new CniResult(
                                List.of(
                                        new CniResult.Interface(
                                                "eth0", "", 0, "/run/netns/a", "", "")),
                                List.of(
                                        new CniResult.Ip(
                                                IpPrefix.parse("10.0.3.17/32"),
                                                Optional.empty(),
                                                OptionalInt.of(0))),
                                List.of(),
                                CniResult.Dns.NONE));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"ips\":[{\"address\":\"example.org/32\"}]}",
                "{\"ips\":[{\"address\":\"10.0.0.1/33\"}]}",
                "{\"ips\":[{}]}",
                "{\"ips\":[7]}",
                "{\"ips\":{}}",
                "{\"ips\":[{\"address\":\"10.0.0.1/32\",\"interface\":\"0\"}]}",
                "{\"routes\":[{\"dst\":\"0.0.0.0/0\",\"gw\":\"gateway\"}]}"
            })
    void a_wrong_previous_result_has_code_7(String previous) {
        CniError error =
                refused(
                        environment("ADD", Map.of()),
                        "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"prevResult\":"
                                + previous
                                + "}");
        assertThat(error.code()).isEqualTo(7);
        assertThat(error.message()).contains("prevResult");
    }

    @Test
    void the_list_of_a_gc_is_absent_empty_or_full_and_never_mixed_up() {
        assertThat(gc("").validAttachments()).isEmpty();
        assertThat(gc(",\"cni.dev/valid-attachments\":null").validAttachments())
                .hasValue(List.of());
        assertThat(gc(",\"cni.dev/valid-attachments\":[]").validAttachments()).hasValue(List.of());
        assertThat(
                        gc(",\"cni.dev/attachments\":[{\"containerID\":\"a\","
                                        + "\"ifname\":\"eth0\"}]")
                                .validAttachments())
                .hasValue(List.of(new ValidAttachment("a", "eth0")));
        CniError error =
                refused(
                        Map.of("CNI_COMMAND", "GC"),
                        gcConfig(",\"cni.dev/valid-attachments\":[{\"containerID\":\"a\"}]"));
        assertThat(error.code()).isEqualTo(7);
    }

    private static CniRequest gc(String keys) {
        return accepted(Map.of("CNI_COMMAND", "GC"), gcConfig(keys));
    }

    private static String gcConfig(String keys) {
        return "{\"cniVersion\":\"1.1.0\",\"name\":\"n\"" + keys + "}";
    }

    private static Map<String, String> environment(String verb, Map<String, String> changes) {
        Map<String, String> environment =
                new HashMap<>(
                        Map.of(
                                "CNI_COMMAND", verb,
                                "CNI_CONTAINERID", "c-1",
                                "CNI_NETNS", "/run/netns/a",
                                "CNI_IFNAME", "eth0"));
        environment.putAll(changes);
        return environment;
    }

    private static CniRequest accepted(Map<String, String> environment, String config) {
        ParseResult result = CniRequest.parse(environment, config);
        assertThat(result).isInstanceOf(CniRequest.class);
        return (CniRequest) result;
    }

    private static CniError refused(Map<String, String> environment, String config) {
        ParseResult result = CniRequest.parse(environment, config);
        assertThat(result).isInstanceOf(ParseResult.Refused.class);
        return ((ParseResult.Refused) result).error();
    }
}
