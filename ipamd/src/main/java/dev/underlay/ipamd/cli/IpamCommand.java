package dev.underlay.ipamd.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.underlay.ipamd.check.NodeCheck;
import dev.underlay.ipamd.owner.HistoryReport;
import dev.underlay.pool.IpAddress;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code underlay ipam}: whether the daemon's books, the cloud and the kernel agree, and who had an
 * address.
 */
@Command(
        name = "ipam",
        description = "Looks after this node's pod addresses.",
        mixinStandardHelpOptions = true)
public final class IpamCommand implements Runnable {
    private static final int CLEAN = 0;
    private static final int FINDINGS = 1;
    private static final int NOBODY = 1;

    @Spec private CommandSpec spec = CommandSpec.create();

    /** Runs one of the commands. */
    public static void main(String[] args) {
        System.exit(commandLine().execute(args));
    }

    static CommandLine commandLine() {
        return new CommandLine(new IpamCommand());
    }

    @Override
    public void run() {
        throw new CommandLine.ParameterException(
                spec.commandLine(), "which command? There are: check, history");
    }

    @Command(
            name = "check",
            description = {
                "Compares the daemon's leases and interfaces with the kernel.",
                "Exit code 0: they agree, 1: they do not, 69: no answer from the daemon."
            },
            mixinStandardHelpOptions = true)
    int check(
            @Option(
                            names = "--health-address",
                            description = "Where the daemon answers. Default: ${DEFAULT-VALUE}",
                            defaultValue = DaemonPages.DEFAULT_ADDRESS)
                    String address,
            @Option(
                            names = "--fix",
                            description = "Put back what is missing; no pod loses its address.")
                    boolean fix,
            @Option(names = "--json", description = "Print the answer as it is.") boolean json)
            throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        DaemonPages pages = new DaemonPages(address);
        String document;
        try {
            document = fix ? pages.post(NodeCheck.REPAIR) : pages.get(NodeCheck.CHECK);
        } catch (IOException e) {
            spec.commandLine().getErr().println(e.getMessage());
            return DaemonPages.NO_DAEMON;
        }
        JsonNode result = new JsonMapper().readTree(document);
        out.print(json ? document : text(result));
        out.flush();
        return result.path("findings").isEmpty() ? CLEAN : FINDINGS;
    }

    @Command(
            name = "history",
            description = {
                "Tells which pods had an address, and when, since boot: those that have one, and"
                        + " the last 1000 that gave theirs back.",
                "Exit code 0: some had it, 1: none had, 69: no answer from the daemon."
            },
            mixinStandardHelpOptions = true)
    int history(
            @Parameters(paramLabel = "ADDRESS", description = "An address of a pod.") String wanted,
            @Option(
                            names = "--health-address",
                            description = "Where the daemon answers. Default: ${DEFAULT-VALUE}",
                            defaultValue = DaemonPages.DEFAULT_ADDRESS)
                    String address,
            @Option(names = "--json", description = "Print one JSON object alone.") boolean json)
            throws IOException {
        IpAddress pod = parse(wanted);
        ObjectNode report;
        try {
            report =
                    (ObjectNode)
                            new JsonMapper()
                                    .readTree(new DaemonPages(address).get(HistoryReport.PAGE));
        } catch (IOException e) {
            spec.commandLine().getErr().println(e.getMessage());
            return DaemonPages.NO_DAEMON;
        }
        List<JsonNode> entries = new ArrayList<>();
        for (JsonNode one : report.path("entries")) {
            if (one.path("address").asText().equals(pod.toString())) {
                entries.add(one);
            }
        }
        report.putArray("entries").addAll(entries);
        PrintWriter out = spec.commandLine().getOut();
        out.print(json ? report.toPrettyString() + System.lineSeparator() : history(pod, report));
        out.flush();
        return entries.isEmpty() ? NOBODY : CLEAN;
    }

    private IpAddress parse(String address) {
        try {
            return IpAddress.parse(address);
        } catch (IllegalArgumentException e) {
            throw new CommandLine.ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }

    static String history(IpAddress address, JsonNode report) {
        StringBuilder text = new StringBuilder();
        JsonNode entries = report.path("entries");
        if (entries.isEmpty()) {
            line(text, "no pod had %s".formatted(address));
        } else {
            line(text, "%-24s  %-24s  %-40s  %s".formatted("FROM", "UNTIL", "POD", "CONTAINER"));
        }
        for (JsonNode one : entries) {
            String pod = one.path("podNamespace").asText() + "/" + one.path("podName").asText();
            line(
                    text,
                    "%-24s  %-24s  %-40s  %s"
                            .formatted(
                                    one.path("from").asText("unknown"),
                                    one.path("lasts").asBoolean()
                                            ? "now"
                                            : one.path("until").asText("unknown"),
                                    pod.equals("/") ? "-" : pod,
                                    one.path("containerId").asText()));
        }
        if (!report.path("complete").asBoolean()) {
            line(
                    text,
                    "older ones are forgotten: of the node's leases that are over, the last %d are kept"
                            .formatted(report.path("bound").asInt()));
        }
        return text.toString();
    }

    /** What people read: a finding in three lines, the sum last. */
    static String text(JsonNode result) {
        StringBuilder text = new StringBuilder();
        result.path("repaired")
                .forEach(one ->
                        line(
                                text,
                                "repaired %s: %s"
                                        .formatted(
                                                one.path("kind").asText(),
                                                one.path("thing").asText())));
        result.path("failures").forEach(one -> line(text, "failed: %s".formatted(one.asText())));
        for (JsonNode one : result.path("findings")) {
            line(text, "%s: %s".formatted(one.path("kind").asText(), one.path("thing").asText()));
            line(text, "    %s".formatted(one.path("says").asText()));
            line(text, "    repair: %s".formatted(one.path("repair").asText()));
        }
        int findings = result.path("findings").size();
        line(
                text,
                "%s: %d leases, %d pod links, %d interfaces compared"
                        .formatted(
                                findings == 0 ? "clean" : findings + " findings",
                                result.path("leases").asInt(),
                                result.path("links").asInt(),
                                result.path("interfaces").asInt()));
        return text.toString();
    }

    private static void line(StringBuilder text, String line) {
        text.append(line).append(System.lineSeparator());
    }
}
