package dev.underlay.ipamd.cli;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.underlay.cloud.aws.InstanceLimits;
import dev.underlay.pool.BlockKind;
import dev.underlay.pool.MaxPods;
import dev.underlay.pool.NodeIdentity.Limits;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code underlay max-pods}: the kubelet's most pods for an instance type, in each pool mode. */
@Command(
        name = "max-pods",
        description = "Says how many pods to allow a kubelet on an instance type.",
        mixinStandardHelpOptions = true)
public final class MaxPodsCommand implements Callable<Integer> {
    /** EC2's sizes: an xlarge has 4 vCPUs, an Nxlarge 4 N, those below 2 or fewer. */
    private static final Pattern SIZE = Pattern.compile("(\\d*)xlarge.*");

    private static final int XLARGE_CPUS = 4;
    private static final int SMALL_CPUS = 2;

    @Option(names = "--type", required = true, description = "EC2 instance type, like m5.large.")
    private String type = "";

    @Option(names = "--max-eni", description = "MAX_ENI, where it is set.")
    private int maxEni = Integer.MAX_VALUE;

    @Option(
            names = "--custom-networking",
            description = "The primary interface has no pods (AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG).")
    private boolean customNetworking;

    @Option(
            names = "--cpus",
            description = "vCPUs of the type. Default: what its size says; metal has its own.")
    private int cpus;

    @Option(names = "--json", description = "Print one JSON document.")
    private boolean json;

    @Spec private CommandSpec spec = CommandSpec.create();

    /** Prints the numbers of one type. */
    public static void main(String[] args) {
        System.exit(new CommandLine(new MaxPodsCommand()).execute(args));
    }

    @Override
    public Integer call() throws IOException {
        Limits limits =
                InstanceLimits.fromTable(type)
                        .orElseThrow(() ->
                                wrong(
                                        "--type "
                                                + type
                                                + " is not in the table of instance types; is it"
                                                + " spelled as EC2 does, like m5.large?"));
        if (maxEni < 1) {
            throw wrong("--max-eni " + maxEni + ": a node has at least its primary interface");
        }
        int serving = Math.min(limits.interfaces(), maxEni) - (customNetworking ? 1 : 0);
        if (serving < 1) {
            throw wrong("with custom networking one interface is none for pods; raise --max-eni");
        }
        int known =
                cpus > 0
                        ? cpus
                        : cpusOf(type)
                                .orElseThrow(() ->
                                        wrong(
                                                "the size of "
                                                        + type
                                                        + " does not say its vCPUs; add --cpus"));
        MaxPods single = MaxPods.of(limits, serving, BlockKind.SECONDARY_ADDRESS, known);
        MaxPods prefixes = MaxPods.of(limits, serving, BlockKind.PREFIX_28, known);
        print(limits, serving, single, prefixes);
        return 0;
    }

    /** Empty for bare metal. */
    static OptionalInt cpusOf(String type) {
        String size = type.substring(type.indexOf('.') + 1);
        Matcher matcher = SIZE.matcher(size);
        if (matcher.matches()) {
            String times = matcher.group(1);
            return OptionalInt.of(XLARGE_CPUS * (times.isEmpty() ? 1 : Integer.parseInt(times)));
        }
        return size.startsWith("metal") ? OptionalInt.empty() : OptionalInt.of(SMALL_CPUS);
    }

    private void print(Limits limits, int serving, MaxPods single, MaxPods prefixes)
            throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            ObjectNode document = new JsonMapper().createObjectNode();
            document.put("type", type).put("interfaces", serving);
            put(document, "secondaryAddresses", single);
            if (limits.prefixes()) {
                put(document, "prefixes", prefixes);
            }
            out.println(document.toPrettyString());
            return;
        }
        out.printf(
                "%s: %d interfaces of %d addresses for pods%n",
                type, serving, limits.addressesPerInterface() - 1);
        out.printf("%-22s%15s%17s%n", "", "pod addresses", "kubelet maxPods");
        out.printf("%-22s%15d%17d%n", "secondary addresses", single.addresses(), single.kubelet());
        if (limits.prefixes()) {
            out.printf("%-22s%15d%17d%n", "prefixes", prefixes.addresses(), prefixes.kubelet());
        } else {
            out.println("prefixes: none on Xen");
        }
    }

    private static void put(ObjectNode document, String mode, MaxPods pods) {
        document.putObject(mode)
                .put("podAddresses", pods.addresses())
                .put("maxPods", pods.kubelet());
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
