package dev.underlay.lab;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.underlay.localvpc.fabric.Netns;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The daemon of one node as a process in the node's namespace.
 *
 * <pre>
 *   stopped -> running    start
 *   running -> stopped    stop, kill
 *   running -> running    keepAlive: it died by itself, a new one takes its place
 * </pre>
 */
final class NodeProcess {
    /** The daemon's health pages, inside the node's namespace. */
    static final String HEALTH = "http://127.0.0.1:61679";

    /** The daemon's metrics, inside the node's namespace. */
    static final String METRICS = "http://127.0.0.1:61678";

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration PAGE_LIMIT = Duration.ofSeconds(10);
    private static final Duration READY_LIMIT = Duration.ofSeconds(60);
    private static final long STOP_MILLIS = 10_000;
    private static final long RESTART_PAUSE_MILLIS = 300;
    private static final int LOG_LINES_SHOWN = 12;

    private final LabRun run;
    private final Netns netns;
    private final NodeFolders folders;
    private final List<String> command;
    private final Map<String, String> environment;
    private @Nullable Process process;
    private @Nullable Consumer<String> keeper;

    /**
     * Prepares it.
     *
     * @param command starts the daemon, its options included
     * @param environment what the daemon's environment has besides {@code PATH}
     */
    NodeProcess(
            LabRun run,
            Netns netns,
            NodeFolders folders,
            List<String> command,
            Map<String, String> environment) {
        this.run = run;
        this.netns = netns;
        this.folders = folders;
        this.command = List.copyOf(command);
        this.environment = Map.copyOf(environment);
    }

    /** Starts it; use {@link #awaitReady()} to know when it serves. */
    synchronized void start() throws IOException {
        ProcessBuilder builder = new ProcessBuilder(new ArrayList<>(command));
        builder.environment().clear();
        builder.environment().put("PATH", System.getenv().getOrDefault("PATH", "/usr/bin:/bin"));
        builder.environment().putAll(environment);
        builder.directory(folders.run().toFile());
        builder.redirectErrorStream(true);
        builder.redirectOutput(ProcessBuilder.Redirect.appendTo(folders.log().toFile()));
        Process started = run.launch(netns, builder);
        process = started;
        var _ = started.onExit().thenAccept(this::died);
    }

    /** From here on a daemon that dies by itself is replaced; {@code report} hears of it. */
    synchronized void keepAlive(Consumer<String> report) {
        keeper = report;
    }

    private void died(Process dead) {
        Consumer<String> report;
        synchronized (this) {
            report = keeper;
            if (report == null || !dead.equals(process)) {
                return;
            }
        }
        report.accept(
                "the daemon of %s ended with code %d; starting another"
                        .formatted(netns.name(), dead.exitValue()));
        try {
            TimeUnit.MILLISECONDS.sleep(RESTART_PAUSE_MILLIS);
            synchronized (this) {
                if (keeper != null && dead.equals(process)) {
                    start();
                }
            }
            report.accept("");
        } catch (IOException e) {
            report.accept("cannot start it: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The process's number, 0 when none runs. */
    synchronized long pid() {
        return process != null && process.isAlive() ? process.pid() : 0;
    }

    /**
     * Waits until it serves.
     *
     * @throws IOException with its last answer and the end of its log when it does not
     */
    void awaitReady() throws IOException {
        String last = Await.until(READY_LIMIT, this::ready, seen -> seen.isEmpty() || pid() == 0);
        if (last.isEmpty()) {
            return;
        }
        throw new IOException(
                "the daemon of %s %s (%s); the end of its log:%n%s"
                        .formatted(
                                netns.name(),
                                pid() == 0 ? "died" : "is not ready after " + READY_LIMIT,
                                last,
                                logEnd()));
    }

    /** Empty when it serves, otherwise why it does not. */
    private String ready() {
        try {
            Http answer = Http.get(netns, URI.create(HEALTH + "/readyz"), PAGE_LIMIT);
            if (answer.status() != 200) {
                return answer.status() + " " + answer.body().strip();
            }
            // A runtime knows of the plugin from here on.
            Path configuration = folders.configurationFile();
            return Files.exists(configuration) ? "" : "ready, but without " + configuration;
        } catch (IOException e) {
            return "no answer: " + e.getMessage();
        }
    }

    /** Its status page. */
    JsonNode status() throws IOException {
        return page("/status");
    }

    /** One of its pages that are JSON. */
    JsonNode page(String path) throws IOException {
        Http answer = Http.get(netns, URI.create(HEALTH + path), PAGE_LIMIT);
        if (answer.status() != 200) {
            throw new IOException(path + " says " + answer.status() + " " + answer.body());
        }
        return JSON.readTree(answer.body());
    }

    /** Its metrics, as text. */
    String metrics() throws IOException {
        return Http.get(netns, URI.create(METRICS + "/metrics"), PAGE_LIMIT).body();
    }

    /**
     * Asks it to end (SIGTERM) and waits.
     *
     * @return its exit code; {@link Output#KILLED} when it had to be killed
     */
    int stop() throws IOException {
        Process running = release();
        if (running == null) {
            return 0;
        }
        running.destroy();
        try {
            if (running.waitFor(STOP_MILLIS, TimeUnit.MILLISECONDS)) {
                return running.exitValue();
            }
            running.destroyForcibly().waitFor();
            return Output.KILLED;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while a daemon ends", e);
        }
    }

    /** Kills it without a warning (SIGKILL). */
    void kill() throws IOException {
        Process running = release();
        if (running != null) {
            try {
                running.destroyForcibly().waitFor();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while a daemon dies", e);
            }
        }
    }

    private synchronized @Nullable Process release() {
        Process running = process;
        process = null;
        return running;
    }

    /** The last lines it logged. */
    String logEnd() {
        try {
            List<String> lines = Files.readAllLines(folders.log());
            return String.join(
                    "\n", lines.subList(Math.max(0, lines.size() - LOG_LINES_SHOWN), lines.size()));
        } catch (IOException e) {
            return "(no log: " + e.getMessage() + ")";
        }
    }
}
