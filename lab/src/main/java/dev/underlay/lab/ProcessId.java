package dev.underlay.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;

/**
 * A process that is meant and no other: the number alone may be given to somebody else.
 *
 * @param pid the process number
 * @param startTicks when it began, in clock ticks since boot (field 22 of {@code /proc/PID/stat})
 */
record ProcessId(long pid, long startTicks) {
    private static final Pattern FIELD = Pattern.compile(" ");
    private static final int START_FIELD = 22; // proc_pid_stat(5), counted from 1
    private static final long KILL_LIMIT_SECONDS = 10;

    /** The process with that number, unless there is none. A zombie counts as none. */
    static Optional<ProcessId> of(long pid) {
        String stat;
        try {
            stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
        } catch (IOException e) {
            return Optional.empty();
        }
        // The second field is the program's name in parentheses and may hold anything.
        String[] fields = FIELD.split(stat.substring(stat.lastIndexOf(')') + 2), -1);
        if (fields[0].equals("Z") || fields[0].equals("X")) {
            return Optional.empty();
        }
        return Optional.of(new ProcessId(pid, Long.parseLong(fields[START_FIELD - 3])));
    }

    static ProcessId self() {
        return of(ProcessHandle.current().pid()).orElseThrow();
    }

    /** The inverse of {@link #toString()}; empty for a torn line and for one of another boot. */
    static Optional<ProcessId> parse(String text) {
        String[] parts = FIELD.split(text.strip(), -1);
        try {
            return parts.length == 3 && parts[2].equals(boot())
                    ? Optional.of(new ProcessId(Long.parseLong(parts[0]), Long.parseLong(parts[1])))
                    : Optional.empty();
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    boolean isAlive() {
        return of(pid).filter(this::equals).isPresent();
    }

    /** Ends it, politely first, and returns when it is gone. Nothing happens to a successor. */
    void end(long politeMillis) {
        Optional<ProcessHandle> handle = ProcessHandle.of(pid);
        // The handle keeps the start time too, so that a process that ends from here on is not
        // confused with its successor.
        if (handle.isEmpty() || !isAlive()) {
            return;
        }
        CompletableFuture<ProcessHandle> gone = handle.get().onExit();
        if (politeMillis > 0) {
            handle.get().destroy();
            if (waited(gone, politeMillis)) {
                return;
            }
        }
        handle.get().destroyForcibly();
        waited(gone, TimeUnit.SECONDS.toMillis(KILL_LIMIT_SECONDS));
    }

    private static boolean waited(CompletableFuture<ProcessHandle> gone, long millis) {
        try {
            gone.get(millis, TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public String toString() {
        return pid + " " + startTicks + " " + boot();
    }

    private static String boot() {
        try {
            return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
        } catch (IOException e) {
            throw new UncheckedIOException("/proc is not mounted", e);
        }
    }
}
