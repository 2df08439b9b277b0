package dev.underlay.lab;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/**
 * The command line of the local VPC: {@code demo}, {@code lab up|down|status|exec}, {@code chaos}
 * and {@code bench}. Exit code 0 when all that was asked for holds, 1 when it does not, 2 for a
 * wrong command line.
 */
@Command(
        name = "underlay",
        description = "A VPC on this machine, with real daemons and real packets.",
        synopsisSubcommandLabel = "demo|lab|chaos|bench",
        subcommands = {LabCommands.class, ChaosCommand.class, BenchCommands.class})
public final class Lab {
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            scope = ScopeType.INHERIT,
            description = "Say how to call it.")
    @SuppressWarnings("UnusedVariable") // picocli looks at the option alone
    private boolean help;

    @Option(
            names = "--ipamd",
            paramLabel = "DIR",
            scope = ScopeType.INHERIT,
            defaultValue = "ipamd/target/app",
            description = "Folder with the daemon's jars (default: ${DEFAULT-VALUE}).")
    private Path ipamd = Path.of("");

    @Option(
            names = "--launcher",
            paramLabel = "FILE",
            scope = ScopeType.INHERIT,
            defaultValue = "cni/target/launcher/underlay",
            description = "The CNI binary (default: ${DEFAULT-VALUE}).")
    private Path launcher = Path.of("");

    private Lab() {}

    /** Runs the command line and exits with its code. */
    public static void main(String[] arguments) {
        Locale.setDefault(Locale.ROOT);
        CommandLine line = new CommandLine(new Lab());
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setExecutionExceptionHandler((failure, command, _) -> {
            command.getErr().println("underlay: " + failure.getMessage());
            if (System.getenv("UNDERLAY_DEBUG") != null) {
                failure.printStackTrace(command.getErr());
            }
            return 1;
        });
        System.exit(line.execute(arguments));
    }

    Programs programs() {
        return new Programs(ipamd, launcher);
    }

    @Command(
            description = {
                "Raises a VPC of two nodes, adds 24 pods to each through the CNI launcher, tries"
                        + " every path with real packets, and removes everything.",
                "Exit code 0 only if every check held."
            })
    int demo(
            @Option(
                            names = "--mode",
                            paramLabel = "MODE",
                            defaultValue = "ipv4",
                            description =
                                    "How pods get addresses: ipv4 (one by one), prefix (/28 at a"
                                            + " time), ipv6 (out of one /80) or dual (one of"
                                            + " each family) (default: ${DEFAULT-VALUE}).")
                    DemoMode mode,
            @Option(
                            names = "--json",
                            description = "Print one JSON object alone on standard output.")
                    boolean json)
            throws IOException {
        long began = System.nanoTime();
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        Report report = new Report(json ? System.err : out);
        Demo demo = new Demo(programs(), mode, report, System.err);
        demo.run();
        if (json) {
            out.println(report.json(demo.podsAdded()));
        } else {
            long seconds = (System.nanoTime() - began) / 1_000_000_000;
            out.println(report.summary(demo.podsAdded(), seconds));
        }
        return report.ok() ? 0 : 1;
    }
}
