package dev.underlay.lab;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code chaos}: a daemon that is killed again and again while pods come and go. */
@Command(
        name = "chaos",
        description = {
            "Kills a real daemon with SIGKILL at random moments while pods come and go, and checks"
                    + " that no address is given twice, that living pods lose no ping, and that"
                    + " journal, kernel and VPC agree afterwards with nothing leaked.",
            "Exit code 0 only if everything held. The seed repeats the choices, not the timing."
        })
final class ChaosCommand implements Callable<Integer> {
    private static final long SEEDS = 1_000_000;

    @SuppressWarnings("NullAway.Init") // picocli sets it
    @ParentCommand
    private Lab lab;

    @Option(
            names = "--kills",
            paramLabel = "N",
            defaultValue = "100",
            description = "How often the daemon is killed (default: ${DEFAULT-VALUE}).")
    private int kills;

    @Option(
            names = "--seed",
            paramLabel = "S",
            description = "Of all random choices (default: a fresh one, which is printed).")
    private Optional<Long> seed = Optional.empty();

    @Option(names = "--json", description = "Print one JSON object alone on standard output.")
    private boolean json;

    @Override
    public Integer call() throws IOException {
        if (kills < 1) {
            throw new IOException("--kills is 1 or more, not " + kills);
        }
        ChaosReport report =
                Chaos.run(
                        lab.programs(),
                        kills,
                        seed.orElseGet(() -> new SplittableRandom().nextLong(SEEDS)),
                        System.err);
        if (json) {
            System.out.println(
                    new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(report));
        } else {
            System.out.println(report.text());
        }
        return report.ok() ? 0 : 1;
    }
}
