package dev.underlay.cni.socket;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** An installed launcher in a folder of its own, run as a runtime would run it. */
final class LauncherProcess {
    private static final Path BUILT = Path.of("target/launcher/underlay");
    private static final long LIMIT_SECONDS = 20;

    private final Path binary;
    private final Path runDirectory;

    private LauncherProcess(Path binary, Path runDirectory) {
        this.binary = binary;
        this.runDirectory = runDirectory;
    }

    /** The launcher that is shipped, with its socket in {@code folder/run}. */
    static LauncherProcess install(Path folder) throws IOException {
        return install(folder, BUILT);
    }

    /** A launcher with deadlines of some hundred milliseconds, built without a warning. */
    static LauncherProcess installHasty(Path folder) throws IOException {
        Path hasty = Path.of("target/launcher-test/underlay");
        Run build =
                execute(
                        List.of(
                                "src/main/c/build.sh",
                                hasty.toString(),
                                "-Werror",
                                "-fanalyzer",
                                "-DADD_MILLIS=400",
                                "-DCHECK_MILLIS=300",
                                "-DSTATUS_MILLIS=200",
                                "-DGC_MILLIS=300",
                                "-DDEL_MILLIS=500",
                                "-DDEL_ANSWER_MILLIS=300"),
                        Map.of("PATH", System.getenv("PATH")),
                        new byte[0],
                        true);
        if (build.status() != 0) {
            throw new IOException(build.toString());
        }
        return install(folder, hasty);
    }

    private static LauncherProcess install(Path folder, Path built) throws IOException {
        boolean root = Files.isWritable(Path.of("/proc/sys/net/ipv4/ip_forward"));
        if (!root) {
            System.err.println("SKIPPED: the launcher's tests need root for namespaces");
        }
        assumeTrue(root, "the launcher's tests need root for namespaces");
        Path bin = Files.createDirectories(folder.resolve("bin"));
        Path run = folder.resolve("run");
        Path binary = Files.copy(built, bin.resolve("underlay"));
        Files.writeString(bin.resolve("underlay.socket"), run.resolve("ipamd.sock") + "\n");
        return new LauncherProcess(binary, run);
    }

    Path binary() {
        return binary;
    }

    Path socket() {
        return runDirectory.resolve("ipamd.sock");
    }

    DelIntents intents() {
        return new DelIntents(runDirectory.resolve("intents"));
    }

    /** How a process ended. */
    record Run(int status, String output, String log, long millis) {
        /** Standard output as the one JSON object that it must be. */
        JsonNode json() throws IOException {
            try (var parser = new ObjectMapper().createParser(output)) {
                JsonNode node = parser.readValueAsTree();
                if (node == null || !node.isObject() || parser.nextToken() != null) {
                    throw new IOException("not one JSON object: " + this);
                }
                return node;
            }
        }

        int code() throws IOException {
            return json().path("code").asInt(-1);
        }

        String message() throws IOException {
            return json().path("msg").asText();
        }
    }

    /** Runs a verb with this environment and nothing else in it. */
    Run run(Map<String, String> environment, String input) throws IOException {
        return run(environment, input.getBytes(StandardCharsets.UTF_8), true);
    }

    Run run(Map<String, String> environment, byte[] input, boolean closeInput) throws IOException {
        return execute(List.of(binary.toString()), environment, input, closeInput);
    }

    /** Runs it behind another program, such as a shell that closes descriptors first. */
    Run runBehind(Map<String, String> environment, String input, String... command)
            throws IOException {
        List<String> words = new ArrayList<>(Arrays.asList(command));
        words.add(binary.toString());
        return execute(words, environment, input.getBytes(StandardCharsets.UTF_8), true);
    }

    /** Runs any program to its end. */
    static Run execute(
            List<String> command, Map<String, String> environment, byte[] input, boolean closeInput)
            throws IOException {
        Path output = Files.createTempFile("underlay", ".out");
        Path log = Files.createTempFile("underlay", ".log");
        try {
            ProcessBuilder builder = new ProcessBuilder(command);
            builder.environment().clear();
            builder.environment().putAll(environment);
            builder.redirectOutput(output.toFile()).redirectError(log.toFile());
            long startNanos = System.nanoTime();
            Process process = builder.start();
            try {
                OutputStream stdin = process.getOutputStream();
                try {
                    stdin.write(input);
                    stdin.flush();
                    if (closeInput) {
                        stdin.close();
                    }
                } catch (IOException e) {
                    // It ended without reading all, as a runtime would see it: a broken pipe.
                }
                if (!process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)) {
                    throw new IOException("still running: " + command);
                }
                long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNanos);
                return new Run(
                        process.exitValue(),
                        Files.readString(output),
                        Files.readString(log),
                        millis);
            } finally {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            Files.delete(output);
            Files.delete(log);
        }
    }

    /** The variables of a verb about one attachment. */
    static Map<String, String> attachment(String verb, String netns) {
        return with(
                Map.of(),
                "CNI_COMMAND",
                verb,
                "CNI_CONTAINERID",
                "c-1",
                "CNI_IFNAME",
                "eth0",
                "CNI_NETNS",
                netns,
                "CNI_PATH",
                "/opt/cni/bin");
    }

    /** The variables of a verb about the node. */
    static Map<String, String> node(String verb) {
        return Map.of("CNI_COMMAND", verb, "CNI_PATH", "/opt/cni/bin");
    }

    static Map<String, String> with(Map<String, String> environment, String... pairs) {
        Map<String, String> changed = new HashMap<>(environment);
        for (int i = 0; i < pairs.length; i += 2) {
            changed.put(pairs[i], pairs[i + 1]);
        }
        return changed;
    }
}
