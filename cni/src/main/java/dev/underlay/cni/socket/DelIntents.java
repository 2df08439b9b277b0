package dev.underlay.cni.socket;

import dev.underlay.cni.linux.Linux;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The DELs that found no daemon: one file each, written by the launcher (temporary name, then
 * rename), in {@code intents/} beside the socket. The daemon listens first, then takes what is
 * here, and looks again: a launcher writes its intent and then tries once more to connect, so
 * nothing falls between.
 */
public final class DelIntents {
    /** A launcher has ended long before; what it was writing then is nobody's. */
    private static final long EARLY_LIFE_NANOS = 60_000_000_000L;

    private static final long MAX_FILE_BYTES = 32 * 1024; // a container id may have 16 KiB

    private final Path folder;

    /**
     * @param folder {@code intents/} of the run directory; it may not exist yet
     */
    public DelIntents(Path folder) {
        this.folder = folder;
    }

    /**
     * One DEL that waits.
     *
     * @param network the configuration's name, empty if the launcher could not read it: it then
     *     fits any network
     * @param namespaceInode of the pod's network namespace, 0 if it was gone or not given
     * @param bootTimeNanos when the DEL came ({@code CLOCK_BOOTTIME}); it applies only to a lease
     *     that is older
     * @param file what {@link #consume} removes
     */
    public record DelIntent(
            String network,
            String containerId,
            String interfaceName,
            long namespaceInode,
            long bootTimeNanos,
            Path file) {}

    /**
     * All intents, oldest first. A file that cannot be understood is removed: it is not from a
     * launcher, and what it may have meant is found by reconciliation with the kernel. So is one
     * that a launcher was killed at a minute ago and more.
     */
    public List<DelIntent> list() throws IOException {
        List<DelIntent> intents = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, Files::isRegularFile)) {
            for (Path file : files) {
                if (file.getFileName().toString().startsWith(".")) {
                    removeIfLeft(file);
                    continue;
                }
                try {
                    intents.add(read(file));
                } catch (IllegalArgumentException e) {
                    Files.deleteIfExists(file);
                } catch (NoSuchFileException e) {
                    // The launcher that wrote it got its answer after all.
                }
            }
        } catch (NoSuchFileException e) {
            return List.of(); // No launcher has ever had to write one.
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        intents.sort(Comparator.comparingLong(DelIntent::bootTimeNanos));
        return intents;
    }

    /** Removes an intent that is done. Each DEL has a file of its own; a newer one stays. */
    public void consume(DelIntent intent) throws IOException {
        Files.deleteIfExists(intent.file());
    }

    /** A launcher's temporary name is a dot, when the DEL came, a dash and its process's number. */
    private static void removeIfLeft(Path early) throws IOException {
        String name = early.getFileName().toString();
        int dash = name.indexOf('-');
        try {
            long cameNanos = Long.parseLong(name.substring(1, Math.max(1, dash)));
            if (Linux.bootTimeNanos() - cameNanos > EARLY_LIFE_NANOS) {
                Files.deleteIfExists(early);
            }
        } catch (NumberFormatException e) {
            // Not a launcher's.
        }
    }

    private static DelIntent read(Path file) throws IOException {
        if (Files.size(file) > MAX_FILE_BYTES) {
            throw new IllegalArgumentException(file + " is too large");
        }
        Map<String, String> values = new HashMap<>();
        String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        for (String line : text.lines().toList()) {
            int equals = line.indexOf('=');
            if (equals > 0) {
                values.put(line.substring(0, equals), line.substring(equals + 1));
            }
        }
        String containerId = values.getOrDefault("containerId", "");
        String interfaceName = values.getOrDefault("interfaceName", "");
        if (containerId.isEmpty() || interfaceName.isEmpty()) {
            throw new IllegalArgumentException(file + " names no attachment");
        }
        return new DelIntent(
                values.getOrDefault("network", ""),
                containerId,
                interfaceName,
                Long.parseLong(values.getOrDefault("namespaceInode", "0")),
                Long.parseLong(values.getOrDefault("bootTimeNanos", "")),
                file);
    }
}
