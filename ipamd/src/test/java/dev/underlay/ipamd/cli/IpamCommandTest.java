package dev.underlay.ipamd.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.underlay.ipamd.check.NodeCheck;
import dev.underlay.ipamd.observe.HealthServer;
import dev.underlay.ipamd.owner.HistoryReport;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** The command against the real pages with documents of the test's own. */
class IpamCommandTest {
    private static final String CLEAN =
            """
            {"leases": 3, "links": 3, "interfaces": 1,
             "findings": [], "repaired": [], "failures": []}\
            """;
    private static final String FINDING =
            """
            {"leases": 3, "links": 2, "interfaces": 1,
             "findings": [{"kind": "rule-missing", "thing": "601", "says": "gone", "repair": "fix"}],
             "repaired": [{"kind": "link-down", "thing": "eni1"}], "failures": ["it is busy"]}\
            """;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private HealthServer server;

    @BeforeEach
    void a_daemon_answers() throws IOException {
        server =
                HealthServer.start(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                        Optional::empty,
                        () -> "{}");
    }

    @AfterEach
    void it_ends() {
        server.close();
    }

    private int run(String... options) {
        return run(List.of("check"), options);
    }

    private int run(List<String> words, String... options) {
        InetSocketAddress address = server.address();
        List<String> arguments = new ArrayList<>(words);
        arguments.add("--health-address");
        arguments.add(address.getAddress().getHostAddress() + ":" + address.getPort());
        arguments.addAll(List.of(options));
        CommandLine command = IpamCommand.commandLine();
        command.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
        return command.execute(arguments.toArray(String[]::new));
    }

    @Test
    void no_finding_is_exit_code_0() {
        server.addPage("GET", NodeCheck.CHECK, () -> CLEAN);

        assertThat(run()).isZero();
        assertThat(out.toString().strip())
                .isEqualTo("clean: 3 leases, 3 pod links, 1 interfaces compared");
    }

    @Test
    void a_finding_is_exit_code_1_and_named_with_what_repairs_it() {
        server.addPage("GET", NodeCheck.CHECK, () -> FINDING);

        assertThat(run()).isEqualTo(1);
        assertThat(out.toString().lines())
                .containsSubsequence("rule-missing: 601", "    gone", "    repair: fix");
    }

    @Test
    void json_is_the_answer_as_it_is() {
        server.addPage("GET", NodeCheck.CHECK, () -> FINDING);

        assertThat(run("--json")).isEqualTo(1);
        assertThat(out.toString().strip()).isEqualTo(FINDING);
    }

    @Test
    void fix_acts_and_tells_what_was_repaired_and_what_failed() {
        server.addPage("GET", NodeCheck.CHECK, () -> CLEAN);
        server.addPage("POST", NodeCheck.REPAIR, () -> FINDING);

        assertThat(run("--fix")).isEqualTo(1);
        assertThat(out.toString().lines())
                .contains("repaired link-down: eni1", "failed: it is busy");
    }

    @Test
    void a_page_that_acts_does_nothing_when_it_is_only_read() {
        server.addPage("POST", NodeCheck.CHECK, () -> CLEAN);

        assertThat(run()).isEqualTo(DaemonPages.NO_DAEMON);
        assertThat(err.toString()).contains("405 only POST");
    }

    @Test
    void a_daemon_that_cannot_tell_gives_its_reason() {
        server.addPage(
                "GET",
                NodeCheck.CHECK,
                () -> {
                    throw new IOException("the daemon is busy; try again");
                });

        assertThat(run()).isEqualTo(DaemonPages.NO_DAEMON);
        assertThat(err.toString()).contains("500 the daemon is busy; try again");
    }

    private static final String HISTORY =
            """
            {"bound": 1000, "complete": %s, "entries": [
             {"address": "10.0.0.20", "podNamespace": "shop", "podName": "web-0",
              "containerId": "3f9c", "from": "2026-11-25T12:00:00Z",
              "until": "2026-11-25T12:00:05Z", "lasts": false},
             {"address": "10.0.0.21", "podNamespace": "shop", "podName": "db-0",
              "containerId": "77aa", "from": null, "until": null, "lasts": true},
             {"address": "10.0.0.20", "podNamespace": "", "podName": "",
              "containerId": "81b2", "from": "2026-11-25T12:01:00Z", "until": null,
              "lasts": true}]}\
            """;

    @Test
    void history_tells_the_pods_of_one_address() {
        server.addPage("GET", HistoryReport.PAGE, () -> HISTORY.formatted("true"));

        assertThat(run(List.of("history", "10.0.0.20"))).isZero();
        assertThat(out.toString().lines().map(line -> line.replaceAll(" +", " ")))
                .containsExactly(
                        "FROM UNTIL POD CONTAINER",
                        "2026-11-25T12:00:00Z 2026-11-25T12:00:05Z shop/web-0 3f9c",
                        "2026-11-25T12:01:00Z now - 81b2");
    }

    @Test
    void an_address_that_nobody_had_is_exit_code_1_and_what_is_forgotten_is_said() {
        server.addPage("GET", HistoryReport.PAGE, () -> HISTORY.formatted("false"));

        assertThat(run(List.of("history", "10.0.0.99"))).isEqualTo(1);
        assertThat(out.toString().lines()).first().isEqualTo("no pod had 10.0.0.99");
        assertThat(out.toString()).contains("the last 1000 are kept");
    }

    @Test
    void history_as_json_holds_the_entries_of_the_address_alone() throws IOException {
        server.addPage("GET", HistoryReport.PAGE, () -> HISTORY.formatted("true"));

        assertThat(run(List.of("history", "10.0.0.21"), "--json")).isZero();
        JsonNode entries = new JsonMapper().readTree(out.toString()).path("entries");
        assertThat(entries).hasSize(1);
        assertThat(entries.path(0).path("podName").asText()).isEqualTo("db-0");
    }

    @Test
    void a_word_that_is_no_address_is_a_wrong_command_line() {
        assertThat(run(List.of("history", "web-0"))).isEqualTo(2);
        assertThat(err.toString()).contains("web-0");
    }

    @Test
    void no_daemon_is_said() {
        server.close();

        assertThat(run()).isEqualTo(DaemonPages.NO_DAEMON);
        assertThat(err.toString()).contains("is it running on this node?");
    }
}
