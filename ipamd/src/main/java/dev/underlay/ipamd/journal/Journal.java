package dev.underlay.ipamd.journal;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;

/**
 * The journal's file. Appends are single writes without a disk sync: the file lies on tmpfs and
 * must outlive the process, not the kernel. One thread uses it.
 */
public final class Journal implements Closeable {
    /** Below this size the file is never rewritten: about 2,000 leases and releases. */
    static final long COMPACT_ABOVE_BYTES = 256 << 10;

    /** It is rewritten when it has grown to this many times its size after the last rewrite. */
    static final int COMPACT_AT_GROWTH = 4;

    /** A larger file is not read into memory: far beyond what 1,000 pods need. */
    static final long MAX_BYTES = 16 << 20;

    private final Path path;
    private final String bootId;
    private final JournalState state;
    private RandomAccessFile file;
    private long bytes;
    private long compactAtBytes;

    private Journal(
            Path path, String bootId, JournalState state, RandomAccessFile file, long bytes) {
        this.path = path;
        this.bootId = bootId;
        this.state = state;
        this.file = file;
        this.bytes = bytes;
        this.compactAtBytes = Math.max(COMPACT_ABOVE_BYTES, COMPACT_AT_GROWTH * bytes);
    }

    /**
     * The journal as it was found.
     *
     * @param journal ready for appends
     * @param damage what could not be read and what follows from it; empty when all was well
     */
    public record Opened(Journal journal, Optional<String> damage) {}

    /**
     * Reads the file and makes it ready for appends. Whatever its bytes are, this succeeds: what is
     * not intact is left out and reported, and a file of another boot counts as empty, because the
     * reboot took the pods with it.
     *
     * @param bootId the kernel's {@code random/boot_id}
     * @param nowNanos nanoseconds since boot
     * @throws IOException when the folder cannot be read or written; the file is as it was
     */
    public static Opened open(Path path, String bootId, long nowNanos) throws IOException {
        JournalReading reading = read(path, bootId);
        JournalState state = reading.state();
        Written written =
                reading.goesOn()
                        ? goOn(path, reading.intactBytes())
                        : writeNew(path, bootId, state, nowNanos, reading.damage().isPresent());
        return new Opened(
                new Journal(path, bootId, state, written.file(), written.bytes()),
                reading.damage());
    }

    /**
     * Adds records in one write. After a failure the file and the state are as before.
     *
     * @throws IOException when the file system refuses, for example because it is full
     */
    public void append(List<JournalRecord> records, long nowNanos) throws IOException {
        byte[] frames = frames(records);
        try {
            file.seek(bytes);
            file.write(frames);
        } catch (IOException e) {
            cutBackTo(bytes, e);
            throw new IOException(
                    "cannot write "
                            + path
                            + ": "
                            + e.getMessage()
                            + "; free space on its file system",
                    e);
        }
        bytes += frames.length;
        records.forEach(state::apply);
        if (bytes > compactAtBytes) {
            compact(nowNanos);
        }
    }

    /**
     * Takes records that the file could not take: what they tell has happened already. The next
     * rewrite of the file holds them; until then a restart sees it in the kernel.
     */
    public void remember(List<JournalRecord> records) {
        records.forEach(state::apply);
    }

    /** What the records say; changes with every append. */
    public JournalState state() {
        return state;
    }

    /** The file's size. */
    public long bytes() {
        return bytes;
    }

    @Override
    public void close() throws IOException {
        file.close();
    }

    /** Where that fails the old file goes on growing until the next try. */
    private void compact(long nowNanos) {
        try {
            Written written = writeNew(path, bootId, state, nowNanos, false);
            RandomAccessFile old = file;
            file = written.file();
            bytes = written.bytes();
            state.forgetCooled(nowNanos);
            old.close();
        } catch (IOException e) {
            // The old file is whole; a file system that is full shows itself at the next append.
        }
        compactAtBytes = Math.max(COMPACT_ABOVE_BYTES, COMPACT_AT_GROWTH * bytes);
    }

    private static JournalReading read(Path path, String bootId) throws IOException {
        if (!Files.exists(path)) {
            return JournalReading.of(new byte[0], bootId);
        }
        long size = Files.size(path);
        return size > MAX_BYTES
                ? JournalReading.ignored(size, "it is larger than a journal can be")
                : JournalReading.of(Files.readAllBytes(path), bootId);
    }

    private record Written(RandomAccessFile file, long bytes) {}

    /**
     * Write new, then rename: until then the old file is in its place, whatever fails.
     *
     * @param keepOld whether the old file stays as evidence, under another name
     */
    private static Written writeNew(
            Path path, String bootId, JournalState state, long nowNanos, boolean keepOld)
            throws IOException {
        Path next = path.resolveSibling(path.getFileName() + ".new");
        Files.deleteIfExists(next);
        RandomAccessFile file = new RandomAccessFile(next.toFile(), "rw");
        try {
            ByteArrayOutputStream content = new ByteArrayOutputStream();
            content.writeBytes(JournalFrames.header(bootId));
            content.writeBytes(frames(state.records(nowNanos)));
            file.write(content.toByteArray());
            if (keepOld) {
                Path evidence = path.resolveSibling(path.getFileName() + ".damaged");
                Files.deleteIfExists(evidence);
                Files.createLink(evidence, path);
            }
            Files.move(next, path, StandardCopyOption.ATOMIC_MOVE);
            return new Written(file, content.size());
        } catch (IOException e) {
            file.close();
            Files.deleteIfExists(next); // on a full file system it would take the space
            throw e;
        }
    }

    /**
     * The old file without its torn tail; it needs no space, so a full file system is no reason.
     */
    private static Written goOn(Path path, long intactBytes) throws IOException {
        RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw");
        file.setLength(intactBytes);
        return new Written(file, intactBytes);
    }

    private static byte[] frames(List<JournalRecord> records) {
        ByteArrayOutputStream frames = new ByteArrayOutputStream();
        for (JournalRecord change : records) {
            frames.writeBytes(JournalFrames.frame(RecordCodec.encode(change)));
        }
        return frames.toByteArray();
    }

    private void cutBackTo(long length, IOException cause) {
        try {
            file.setLength(length);
        } catch (IOException e) {
            // The next append writes over the rest, and a reader cuts it as a torn tail.
            cause.addSuppressed(e);
        }
    }
}
