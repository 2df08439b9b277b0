package dev.underlay.ipamd.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.underlay.ipamd.check.NodeCheck;
import java.io.IOException;
import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code underlay ipam}: whether the daemon's books, the cloud and the kernel agree. */
@Command(
        name = "ipam",
        description = "Looks after this node's pod addresses.",
        mixinStandardHelpOptions = true)
public final class IpamCommand implements Runnable {
    private static final int CLEAN = 0;
    private static final int FINDINGS = 1;

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
                spec.commandLine(), "which command? There is: check");
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
