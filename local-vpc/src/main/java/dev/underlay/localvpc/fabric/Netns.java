package dev.underlay.localvpc.fabric;

import dev.underlay.cni.linux.Fd;
import dev.underlay.cni.linux.Linux;
import dev.underlay.cni.linux.NetworkNamespace;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

/**
 * A named network namespace under {@code /run/netns}, where {@code ip netns} and {@code nsenter}
 * see it too. A value that names it, not a handle: it holds nothing open. All methods block and may
 * be called from any thread; the caller's own namespace never changes.
 *
 * @param name the file's name in {@code /run/netns}
 */
public record Netns(String name) {
    private static final Path FOLDER = Path.of("/run/netns");

    /** How long a killed process may take to be gone before {@link #delete()} gives up on it. */
    private static final long KILL_SECONDS = 10;

    public Netns {
        if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,199}")) {
            throw new IllegalArgumentException(
                    "namespace name '"
                            + name
                            + "' is not a plain file name of 1 to 200 characters");
        }
    }

    /**
     * Makes a new namespace with its loopback up.
     *
     * @throws IOException when the name is taken or the kernel refuses, for example without root
     */
    public static Netns create(String name) throws IOException {
        Netns netns = new Netns(name);
        Command.run(List.of("ip", "netns", "add", name), "");
        netns.ip("link set lo up");
        return netns;
    }

    /** All namespaces whose names start with a prefix, in the order of their names. */
    public static List<Netns> startingWith(String prefix) throws IOException {
        List<Netns> found = new ArrayList<>();
        if (Files.isDirectory(FOLDER)) {
            try (DirectoryStream<Path> files =
                    Files.newDirectoryStream(
                            FOLDER, f -> f.getFileName().toString().startsWith(prefix))) {
                files.forEach(f -> found.add(new Netns(f.getFileName().toString())));
            }
        }
        found.sort((a, b) -> a.name.compareTo(b.name));
        return found;
    }

    /** The namespace's file. */
    public Path path() {
        return FOLDER.resolve(name);
    }

    /** Whether the name stands for a namespace at this moment. */
    public boolean exists() {
        return Files.exists(path());
    }

    /** Opens the namespace's file; while it is open the namespace outlives its name. */
    public Fd open() throws IOException {
        return Linux.open(path().toString(), Linux.O_RDONLY);
    }

    /** Runs {@code body} on a thread inside; sockets that it opens stay in the namespace. */
    public <T> T call(Callable<T> body) throws IOException {
        try (Fd fd = open()) {
            return NetworkNamespace.call(fd, body);
        }
    }

    /**
     * A program to be started inside, with {@code /sys} of the namespace. The started process is
     * the program itself: its id is the program's, and a signal to it reaches the program.
     */
    public ProcessBuilder process(List<String> command) {
        List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", name));
        all.addAll(command);
        return new ProcessBuilder(all);
    }

    /**
     * Runs a short-lived program inside and returns its output.
     *
     * @throws IOException with the program's words when it fails
     */
    public String run(String... command) throws IOException {
        return Command.run(process(List.of(command)).command(), "");
    }

    /**
     * Runs {@code ip} commands inside, one a line, in one process; the first that fails ends it.
     *
     * @return what they print
     */
    public String ip(String... lines) throws IOException {
        return Command.run(List.of("ip", "-n", name, "-batch", "-"), String.join("\n", lines));
    }

    /** Applies an nftables script inside as one transaction. */
    public void nft(String script) throws IOException {
        Command.run(List.of("nsenter", "--net=" + path(), "nft", "-f", "-"), script);
    }

    /**
     * Sets kernel parameters inside.
     *
     * @param settings such as {@code net/ipv4/ip_forward=1}; slashes, because names of links may
     *     hold dots
     */
    public void sysctl(String... settings) throws IOException {
        // /proc/sys/net shows the namespace of the thread that opens the file.
        call(() -> {
            for (String setting : settings) {
                int equals = setting.indexOf('=');
                Files.writeString(
                        Path.of("/proc/sys", setting.substring(0, equals)),
                        setting.substring(equals + 1));
            }
            return settings.length;
        });
    }

    /**
     * Kills what runs inside, as a machine that loses its power does, and deletes the name; nothing
     * happens when it is gone already. The kernel frees the links a moment later.
     */
    public void delete() throws IOException {
        if (!exists()) {
            return;
        }
        List<ProcessHandle> inside =
                Command.run(List.of("ip", "netns", "pids", name), "")
                        .lines()
                        .flatMap(pid -> ProcessHandle.of(Long.parseLong(pid.strip())).stream())
                        .toList();
        inside.forEach(ProcessHandle::destroyForcibly);
        for (ProcessHandle process : inside) {
            try {
                process.onExit().orTimeout(KILL_SECONDS, TimeUnit.SECONDS).join();
            } catch (CompletionException e) {
                throw new IOException(
                        "process %d in %s does not die".formatted(process.pid(), name), e);
            }
        }
        Command.run(List.of("ip", "netns", "delete", name), "");
    }

    /**
     * Deletes every namespace whose name starts with a prefix, and kills what runs inside: for what
     * an earlier run left behind. Goes on past failures and reports them together.
     */
    public static void deleteAll(String prefix) throws IOException {
        if (prefix.isEmpty()) {
            throw new IllegalArgumentException("an empty prefix names everybody's namespaces");
        }
        UncheckedIOException failure = null;
        for (Netns netns : startingWith(prefix)) {
            try {
                netns.delete();
            } catch (IOException e) {
                if (failure == null) {
                    failure = new UncheckedIOException(e);
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure != null) {
            throw new IOException("cannot delete all namespaces of " + prefix, failure);
        }
    }
}
