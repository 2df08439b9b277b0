package dev.underlay.lab;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.underlay.cni.routing.Marks;
import dev.underlay.localvpc.fabric.Netns;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * What a node's kernel and daemon hold of both families, as text that can be compared. Pods' part
 * and interfaces' part are kept apart: the first must go with the pods.
 *
 * @param podLinks host ends of pods' links, waiting for deletion or not
 * @param podRoutes routes to pods in the to-pod table
 * @param podNeighbours permanent neighbours on pods' links
 * @param leases addresses that the daemon holds for pods
 * @param rules routing rules of IPv4
 * @param unreachable blocks that are unreachable without a pod
 * @param mapElements source blocks of nftables' map
 */
record NodeState(
        Set<String> podLinks,
        Set<String> podRoutes,
        Set<String> podNeighbours,
        Set<String> leases,
        Set<String> rules,
        Set<String> unreachable,
        Set<String> mapElements) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Set<String> ADDRESSES = Set.of("ipv4_addr", "ipv6_addr");

    static NodeState of(LabNode node) throws IOException {
        Netns netns = node.netns();
        Set<String> podLinks = new TreeSet<>();
        for (JsonNode link : ip(netns, "link", "show", "type", "veth")) {
            if (!link.path("group").asText("default").equals("default")) {
                podLinks.add(link.path("ifname").asText());
            }
        }
        Set<String> podRoutes = new TreeSet<>();
        Set<String> unreachable = new TreeSet<>();
        String table = String.valueOf(Marks.TO_POD_TABLE);
        for (String family : List.of("-4", "-6")) {
            for (JsonNode route : ip(netns, family, "-d", "route", "show", "table", table)) {
                String to = route.path("dst").asText();
                if (route.path("type").asText("unicast").equals("unreachable")) {
                    unreachable.add(to);
                } else {
                    podRoutes.add(to + " dev " + route.path("dev").asText());
                }
            }
        }
        Set<String> podNeighbours = new TreeSet<>();
        for (JsonNode neighbour : ip(netns, "neighbour", "show", "nud", "permanent")) {
            if (podLinks.contains(neighbour.path("dev").asText())) {
                podNeighbours.add(neighbour.path("dst").asText());
            }
        }
        Set<String> rules = new TreeSet<>();
        for (JsonNode rule : ip(netns, "rule", "show")) {
            rules.add(rule.toString());
        }
        return new NodeState(
                podLinks,
                podRoutes,
                podNeighbours,
                leases(node.daemon().status()),
                rules,
                unreachable,
                mapElements(netns));
    }

    /** Addresses that the daemon's status page calls leased. */
    static Set<String> leases(JsonNode status) {
        Set<String> leases = new TreeSet<>();
        for (JsonNode lease : status.path("leases")) {
            leases.add(lease.path("address").asText());
        }
        return leases;
    }

    /** The same without anything that belongs to a pod. */
    boolean hasNoPods() {
        return podLinks.isEmpty()
                && podRoutes.isEmpty()
                && podNeighbours.isEmpty()
                && leases.isEmpty();
    }

    String podPart() {
        return "links %s, routes %s, neighbours %s, leases %s"
                .formatted(podLinks, podRoutes, podNeighbours, leases);
    }

    private static Set<String> mapElements(Netns netns) throws IOException {
        Set<String> elements = new TreeSet<>();
        Output output = Output.inside(netns, "nft", "--json", "list", "ruleset");
        for (JsonNode object : JSON.readTree(output.out()).path("nftables")) {
            JsonNode map = object.path("map");
            if (map.path("table").asText().equals("underlay")
                    && ADDRESSES.contains(map.path("type").asText())) {
                for (JsonNode element : map.path("elem")) {
                    elements.add(block(element.path(0)));
                }
            }
        }
        return elements;
    }

    private static String block(JsonNode key) {
        JsonNode value = key.path("elem").isMissingNode() ? key : key.path("elem").path("val");
        return value.has("prefix")
                ? value.path("prefix").path("addr").asText()
                        + "/"
                        + value.path("prefix").path("len").asText()
                : value.isTextual() ? value.asText() : value.toString();
    }

    private static JsonNode ip(Netns netns, String... arguments) throws IOException {
        String[] command = new String[arguments.length + 2];
        command[0] = "ip";
        command[1] = "-json";
        System.arraycopy(arguments, 0, command, 2, arguments.length);
        Output output = Output.inside(netns, command);
        if (output.err().contains("FIB table does not exist")) {
            return JSON.createArrayNode(); // no route was ever put there: to ip half a document
        }
        if (!output.ok()) {
            throw new IOException(String.join(" ", command) + ": " + output.lastLine());
        }
        return JSON.readTree(output.out().isBlank() ? "[]" : output.out());
    }
}
