package dev.underlay.ipamd.cli;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.underlay.cloud.aws.InstanceLimits;
import dev.underlay.pool.NodeIdentity;
import dev.underlay.pool.PoolSettings;
import dev.underlay.pool.tune.IncumbentModel;
import dev.underlay.pool.tune.Outcome;
import dev.underlay.pool.tune.Replay;
import dev.underlay.pool.tune.Trace;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * {@code underlay simulate}: what traces of pods would have cost, with this project's pool as it is
 * when nothing is set, and with the AWS VPC CNI's default.
 */
@Command(
        name = "simulate",
        description = {
            "Replays pods that came and went against the warm pool and against a model of the AWS",
            "VPC CNI's default, with secondary addresses, 300 ms a call and 2 s an attach.",
            "A trace is CSV, gzipped or not: pod_id,node,start_s,end_s (start_s -1: runs already;",
            "end_s empty: never ends)."
        },
        sortOptions = false,
        mixinStandardHelpOptions = true)
public final class SimulateCommand implements Callable<Integer> {
    private static final int BAD_INPUT = 65; // EX_DATAERR, sysexits.h
    private static final double DAY_SECONDS = 86_400;

    @Option(
            names = "--trace",
            paramLabel = "FILE",
            required = true,
            arity = "1..*",
            description = "The traces, each replayed by itself.")
    private List<Path> files = new ArrayList<>();

    @Option(
            names = "--type",
            defaultValue = "m5.large",
            description = "The nodes' instance type. Default: ${DEFAULT-VALUE}")
    private String type = "";

    @Option(
            names = "--seed",
            defaultValue = "1",
            description =
                    "Of the kubelets' retries and the VPC CNI's random choices. Default:"
                            + " ${DEFAULT-VALUE}")
    private long seed;

    @Option(names = "--json", description = "Print one JSON document.")
    private boolean json;

    @Spec private CommandSpec spec = CommandSpec.create();

    private record Comparison(Path file, Trace trace, Outcome underlay, Outcome incumbent) {}

    /** Runs the command line and exits with its code: 65 when a trace cannot be read. */
    public static void main(String[] args) {
        Locale.setDefault(Locale.ROOT);
        System.exit(new CommandLine(new SimulateCommand()).execute(args));
    }

    @Override
    public Integer call() {
        NodeIdentity.Limits limits =
                InstanceLimits.fromTable(type)
                        .orElseThrow(() ->
                                new ParameterException(
                                        spec.commandLine(),
                                        "--type " + type + ": no such instance type is known"));
        PrintWriter out = spec.commandLine().getOut();
        List<Comparison> comparisons = new ArrayList<>();
        for (Path file : files) {
            Trace trace;
            try {
                trace = TraceFile.read(file);
            } catch (IOException e) {
                spec.commandLine().getErr().println("underlay: " + e.getMessage());
                return BAD_INPUT;
            }
            Comparison comparison = compare(file, trace, limits);
            comparisons.add(comparison);
            if (!json) {
                out.print(table(comparison));
                out.flush();
            }
        }
        if (json) {
            out.println(document(comparisons).toPrettyString());
            out.flush();
        }
        return 0;
    }

    private Comparison compare(Path file, Trace trace, NodeIdentity.Limits limits) {
        return new Comparison(
                file,
                trace,
                Replay.underlay(
                        trace,
                        limits,
                        PoolSettings.defaults(),
                        new SplittableRandom(seed)::nextDouble),
                Replay.incumbent(
                        trace,
                        limits,
                        IncumbentModel.Settings.defaults(limits),
                        new SplittableRandom(seed)::nextDouble));
    }

    private String table(Comparison all) {
        StringBuilder text = new StringBuilder();
        Trace trace = all.trace();
        text.append(
                "%s: %d pods on %d nodes in %.1f days; %s, seed %d%n"
                        .formatted(
                                all.file().getFileName(),
                                trace.pods().size(),
                                trace.nodes(),
                                trace.endSeconds() / DAY_SECONDS,
                                type,
                                seed));
        text.append("%-34s %12s %12s %8s%n".formatted("", "underlay", "VPC CNI", "ratio"));
        row(text, all, "idle addresses, mean", Outcome::meanIdle);
        row(text, all, "held addresses, mean", Outcome::meanHeld);
        row(text, all, "pod-seconds waited", Outcome::podSecondsWaited);
        row(text, all, "pods that waited", Outcome::podsWaited);
        row(text, all, "longest wait, s", Outcome::longestWaitSeconds);
        row(text, all, "pods without an address at the end", Outcome::podsWithoutAddress);
        row(text, all, "failed ADDs", Outcome::failedAdds);
        row(text, all, "EC2 calls", Outcome::allCalls);
        TreeSet<String> actions = new TreeSet<>(all.underlay().calls().keySet());
        actions.addAll(all.incumbent().calls().keySet());
        for (String action : actions) {
            row(text, all, "  " + action, of -> of.calls().getOrDefault(action, 0L));
        }
        rates(text, all, "changes", Outcome::changes);
        rates(text, all, "reads", Outcome::reads);
        return text.append(System.lineSeparator()).toString();
    }

    @FunctionalInterface
    private interface RateOf {
        Outcome.Rate of(Outcome outcome);
    }

    private static void rates(StringBuilder text, Comparison all, String what, RateOf rate) {
        row(text, all, what + ", most in a second", of -> rate.of(of).mostInOneSecond());
        int burst = rate.of(all.underlay()).burst();
        row(
                text,
                all,
                "%s, most tokens of %d used".formatted(what, burst),
                of -> rate.of(of).mostTokensUsed());
        row(text, all, what + " throttled", of -> rate.of(of).throttled());
    }

    private static void row(
            StringBuilder text, Comparison all, String what, ToDoubleFunction<Outcome> figure) {
        double ours = figure.applyAsDouble(all.underlay());
        double theirs = figure.applyAsDouble(all.incumbent());
        String ratio = theirs == 0 ? "-" : "%.3f".formatted(ours / theirs);
        text.append("%-34s %12s %12s %8s%n".formatted(what, number(ours), number(theirs), ratio));
    }

    private static String number(double value) {
        return value == Math.rint(value) ? "%.0f".formatted(value) : "%.2f".formatted(value);
    }

    private ObjectNode document(List<Comparison> comparisons) {
        JsonMapper mapper = new JsonMapper();
        ObjectNode document = mapper.createObjectNode();
        document.put("instanceType", type);
        document.put("seed", seed);
        var traces = document.putArray("traces");
        for (Comparison one : comparisons) {
            ObjectNode trace = traces.addObject();
            trace.put("file", one.file().toString());
            trace.put("pods", one.trace().pods().size());
            trace.put("nodes", one.trace().nodes());
            trace.put("seconds", one.trace().endSeconds());
            put(trace.putObject("underlay"), one.underlay());
            put(trace.putObject("vpcCni"), one.incumbent());
            ObjectNode ratios = trace.putObject("ratios");
            ratio(ratios, "meanIdle", one, Outcome::meanIdle);
            ratio(ratios, "podSecondsWaited", one, Outcome::podSecondsWaited);
            ratio(ratios, "calls", one, Outcome::allCalls);
        }
        return document;
    }

    private static void ratio(
            ObjectNode to, String name, Comparison all, ToDoubleFunction<Outcome> figure) {
        double theirs = figure.applyAsDouble(all.incumbent());
        if (theirs == 0) {
            to.putNull(name);
        } else {
            to.put(name, figure.applyAsDouble(all.underlay()) / theirs);
        }
    }

    private static void put(ObjectNode to, Outcome outcome) {
        to.put("meanIdle", outcome.meanIdle());
        to.put("meanHeld", outcome.meanHeld());
        to.put("podSecondsWaited", outcome.podSecondsWaited());
        to.put("podsWaited", outcome.podsWaited());
        to.put("longestWaitSeconds", outcome.longestWaitSeconds());
        to.put("podsWithoutAddress", outcome.podsWithoutAddress());
        to.put("failedAdds", outcome.failedAdds());
        ObjectNode calls = to.putObject("calls");
        outcome.calls().forEach(calls::put);
        put(to.putObject("changes"), outcome.changes());
        put(to.putObject("reads"), outcome.reads());
    }

    private static void put(ObjectNode to, Outcome.Rate rate) {
        to.put("calls", rate.calls());
        to.put("mostInOneSecond", rate.mostInOneSecond());
        to.put("mostTokensUsed", rate.mostTokensUsed());
        to.put("burst", rate.burst());
        to.put("throttled", rate.throttled());
    }
}
