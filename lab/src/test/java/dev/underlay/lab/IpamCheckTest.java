package dev.underlay.lab;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.underlay.cni.routing.Marks;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Somebody breaks what the daemon made, with {@code ip} and {@code nft}: the check names each thing
 * and puts back what it may.
 */
@Tag("kernel")
final class IpamCheckTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration SETTLED = Duration.ofSeconds(60);
    private static final String TABLE = String.valueOf(Marks.TO_POD_TABLE);
    private static final String GHOST = "ghost";
    private static final int ATTACHED = 2; // the first attached interface

    /** More than the nine addresses of the primary interface, so that a second one is attached. */
    private static final Map<String, String> SETTINGS =
            Map.of("WARM_IP_TARGET", "12", "MINIMUM_IP_TARGET", "12");

    private static final String[] REPAIRED = {
        "pod-route-missing",
        "pod-neighbour-missing",
        "link-down",
        "block-route-missing",
        "rule-missing",
        "rule-extra",
        "interface-route-missing",
        "map-element-missing",
        "map-element-extra"
    };

    @Test
    void what_somebody_broke_is_named_and_put_back() throws Exception {
        try (OneNode node = OneNode.serving("m5.large", SETTINGS)) {
            Await.until(SETTLED, node::free, free -> free >= 12);
            List<Sandbox> pods = node.sandboxes(2);
            List<CniReply> replies = node.addAll(1, pods);
            Place first = node.place(pods.getFirst(), replies.getFirst());
            Place second = node.place(pods.getLast(), replies.getLast());
            Traffic.answers(first, second);
            Output clean = Await.until(SETTLED, () -> check(node), Output::ok);
            assertThat(clean.out()).contains("\"findings\" : [ ]");

            String alias = alias(node, second);
            Set<String> found = breakAndCheck(node, first, second);
            assertThat(found).contains(REPAIRED);
            assertThat(found).contains("link-without-lease", "lease-without-link");
            assertThat(Traffic.ping(first.namespace(), second.address()).ok()).isFalse();

            ip(node, "link", "set", "dev", link(node, second), "alias", alias);
            Output fixed = check(node, "--fix");
            assertThat(kinds(fixed, "repaired")).contains("pod-route-missing", "link-down");
            assertThat(kinds(fixed, "findings")).containsExactly("link-without-lease");
            assertThat(fixed.exitCode()).isEqualTo(1);
            Traffic.answers(first, second);
            Traffic.answers(second, first);

            ip(node, "link", "delete", GHOST);
            aLostTableIsPutBack(node);
            Output after = check(node);
            assertThat(after.exitCode()).as(after.out() + after.err()).isZero();
            assertThat(node.state().leases()).contains(first.address(), second.address());
            assertThat(node.runtime().check(pods.getFirst()).ok()).isTrue();
            assertThat(node.runtime().check(pods.getLast()).ok()).isTrue();
        }
    }

    /**
     * Breaks until one check sees all of it: the daemon repairs its routing by itself now and then.
     */
    private static Set<String> breakAndCheck(OneNode node, Place first, Place second)
            throws IOException {
        String firstLink = link(node, first);
        String secondLink = link(node, second);
        NodeState state = node.state();
        String block = without(state.unreachable(), first, second);
        String element = without(state.mapElements(), first, second);
        ip(node, "link", "add", GHOST, "type", "veth", "peer", "name", GHOST + "-peer");
        ip(
                node,
                "link",
                "set",
                GHOST,
                "group",
                String.valueOf(Marks.POD_LINK_GROUP),
                "alias",
                "underlay/1/underlay/nobody/eth0/1/lab/ghost");
        ip(node, "link", "set", "dev", firstLink, "down");
        ip(node, "link", "set", "dev", secondLink, "alias", "somebody");

        String interfaceTable = String.valueOf(Marks.INTERFACE_TABLE_BASE + ATTACHED);
        String markRule = String.valueOf(Marks.MARK_RULE_BASE + ATTACHED);
        String noRule = String.valueOf(Marks.MARK_RULE_BASE + 99);
        return Await.until(
                SETTLED,
                () -> {
                    run(node, "ip route del unreachable " + block + " table " + TABLE);
                    run(node, "ip rule del priority " + markRule);
                    run(
                            node,
                            "ip rule add priority "
                                    + noRule
                                    + " fwmark 0x63/0x7f lookup main protocol "
                                    + Marks.PROTOCOL);
                    run(node, "ip route del default table " + interfaceTable);
                    run(node, "nft delete element inet underlay source4 { " + element + " }");
                    run(node, "nft add element inet underlay source4 { 10.99.0.1 : goto if1 }");
                    Output output = check(node);
                    assertThat(output.exitCode()).as(output.out() + output.err()).isEqualTo(1);
                    return kinds(output, "findings");
                },
                found -> found.containsAll(List.of(REPAIRED)));
    }

    private static void aLostTableIsPutBack(OneNode node) throws IOException {
        Set<String> repaired =
                Await.until(
                        SETTLED,
                        () -> {
                            run(node, "nft delete table inet underlay");
                            return kinds(check(node, "--fix"), "repaired");
                        },
                        kinds -> kinds.contains("nft-table-missing"));
        assertThat(repaired).contains("nft-table-missing");
    }

    /** The shipped command in the node's namespace. */
    private static Output check(OneNode node, String... options) throws IOException {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                Programs.java(),
                                "-XX:TieredStopAtLevel=1",
                                "-cp",
                                OneNode.programs().ipamd() + "/*",
                                "dev.underlay.ipamd.cli.IpamCommand",
                                "check",
                                "--json"));
        command.addAll(List.of(options));
        Output output = Output.inside(node.node().netns(), command.toArray(String[]::new));
        assertThat(output.exitCode()).as(output.out() + output.err()).isBetween(0, 1);
        return output;
    }

    private static Set<String> kinds(Output output, String part) throws IOException {
        Set<String> kinds = new TreeSet<>();
        for (JsonNode finding : JSON.readTree(output.out()).path(part)) {
            kinds.add(finding.path("kind").asText());
        }
        return kinds;
    }

    private static String link(OneNode node, Place pod) throws IOException {
        Output route =
                Output.inside(
                        node.node().netns(),
                        "ip",
                        "-json",
                        "route",
                        "show",
                        "table",
                        TABLE,
                        pod.address());
        return JSON.readTree(route.out()).path(0).path("dev").asText();
    }

    private static String alias(OneNode node, Place pod) throws IOException {
        Output link =
                Output.inside(
                        node.node().netns(), "ip", "-json", "link", "show", "dev", link(node, pod));
        return JSON.readTree(link.out()).path(0).path("ifalias").asText();
    }

    private static String without(Set<String> addresses, Place... pods) {
        Set<String> left = new TreeSet<>(addresses);
        for (Place pod : pods) {
            left.remove(pod.address());
        }
        return left.iterator().next();
    }

    private static void ip(OneNode node, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of("ip"));
        command.addAll(List.of(arguments));
        Output output = Output.inside(node.node().netns(), command.toArray(String[]::new));
        assertThat(output.exitCode()).as(command + output.err()).isZero();
    }

    /** May be done already: what the check says counts. */
    private static void run(OneNode node, String command) throws IOException {
        Output.inside(
                node.node().netns(), "sh", "-c", command.replace("{", "'{").replace("}", "}'"));
    }
}
