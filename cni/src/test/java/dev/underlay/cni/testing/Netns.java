package dev.underlay.cni.testing;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.underlay.cni.linux.Fd;
import dev.underlay.cni.linux.Linux;
import dev.underlay.cni.linux.NetworkNamespace;
import dev.underlay.cni.netlink.RouteSocket;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A fresh network namespace with its own name, removed by {@link #close()}. */
public final class Netns implements AutoCloseable {
    private static final AtomicInteger COUNTER = new AtomicInteger();
    private static final long PROGRAM_TIMEOUT_SECONDS = 20;

    private final String name;
    private final Fd fd;
    private final RouteSocket socket;

    private Netns(String name) throws IOException {
        this.name = name;
        this.fd = Linux.open("/run/netns/" + name, Linux.O_RDONLY);
        this.socket = NetworkNamespace.call(fd, RouteSocket::open);
    }

    /** Makes a namespace; without root the test is skipped with a line that says so. */
    public static Netns create(String label) throws IOException {
        boolean root = Files.isWritable(Path.of("/proc/sys/net/ipv4/ip_forward"));
        if (!root) {
            System.err.println("SKIPPED: kernel tests of cni need root for network namespaces");
        }
        assumeTrue(root, "kernel tests need root for network namespaces");
        String name =
                "ul-net-"
                        + ProcessHandle.current().pid()
                        + "-"
                        + COUNTER.incrementAndGet()
                        + "-"
                        + label;
        check(run(List.of("ip", "netns", "add", name)));
        try {
            return new Netns(name);
        } catch (IOException e) {
            run(List.of("ip", "netns", "del", name));
            throw e;
        }
    }

    /** The name under {@code /run/netns}. */
    public String name() {
        return name;
    }

    /** The namespace's file, open. */
    public Fd fd() {
        return fd;
    }

    /** The namespace's file. */
    public Path path() {
        return Path.of("/run/netns", name);
    }

    /** A route socket of the namespace, closed with it. */
    public RouteSocket socket() {
        return socket;
    }

    /** Runs code inside. */
    public <T> T call(Callable<T> body) throws IOException {
        return NetworkNamespace.call(fd, body);
    }

    /** Code that returns nothing and may fail. */
    @FunctionalInterface
    public interface Action {
        void run() throws Exception;
    }

    /** Runs code inside. */
    public void run(Action body) throws IOException {
        call(() -> {
            body.run();
            return true;
        });
    }

    /** What a program ended with. */
    public record Outcome(int status, String output) {}

    /** Runs a program inside; it must succeed. */
    public String exec(String... command) throws IOException {
        return check(tryExec(command));
    }

    /** Runs a program inside. */
    public Outcome tryExec(String... command) throws IOException {
        List<String> inside = new ArrayList<>(List.of("ip", "netns", "exec", name));
        inside.addAll(Arrays.asList(command));
        return run(inside);
    }

    /** Runs a shell line inside; it must succeed. */
    public String shell(String line) throws IOException {
        return exec("sh", "-c", line);
    }

    /** What {@code ip -json} says inside. */
    public JsonNode ip(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of("ip", "-n", name, "-json", "-details"));
        command.addAll(Arrays.asList(arguments));
        return new ObjectMapper().readTree(check(run(command)));
    }

    /** Whether one ping gets its answer. */
    public boolean pings(String address) throws IOException {
        return tryExec("ping", "-n", "-c1", "-W2", address).status() == 0;
    }

    /**
     * Everything that a pod or the node's routing could leave, sorted: links, addresses, routes,
     * rules, permanent neighbours and nftables. Without what follows a link's carrier or an IPv6
     * address a moment later.
     */
    public List<String> state() throws IOException {
        // The kernel gives an IPv6 address its local route in the background.
        return shell(
                        "exec 2>/dev/null; for i in $(seq 100); do"
                                + " [ $(ip -6 -o addr | wc -l) ="
                                + " $(ip -6 route show table local type local | wc -l) ] && break;"
                                + " sleep 0.05; done; ip -o link | sed 's/qlen.*//'; ip -o addr; ip -d route show table all;"
                                + " ip -6 -d route show table all; ip rule; ip -6 rule;"
                                + " ip neigh show nud permanent; nft -s list ruleset")
                .lines()
                .filter(l -> !l.startsWith("multicast ff00::/8"))
                .map(l ->
                        l.replaceAll(
                                "NO-CARRIER,|,LOWER_UP|state [A-Z]+ | linkdown| tentative", ""))
                .map(String::strip)
                .filter(l -> !l.isEmpty())
                .sorted()
                .toList();
    }

    private static String check(Outcome outcome) throws IOException {
        if (outcome.status() != 0) {
            throw new IOException("status " + outcome.status() + ": " + outcome.output());
        }
        return outcome.output();
    }

    private static Outcome run(List<String> command) throws IOException {
        Path output = Files.createTempFile("underlay", ".out");
        try {
            Process process =
                    new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(output.toFile())
                            .start();
            if (!process.waitFor(PROGRAM_TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException("still running: " + command);
            }
            return new Outcome(
                    process.exitValue(), Files.readString(output, StandardCharsets.UTF_8));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            Files.delete(output);
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
        fd.close();
        check(run(List.of("ip", "netns", "del", name)));
    }
}
