package dev.underlay.lab;

import com.fasterxml.jackson.databind.JsonNode;
import dev.underlay.localvpc.state.Cidr;
import dev.underlay.localvpc.state.Eni;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Whether everything that knows of a node's pods says the same: the runtime, the daemon, the kernel
 * and the VPC. Only meaningful while no call is under way.
 */
final class Agreement {
    private final LabVpc vpc;
    private final LabNode node;

    Agreement(LabVpc vpc, LabNode node) {
        this.vpc = vpc;
        this.node = node;
    }

    /**
     * The first difference in words; empty when all agree.
     *
     * @param living the addresses of living pods by container id
     */
    String difference(Map<String, String> living) throws IOException {
        List<String> differences = new ArrayList<>();
        JsonNode status;
        try {
            status = node.daemon().status();
        } catch (IOException e) {
            return "the daemon does not tell its status: " + e.getMessage();
        }
        NodeState kernel = NodeState.of(node);
        Set<String> addresses = new TreeSet<>(living.values());

        compare("leases of the daemon", new TreeMap<>(living), leases(status), differences);
        compare("routes to pods", addresses, devices(kernel.podRoutes(), 0), differences);
        compare("neighbours on pods' links", addresses, kernel.podNeighbours(), differences);
        compare(
                "pods' links, by the routes",
                devices(kernel.podRoutes(), 1),
                kernel.podLinks(),
                differences);

        Map<String, Set<String>> assigned = new TreeMap<>();
        Set<String> blocks = new TreeSet<>();
        for (Eni eni : vpc.cloud().interfaces()) {
            if (eni.isAt(node.instance().id())) {
                Set<String> its = new TreeSet<>();
                eni.blocks().forEach(block -> its.add(text(block)));
                assigned.put(eni.id(), its);
                blocks.addAll(its);
            }
        }
        compare("interfaces with their blocks", assigned, interfaces(status), differences);
        compare("unreachable routes", blocks, kernel.unreachable(), differences);
        compare("elements of the source map", blocks, kernel.mapElements(), differences);
        Set<String> foreign = new TreeSet<>(addresses);
        foreign.removeAll(blocks);
        if (!foreign.isEmpty()) {
            differences.add("the VPC assigned to no interface of the node: " + foreign);
        }
        differences.addAll(vpc.cloud().findings());
        Set<String> intents = files(node.folders().intents());
        intents.removeIf(name -> name.startsWith(".")); // a launcher's that was killed at it
        compare("intents of DELs", Set.of(), intents, differences);
        if (status.path("waiting").asInt() != 0) {
            differences.add("ADDs are waiting though nobody called");
        }
        return differences.isEmpty() ? "" : differences.getFirst();
    }

    /** Files that a killed daemon or launcher left beside what belongs there; empty when none. */
    String litter() throws IOException {
        List<String> differences = new ArrayList<>();
        NodeFolders folders = node.folders();
        compare(
                "configurations",
                Set.of(folders.configurationFile().getFileName().toString()),
                files(folders.configurations()),
                differences);
        compare(
                "binaries",
                Set.of("underlay", "underlay.socket"),
                files(folders.binaries()),
                differences);
        compare(
                "the run directory",
                Set.of("intents", "ipamd.sock", "journal", "lock"),
                files(folders.run()),
                differences);
        return differences.isEmpty() ? "" : differences.getFirst();
    }

    private static void compare(String what, Object wanted, Object seen, List<String> differences) {
        if (!wanted.equals(seen)) {
            differences.add("%s: wanted %s, seen %s".formatted(what, wanted, seen));
        }
    }

    private static Map<String, String> leases(JsonNode status) {
        Map<String, String> leases = new TreeMap<>();
        for (JsonNode lease : status.path("leases")) {
            leases.put(lease.path("containerId").asText(), lease.path("address").asText());
        }
        return leases;
    }

    private static Map<String, Set<String>> interfaces(JsonNode status) {
        Map<String, Set<String>> interfaces = new TreeMap<>();
        for (JsonNode one : status.path("interfaces")) {
            Set<String> blocks = new TreeSet<>();
            one.path("blocks").forEach(block -> blocks.add(text(Cidr.parse(block.asText()))));
            interfaces.put(one.path("id").asText(), blocks);
        }
        return interfaces;
    }

    private static String text(Cidr block) {
        return block.isAddress() ? block.addressText() : block.toString();
    }

    /** Of lines such as {@code 10.0.0.7 dev veth1} the destinations (0) or the links (1). */
    private static Set<String> devices(Set<String> routes, int part) {
        Set<String> parts = new TreeSet<>();
        for (String route : routes) {
            int at = route.indexOf(" dev ");
            parts.add(part == 0 ? route.substring(0, at) : route.substring(at + " dev ".length()));
        }
        return parts;
    }

    private static Set<String> files(Path folder) throws IOException {
        Set<String> names = new TreeSet<>();
        if (Files.isDirectory(folder)) {
            try (DirectoryStream<Path> all = Files.newDirectoryStream(folder)) {
                all.forEach(file -> names.add(file.getFileName().toString()));
            }
        }
        return names;
    }
}
