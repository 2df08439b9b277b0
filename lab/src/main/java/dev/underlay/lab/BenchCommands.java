package dev.underlay.lab;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code bench burst}: measurements on a local VPC, each against what the cloud itself needs. */
@Command(name = "bench", description = "Measurements on a local VPC.")
final class BenchCommands {
    @SuppressWarnings("NullAway.Init") // picocli sets it
    @ParentCommand
    private Lab lab;

    @Command(
            description = {
                "Adds as many pods as a fresh node can hold at once: 27 on an m5.large, 50 on an"
                        + " m5.xlarge, with 300 ms a call and a device 2 s after its attach.",
                "Exit code 0 only if no ADD is refused and the last pod is served at most 500 ms"
                        + " after the cloud's own shortest sequence."
            })
    int burst(
            @Option(
                            names = "--json",
                            description = "Print one JSON object alone on standard output.")
                    boolean json)
            throws IOException {
        BurstBench.run(lab.programs(), BurstBench.WARM_UP);
        List<BurstBench.Result> results = new ArrayList<>();
        for (BurstBench.Node node : BurstBench.NODES) {
            BurstBench.Result result = BurstBench.run(lab.programs(), node);
            results.add(result);
            (json ? System.err : System.out).println(result.text());
        }
        boolean ok = results.stream().allMatch(BurstBench.Result::ok);
        if (json) {
            System.out.println(
                    new ObjectMapper()
                            .writerWithDefaultPrettyPrinter()
                            .writeValueAsString(Map.of("ok", ok, "bursts", results)));
        }
        return ok ? 0 : 1;
    }
}
