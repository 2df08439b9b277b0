package dev.underlay.ipamd.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code underlay status}: the daemon's status document as a table, or as it is. */
@Command(
        name = "status",
        description = "Shows this node's interfaces, pod addresses and what is under way.",
        mixinStandardHelpOptions = true)
public final class StatusCommand implements Callable<Integer> {
    @Option(
            names = "--health-address",
            description = "Where the daemon answers. Default: ${DEFAULT-VALUE}",
            defaultValue = DaemonPages.DEFAULT_ADDRESS)
    private String address = "";

    @Option(names = "--json", description = "Print the document as it is.")
    private boolean json;

    @Spec private CommandSpec spec = CommandSpec.create();

    /** Prints the status of the daemon on this machine. */
    public static void main(String[] args) {
        System.exit(new CommandLine(new StatusCommand()).execute(args));
    }

    @Override
    public Integer call() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        String document;
        try {
            document = new DaemonPages(address).get("/status");
        } catch (IOException e) {
            spec.commandLine().getErr().println(e.getMessage());
            return DaemonPages.NO_DAEMON;
        }
        out.print(json ? document : table(new JsonMapper().readTree(document)));
        out.flush();
        return 0;
    }

    /** How many of the blocks are prefixes, where some are. */
    private static String prefixes(JsonNode blocks) {
        int count = 0;
        for (JsonNode block : blocks) {
            boolean single = block.asText().endsWith("/32") || block.asText().endsWith("/128");
            count += single ? 0 : 1;
        }
        return count == 0 ? "" : " (%d prefixes)".formatted(count);
    }

    /** The node's own addresses: IPv4, and IPv6 where it has one. */
    private static String address(JsonNode node) {
        return (node.path("address").asText() + " " + node.path("ipv6").asText()).strip();
    }

    static String table(JsonNode status) {
        StringBuilder text = new StringBuilder();
        JsonNode node = status.path("node");
        JsonNode slots = status.path("slots");
        line(
                text,
                "%s %s %s %s: %s"
                        .formatted(
                                node.path("instanceId").asText(),
                                node.path("instanceType").asText(),
                                node.path("zone").asText(),
                                address(node),
                                status.path("ready").asBoolean() ? "ready" : "NOT READY"));
        line(text, "%s".formatted(status.path("outlook").asText()));
        JsonNode settings = status.path("settings");
        String cordon = settings.path("cordon").asText();
        if (!cordon.isEmpty() && !cordon.equals("OPEN")) {
            String what =
                    settings.path("whileCordoned").asBoolean()
                            ? "AWS_MANAGE_ENIS_NON_SCHEDULABLE lets the pool grow and give back"
                            : "nothing goes back";
            line(text, "cordon: %s, %s".formatted(cordon.toLowerCase(Locale.ROOT), what));
        }
        status.path("problems")
                .forEach(problem -> line(text, "broken: %s".formatted(problem.asText())));
        line(
                text,
                "addresses: %d free, %d leased, %d cooling, %d on their way; %d pods wait"
                        .formatted(
                                slots.path("free").asInt(),
                                slots.path("leased").asInt(),
                                slots.path("cooling").asInt(),
                                slots.path("requested").asInt(),
                                status.path("waiting").asInt()));
        line(
                text,
                "%n%-22s %-5s %-16s %-9s %-12s %s"
                        .formatted(
                                "INTERFACE",
                                "INDEX",
                                "ADDRESS",
                                "LIFE",
                                "STANDING",
                                "LEASED/BLOCKS"));
        for (JsonNode one : status.path("interfaces")) {
            line(
                    text,
                    "%-22s %-5d %-16s %-9s %-12s %d/%d%s%s"
                            .formatted(
                                    one.path("id").asText(),
                                    one.path("deviceIndex").asInt(),
                                    one.path("primaryAddress").asText(),
                                    one.path("life").asText().toLowerCase(Locale.ROOT),
                                    one.path("standing").asText().toLowerCase(Locale.ROOT),
                                    one.path("leased").asInt(),
                                    one.path("blocks").size(),
                                    prefixes(one.path("blocks")),
                                    one.path("linkReady").asBoolean() ? "" : " (link not ready)"));
        }
        int width = 16;
        for (JsonNode one : status.path("leases")) {
            width = Math.max(width, one.path("address").asText().length());
        }
        String row = "%-" + width + "s %-22s %-40s %s";
        line(text, "");
        line(text, row.formatted("POD ADDRESS", "INTERFACE", "POD", "CONTAINER"));
        for (JsonNode one : status.path("leases")) {
            String pod = one.path("podNamespace").asText() + "/" + one.path("podName").asText();
            line(
                    text,
                    row.formatted(
                            one.path("address").asText(),
                            one.path("interfaceId").asText(),
                            pod.equals("/") ? "-" : pod,
                            one.path("containerId").asText()));
        }
        status.path("refusals")
                .forEach(one ->
                        line(
                                text,
                                "refused: %s %s, again in %d s: %s"
                                        .formatted(
                                                one.path("subject").asText(),
                                                one.path("refusal").asText(),
                                                one.path("retryInSeconds").asLong(),
                                                one.path("message").asText())));
        return text.toString();
    }

    private static void line(StringBuilder text, String line) {
        text.append(line).append(System.lineSeparator());
    }
}
