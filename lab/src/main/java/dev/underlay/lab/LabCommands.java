package dev.underlay.lab;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.underlay.localvpc.LatencyProfile;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/**
 * {@code lab up|down|status|exec}: a VPC that stays until it is taken down. It lives in a process
 * of its own, {@link Supervisor}; what is where stands in {@link LabFile}.
 */
@Command(
        name = "lab",
        description = "A VPC that stays, with daemons that are restarted when they die.")
final class LabCommands {
    private static final long DOWN_MILLIS = 60_000;
    private static final int MAX_NODES = 16;

    @SuppressWarnings("NullAway.Init") // picocli sets it
    @ParentCommand
    private Lab lab;

    /** What a lab is made of. */
    static final class Shape {
        @Option(
                names = "--nodes",
                paramLabel = "N",
                defaultValue = "2",
                description = "How many nodes, 1 to 16 (default: ${DEFAULT-VALUE}).")
        private int nodes;

        @Option(
                names = "--type",
                paramLabel = "T",
                defaultValue = "m5.large",
                description = "Their EC2 instance type (default: ${DEFAULT-VALUE}).")
        private String type = "";

        @Option(
                names = "--latency",
                paramLabel = "PROFILE",
                defaultValue = "real",
                description =
                        "How slow EC2 is: none, real, slow or steady (default: ${DEFAULT-VALUE}).")
        private LatencyProfile latency = LatencyProfile.REAL;
    }

    @Command(description = "Raises a VPC and returns when every daemon serves.")
    int up(@Mixin Shape shape) throws IOException {
        if (shape.nodes < 1 || shape.nodes > MAX_NODES) {
            throw new IOException("--nodes is 1 to " + MAX_NODES + ", not " + shape.nodes);
        }
        Programs programs = lab.programs();
        programs.check();
        Process supervisor =
                new ProcessBuilder(
                                "setsid",
                                Programs.java(),
                                "--enable-native-access=ALL-UNNAMED",
                                "-XX:+UseSerialGC",
                                "-XX:TieredStopAtLevel=1",
                                "-cp",
                                System.getProperty("java.class.path"),
                                Lab.class.getName(),
                                "--ipamd",
                                programs.ipamd().toString(),
                                "--launcher",
                                programs.launcher().toString(),
                                "lab",
                                "supervise",
                                "--nodes",
                                String.valueOf(shape.nodes),
                                "--type",
                                shape.type,
                                "--latency",
                                shape.latency.name().toLowerCase(Locale.ROOT))
                        .redirectErrorStream(true)
                        .start();
        supervisor.getOutputStream().close();
        Optional<String> id = followUntilReady(supervisor);
        if (id.isEmpty()) {
            return 1;
        }
        System.out.println("lab " + id.get() + " is up:");
        print(LabFile.read(LabRun.ROOT.resolve(id.get())));
        System.out.println(
                """
                Next: ./underlay lab exec node-1 -- ip address
                      ./underlay lab status --json
                      ./underlay lab down\
                """);
        return 0;
    }

    /** Passes on what the supervisor says until it says that it is ready. */
    private static Optional<String> followUntilReady(Process supervisor) throws IOException {
        try (BufferedReader words =
                new BufferedReader(
                        new InputStreamReader(
                                supervisor.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = words.readLine(); line != null; line = words.readLine()) {
                if (line.startsWith(Supervisor.READY)) {
                    return Optional.of(line.substring(Supervisor.READY.length()));
                }
                System.err.println(line);
            }
        }
        return Optional.empty();
    }

    @Command(hidden = true, description = "The process that holds a lab; started by lab up.")
    int supervise(@Mixin Shape shape) throws IOException {
        new Supervisor(lab.programs()).run(shape.nodes, shape.type, shape.latency);
        return 0;
    }

    @Command(
            description = {
                "Ends a lab and removes all that belongs to it.",
                "Removes what dead runs left, too."
            })
    int down(
            @Parameters(
                            arity = "0..*",
                            paramLabel = "ID",
                            description = "Which labs; not needed if one alone is up.")
                    List<String> ids,
            @Option(names = "--all", description = "All labs of this machine.") boolean all)
            throws IOException {
        List<LabFile> labs = LabFile.live(LabRun.ROOT);
        List<String> known = labs.stream().map(LabFile::id).toList();
        List<String> wanted = ids == null || all ? known : ids;
        if (ids == null && !all && known.size() > 1) {
            throw new IOException("more than one lab is up; name one, or --all; " + idsOf(labs));
        }
        for (String id : wanted) {
            if (!known.contains(id)) {
                throw new IOException("there is no lab " + id + "; " + idsOf(labs));
            }
            LabRun.owner(LabRun.ROOT.resolve(id)).ifPresent(owner -> owner.end(DOWN_MILLIS));
            System.out.println("lab " + id + " is down");
        }
        for (String id : LabRun.sweep(LabRun.ROOT)) {
            System.out.println("removed what a dead run left: " + id);
        }
        return 0;
    }

    @Command(description = "What is where, for every node of every lab.")
    int status(
            @Option(
                            names = "--json",
                            description = "Print one JSON object alone on standard output.")
                    boolean json)
            throws IOException {
        List<LabFile> labs = LabFile.live(LabRun.ROOT);
        if (json) {
            List<LabFile.Node> nodes =
                    labs.stream().flatMap(file -> file.nodes().stream()).toList();
            System.out.println(
                    new ObjectMapper()
                            .writerWithDefaultPrettyPrinter()
                            .writeValueAsString(Map.of("nodes", nodes)));
        } else if (labs.isEmpty()) {
            System.out.println("no lab is up; raise one with ./underlay lab up");
        } else {
            labs.forEach(LabCommands::print);
        }
        return 0;
    }

    private static void print(LabFile file) {
        System.out.printf(
                "  EC2 %s, metadata %s; other namespaces: %s, %s%n",
                file.nodes().getFirst().ec2Endpoint(),
                file.nodes().getFirst().imdsEndpoint(),
                file.fabricNamespace(),
                file.internetNamespace());
        for (LabFile.Node node : file.nodes()) {
            System.out.printf(
                    "  %s/%s  %s in %s, address %s%n"
                            + "    namespace  %s%n"
                            + "    daemon     pid %d, log %s%n"
                            + "    CNI        %s, %s%n",
                    node.lab(),
                    node.name(),
                    node.instanceType(),
                    node.zone(),
                    node.address(),
                    node.namespace(),
                    node.daemonPid(),
                    node.log(),
                    node.cniBinDir(),
                    node.cniConfFile());
        }
    }

    @Command(description = "Runs a program in a node: lab exec node-1 -- ip address")
    int exec(
            @Parameters(
                            index = "0",
                            paramLabel = "NODE",
                            description = "node-1, or ID/node-1; also fabric and internet.")
                    String node,
            @Parameters(index = "1..*", arity = "1..*", paramLabel = "CMD") List<String> command)
            throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", namespaceOf(node)));
        all.addAll(command);
        return new ProcessBuilder(all).inheritIO().start().waitFor();
    }

    private static String namespaceOf(String name) throws IOException {
        List<LabFile> labs = LabFile.live(LabRun.ROOT);
        List<String> matches = new ArrayList<>();
        for (LabFile file : labs) {
            for (Map.Entry<String, String> place : file.namespaces().entrySet()) {
                if (name.equals(place.getKey()) || name.equals(file.id() + "/" + place.getKey())) {
                    matches.add(place.getValue());
                }
            }
        }
        if (matches.size() > 1) {
            throw new IOException(
                    name + " is in more than one lab; say ID/" + name + "; " + idsOf(labs));
        }
        if (matches.isEmpty()) {
            throw new IOException(
                    "there is no node " + name + "; see ./underlay lab status; " + idsOf(labs));
        }
        return matches.getFirst();
    }

    private static String idsOf(List<LabFile> labs) {
        return labs.isEmpty()
                ? "no lab is up"
                : "up: " + labs.stream().map(LabFile::id).collect(Collectors.joining(", "));
    }
}
