package dev.underlay.lab;

import dev.underlay.localvpc.fabric.Netns;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * What a finished program left.
 *
 * @param exitCode its code; {@link #KILLED} when it was ended at its limit
 * @param out standard output
 * @param err standard error
 */
record Output(int exitCode, String out, String err) {
    static final int KILLED = 137; // 128 + SIGKILL, as a shell says it
    private static final Duration SHORT = Duration.ofSeconds(20);

    boolean ok() {
        return exitCode == 0;
    }

    /** The one line that tells most: the last of standard error, or else of standard output. */
    String lastLine() {
        String text = err.isBlank() ? out.strip() : err.strip();
        return text.substring(text.lastIndexOf('\n') + 1);
    }

    /** Runs a short-lived program inside a namespace to its end. */
    static Output inside(Netns namespace, String... command) throws IOException {
        return inside(namespace, new ProcessBuilder(command), new byte[0], SHORT);
    }

    /** Runs a program inside: a child inherits the namespace of the thread that starts it. */
    static Output inside(Netns namespace, ProcessBuilder program, byte[] input, Duration limit)
            throws IOException {
        return of(namespace.call(program::start), input, limit);
    }

    /** Feeds a program that was just started and waits for its end, which it enforces. */
    static Output of(Process process, byte[] input, Duration limit) throws IOException {
        CompletableFuture<String> out = reading(process.getInputStream());
        CompletableFuture<String> err = reading(process.getErrorStream());
        Thread.ofVirtual().start(() -> feed(process, input));
        try {
            boolean ended = process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
            if (!ended) {
                process.destroyForcibly().waitFor();
            }
            return new Output(ended ? process.exitValue() : KILLED, out.join(), err.join());
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for " + process.info(), e);
        }
    }

    private static void feed(Process process, byte[] input) {
        try (OutputStream in = process.getOutputStream()) {
            in.write(input);
        } catch (IOException e) {
            // It ended without reading all; its own words say why.
        }
    }

    private static CompletableFuture<String> reading(InputStream stream) {
        CompletableFuture<String> text = new CompletableFuture<>();
        Thread.ofVirtual()
                .start(() -> {
                    try (stream) {
                        text.complete(new String(stream.readAllBytes(), StandardCharsets.UTF_8));
                    } catch (IOException e) {
                        text.complete("");
                    }
                });
        return text;
    }
}
