package dev.underlay.lab;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.underlay.localvpc.fabric.Netns;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Calls the CNI plugin of one node as containerd with libcni does: the first configuration list of
 * the folder, the newest version that both sides know, one process per call with its environment
 * and standard input. Calls may be made at the same time.
 */
final class ContainerRuntime {
    /** Longer than the launcher's own deadline for an ADD, so that its error is seen. */
    private static final Duration LIMIT = Duration.ofSeconds(90);

    private static final List<String> KNOWN_VERSIONS =
            List.of("0.3.1", "0.4.0", "1.0.0", "1.1.0"); // CNI SPEC
    private static final int ID_BYTES = 32;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Netns node;
    private final String podPrefix;
    private final Path binaries;
    private final Path configurations;
    private final SplittableRandom random;

    /** The last result of each attachment, as libcni caches it. */
    private final Map<String, JsonNode> results = new ConcurrentHashMap<>();

    /**
     * Stands on one node.
     *
     * @param podPrefix what the names of the pods' namespaces begin with
     * @param binaries {@code CNI_PATH}
     * @param configurations where the configuration list is
     */
    ContainerRuntime(Netns node, String podPrefix, Path binaries, Path configurations, long seed) {
        this.node = node;
        this.podPrefix = podPrefix;
        this.binaries = binaries;
        this.configurations = configurations;
        this.random = new SplittableRandom(seed);
    }

    /** Makes the namespace of a pod, with nothing but its loopback. */
    Sandbox sandbox(String podName) throws IOException {
        byte[] id = new byte[ID_BYTES];
        synchronized (random) {
            random.nextBytes(id);
        }
        return new Sandbox(
                podName, HexFormat.of().formatHex(id), Netns.create(podPrefix + podName));
    }

    CniReply add(Sandbox sandbox) throws IOException {
        CniReply reply =
                call(environment("ADD", sandbox, sandbox.netnsPath()), configuration(null));
        if (reply.ok()) {
            results.put(sandbox.containerId(), reply.json());
        }
        return reply;
    }

    CniReply check(Sandbox sandbox) throws IOException {
        return call(
                environment("CHECK", sandbox, sandbox.netnsPath()),
                configuration(results.get(sandbox.containerId())));
    }

    CniReply delete(Sandbox sandbox) throws IOException {
        CniReply reply =
                call(
                        environment("DEL", sandbox, sandbox.netnsPath()),
                        configuration(results.get(sandbox.containerId())));
        if (reply.ok()) {
            results.remove(sandbox.containerId());
        }
        return reply;
    }

    /** The DEL that containerd sends once more when it removes a stopped sandbox. */
    CniReply deleteAgain(Sandbox sandbox) throws IOException {
        return call(environment("DEL", sandbox, ""), configuration(null));
    }

    CniReply status() throws IOException {
        return call(environment("STATUS"), configuration(null));
    }

    /** The pod's address of a family, as the last ADD's result says; empty without one. */
    String address(Sandbox sandbox, Family family) {
        return addresses(sandbox).stream()
                .filter(address -> Family.of(address) == family)
                .findFirst()
                .orElse("");
    }

    /** All of the pod's addresses, likewise. */
    List<String> addresses(Sandbox sandbox) {
        return CniReply.addresses(results.getOrDefault(sandbox.containerId(), NullNode.instance));
    }

    /** The host's end of the pod's link, as the ADD's result names it; empty without one. */
    String hostLink(Sandbox sandbox) {
        JsonNode result = results.get(sandbox.containerId());
        return result == null ? "" : result.path("interfaces").path(0).path("name").asText();
    }

    /** The environment of a call about a sandbox. */
    Map<String, String> environment(String command, Sandbox sandbox, String netns) {
        Map<String, String> environment = environment(command);
        environment.put("CNI_CONTAINERID", sandbox.containerId());
        environment.put("CNI_NETNS", netns);
        environment.put("CNI_IFNAME", Sandbox.INTERFACE);
        environment.put(
                "CNI_ARGS",
                "IgnoreUnknown=1;K8S_POD_NAMESPACE=%s;K8S_POD_NAME=%s;K8S_POD_INFRA_CONTAINER_ID=%s"
                        .formatted(
                                Sandbox.POD_NAMESPACE, sandbox.podName(), sandbox.containerId()));
        return environment;
    }

    /** The environment of a call about no sandbox. */
    Map<String, String> environment(String command) {
        Map<String, String> environment = new TreeMap<>(System.getenv());
        environment.put("CNI_COMMAND", command);
        environment.put("CNI_PATH", binaries.toString());
        return environment;
    }

    /** Starts a call without a previous result, for a caller that may kill it. */
    Process start(String command, Sandbox sandbox) throws IOException {
        byte[] input = configuration(null).getBytes(StandardCharsets.UTF_8);
        Process call = node.call(plugin(environment(command, sandbox, sandbox.netnsPath()))::start);
        try (OutputStream in = call.getOutputStream()) {
            in.write(input);
        } catch (IOException e) {
            // It ended before it read all: nothing is left to kill.
        }
        return call;
    }

    private ProcessBuilder plugin(Map<String, String> environment) throws IOException {
        ProcessBuilder program =
                new ProcessBuilder(binaries.resolve(pluginType(configurationList())).toString());
        program.environment().clear();
        program.environment().putAll(environment);
        return program;
    }

    /** Executes the plugin with exactly this. */
    CniReply call(Map<String, String> environment, String input) throws IOException {
        ProcessBuilder program = plugin(environment);
        long began = System.nanoTime();
        Output output = Output.inside(node, program, input.getBytes(StandardCharsets.UTF_8), LIMIT);
        return new CniReply(
                output.exitCode(),
                output.out(),
                output.err(),
                Duration.ofNanos(System.nanoTime() - began));
    }

    /** The plugin's object as libcni hands it over. */
    String configuration(@Nullable JsonNode previousResult) throws IOException {
        JsonNode list = configurationList();
        ObjectNode plugin = (ObjectNode) list.path("plugins").path(0);
        plugin.set("name", list.path("name"));
        plugin.put("cniVersion", version(list));
        if (previousResult != null) {
            plugin.set("prevResult", previousResult);
        }
        return plugin.toString();
    }

    private static String pluginType(JsonNode list) {
        return list.path("plugins").path(0).path("type").asText();
    }

    private static String version(JsonNode list) {
        return list.path("cniVersions") instanceof ArrayNode versions
                ? KNOWN_VERSIONS.reversed().stream()
                        .filter(v -> holds(versions, v))
                        .findFirst()
                        .orElse(list.path("cniVersion").asText())
                : list.path("cniVersion").asText();
    }

    private static boolean holds(ArrayNode versions, String version) {
        for (JsonNode one : versions) {
            if (one.asText().equals(version)) {
                return true;
            }
        }
        return false;
    }

    private JsonNode configurationList() throws IOException {
        List<Path> files = new ArrayList<>();
        try (DirectoryStream<Path> found =
                Files.newDirectoryStream(configurations, "*.{conf,conflist,json}")) {
            found.forEach(files::add);
        }
        if (files.isEmpty()) {
            throw new IOException(
                    "no CNI configuration in "
                            + configurations
                            + ": the daemon writes it when it"
                            + " can serve; see its log");
        }
        files.sort(Comparator.naturalOrder());
        return JSON.readTree(files.getFirst().toFile());
    }
}
