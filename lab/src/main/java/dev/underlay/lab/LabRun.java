package dev.underlay.lab;

import dev.underlay.cni.linux.Errno;
import dev.underlay.cni.linux.Linux;
import dev.underlay.cni.linux.LinuxException;
import dev.underlay.localvpc.fabric.Netns;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryStream;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * One use of this machine by the lab: an id, a folder and everything that must be gone afterwards.
 *
 * <p>A run lives as long as the process that started it. What a dead run left behind is found by
 * its folder and removed when the next one starts; a live run is never touched. Two things belong
 * to a run: network namespaces whose name begins with {@link #prefix()}, and processes that it
 * wrote down or that live in one of these namespaces.
 *
 * <p>Nothing is made before its record: the folder with its owner appears in one rename, a
 * namespace is known by its name, and a process that was started but not written down is inside a
 * namespace of the run.
 */
final class LabRun implements AutoCloseable {
    /**
     * Short, because a unix socket's path holds 107 bytes; not below {@code /run}, which many
     * distributions mount without permission to execute, and each node has its CNI binary here.
     */
    static final Path ROOT = Path.of("/var/lib/underlay-lab");

    static final Path NAMESPACES = Path.of("/run/netns"); // ip-netns(8)

    private static final String OWNER = "owner";
    private static final String PROCESSES = "processes";
    private static final String LOCK = ".lock";
    private static final int ID_LENGTH = 4;
    private static final String ID_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789";
    private static final int MNT_DETACH = 2; // sys/mount.h
    private static final long POLITE_MILLIS = 3_000;
    private static final int MAX_ROUNDS = 5;

    private final Path root;
    private final String id;
    private final Thread onExit = new Thread(this::closeAtExit);
    private boolean closed;

    private LabRun(Path root, String id) {
        this.root = root;
        this.id = id;
        Runtime.getRuntime().addShutdownHook(onExit);
    }

    /**
     * Removes what dead runs left and begins a new one.
     *
     * @throws IOException when the folder cannot be written; it needs root
     */
    static LabRun start() throws IOException {
        return start(ROOT, ProcessId.self());
    }

    static LabRun start(Path root, ProcessId owner) throws IOException {
        Files.createDirectories(root);
        return locked(
                root,
                () -> {
                    sweepDead(root);
                    String id = freeId(root);
                    Path fresh = Files.createDirectory(root.resolve(".new-" + id));
                    Files.writeString(fresh.resolve(OWNER), owner + "\n");
                    Files.createFile(fresh.resolve(PROCESSES));
                    Files.move(fresh, root.resolve(id));
                    return new LabRun(root, id);
                });
    }

    /** The ids of runs whose owner lives, in order. */
    static List<String> live(Path root) throws IOException {
        List<String> ids = new ArrayList<>();
        for (Path folder : folders(root)) {
            if (owner(folder).filter(ProcessId::isAlive).isPresent()) {
                ids.add(folder.getFileName().toString());
            }
        }
        return ids;
    }

    /** The process that holds a run, if its folder is there. */
    static Optional<ProcessId> owner(Path folder) {
        try {
            return ProcessId.parse(Files.readString(folder.resolve(OWNER)));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Removes what dead runs left; returns their ids. */
    static List<String> sweep(Path root) throws IOException {
        if (!Files.isDirectory(root)) {
            return List.of();
        }
        return locked(root, () -> sweepDead(root));
    }

    String id() {
        return id;
    }

    Path folder() {
        return root.resolve(id);
    }

    /** What the names of this run's namespaces begin with. */
    String prefix() {
        return prefix(id);
    }

    private static String prefix(String id) {
        return "ul-" + id + "-";
    }

    /**
     * Starts a program of this run in a namespace and writes it down, so that it is ended whatever
     * happens to this process. Nothing starts any more once the run is being closed.
     */
    synchronized Process launch(Netns netns, ProcessBuilder program) throws IOException {
        if (closed) {
            throw new IOException(
                    "the run " + id + " is closed: " + program.command() + " stays off");
        }
        Process process = netns.call(program::start);
        record(process);
        return process;
    }

    /** Writes a process down. */
    void record(Process process) throws IOException {
        Optional<ProcessId> it = ProcessId.of(process.pid());
        if (it.isPresent()) {
            Files.writeString(
                    folder().resolve(PROCESSES), it.get() + "\n", StandardOpenOption.APPEND);
        }
    }

    /**
     * Ends the run's processes and removes its namespaces and its folder. Idempotent; happens by
     * itself when this process ends in any way but a kill.
     */
    @Override
    public synchronized void close() throws IOException {
        if (!closed) {
            closed = true;
            if (Thread.currentThread() != onExit) {
                forgetExit();
            }
            locked(
                    root,
                    () -> {
                        remove(folder());
                        return id;
                    });
        }
    }

    private void forgetExit() {
        try {
            Runtime.getRuntime().removeShutdownHook(onExit);
        } catch (IllegalStateException e) {
            // The process is ending; the other thread finds the run closed.
        }
    }

    private void closeAtExit() {
        try {
            close();
        } catch (IOException e) {
            System.err.println("underlay: cannot remove " + folder() + ": " + e.getMessage());
        }
    }

    private static List<String> sweepDead(Path root) throws IOException {
        List<String> removed = new ArrayList<>();
        for (Path folder : folders(root)) {
            if (owner(folder).filter(ProcessId::isAlive).isEmpty()) {
                remove(folder);
                removed.add(folder.getFileName().toString());
            }
        }
        // Only this method's callers make them, under the same lock: whoever was at it is dead.
        try (DirectoryStream<Path> half = Files.newDirectoryStream(root, ".new-*")) {
            for (Path folder : half) {
                deleteTree(folder);
            }
        }
        return removed;
    }

    private static void remove(Path folder) throws IOException {
        String prefix = prefix(folder.getFileName().toString());
        // More than one round: a process that was about to start another one may have done so.
        Set<ProcessId> doomed = processes(folder, prefix);
        for (int round = 0; round < MAX_ROUNDS && !doomed.isEmpty(); round++) {
            doomed.parallelStream().forEach(p -> p.end(POLITE_MILLIS));
            doomed = processes(folder, prefix);
        }
        for (Path namespace : namespaces(prefix)) {
            removeNamespace(namespace);
        }
        deleteTree(folder);
    }

    private static Set<ProcessId> processes(Path folder, String prefix) throws IOException {
        Set<ProcessId> all = inside(prefix);
        all.addAll(recorded(folder));
        all.remove(ProcessId.self());
        return all;
    }

    private static Set<ProcessId> recorded(Path folder) throws IOException {
        Set<ProcessId> found = new HashSet<>();
        try {
            for (String line : Files.readAllLines(folder.resolve(PROCESSES))) {
                ProcessId.parse(line).filter(ProcessId::isAlive).ifPresent(found::add);
            }
        } catch (NoSuchFileException e) {
            return found; // A removal that was cut off got this far.
        }
        return found;
    }

    /** Processes whose network namespace is one with this prefix. */
    private static Set<ProcessId> inside(String prefix) throws IOException {
        Set<String> links = new HashSet<>();
        for (Path namespace : namespaces(prefix)) {
            links.add("net:[" + Files.getAttribute(namespace, "unix:ino") + "]");
        }
        Set<ProcessId> found = new HashSet<>();
        if (links.isEmpty()) {
            return found;
        }
        ProcessHandle.allProcesses()
                .forEach(process -> {
                    try {
                        Path link = Path.of("/proc/" + process.pid() + "/ns/net");
                        if (links.contains(Files.readSymbolicLink(link).toString())) {
                            ProcessId.of(process.pid()).ifPresent(found::add);
                        }
                    } catch (IOException e) {
                        // It ended, or it is a kernel thread.
                    }
                });
        return found;
    }

    /** The namespaces whose name begins so. */
    static List<Path> namespaces(String prefix) throws IOException {
        List<Path> found = new ArrayList<>();
        if (Files.isDirectory(NAMESPACES)) {
            try (DirectoryStream<Path> all = Files.newDirectoryStream(NAMESPACES, prefix + "*")) {
                all.forEach(found::add);
            }
        }
        found.sort(Comparator.naturalOrder());
        return found;
    }

    private static void removeNamespace(Path file) throws IOException {
        try {
            Linux.check("unmount " + file, c -> c.umount2(file.toString(), MNT_DETACH));
        } catch (LinuxException e) {
            // EINVAL: the file was made and nothing was mounted on it yet.
            if (e.errno() != Errno.EINVAL && e.errno() != Errno.ENOENT) {
                throw e;
            }
        }
        Files.deleteIfExists(file);
    }

    private static List<Path> folders(Path root) throws IOException {
        List<Path> found = new ArrayList<>();
        if (Files.isDirectory(root)) {
            try (DirectoryStream<Path> all =
                    Files.newDirectoryStream(root, "?".repeat(ID_LENGTH))) {
                for (Path path : all) {
                    if (Files.isDirectory(path)) {
                        found.add(path);
                    }
                }
            }
        }
        found.sort(Comparator.naturalOrder());
        return found;
    }

    private static String freeId(Path root) throws IOException {
        SplittableRandom random = new SplittableRandom();
        while (true) {
            StringBuilder id = new StringBuilder();
            for (int i = 0; i < ID_LENGTH; i++) {
                id.append(ID_LETTERS.charAt(random.nextInt(ID_LETTERS.length())));
            }
            if (!Files.exists(root.resolve(id.toString()))
                    && namespaces(prefix(id.toString())).isEmpty()) {
                return id.toString();
            }
        }
    }

    private static void deleteTree(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        Files.walkFileTree(
                folder,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                            throws IOException {
                        Files.deleteIfExists(file);
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(Path dir, IOException failure)
                            throws IOException {
                        Files.deleteIfExists(dir);
                        return FileVisitResult.CONTINUE;
                    }
                });
    }

    @FunctionalInterface
    private interface Step<T> {
        T run() throws IOException;
    }

    /** Runs one step at a time among all processes of this machine and threads of this one. */
    private static <T> T locked(Path root, Step<T> step) throws IOException {
        synchronized (LabRun.class) {
            try (FileChannel file =
                            FileChannel.open(
                                    root.resolve(LOCK),
                                    StandardOpenOption.CREATE,
                                    StandardOpenOption.WRITE);
                    FileLock lock = file.lock()) {
                if (!lock.isValid()) {
                    throw new IOException("lost the lock " + root.resolve(LOCK));
                }
                return step.run();
            } catch (UncheckedIOException e) {
                throw e.getCause();
            }
        }
    }
}
