package dev.underlay.localvpc.fabric;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** One short-lived program of the system: started, fed, awaited, and believed only on exit 0. */
final class Command {
    /** No command here waits for a peer: one that takes this long hangs, and is killed. */
    private static final long LIMIT_SECONDS = 30;

    private Command() {}

    /**
     * Runs a program and returns its output.
     *
     * @param input its whole standard input, empty for none
     * @throws IOException with the program's own words when it cannot be started, fails or hangs
     */
    static String run(List<String> command, String input) throws IOException {
        String line = String.join(" ", command);
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        var _ =
                process.onExit()
                        .orTimeout(LIMIT_SECONDS, TimeUnit.SECONDS)
                        .exceptionally(_ -> process.destroyForcibly());
        // The programs used here read all of their input before they write much, so neither pipe
        // can fill up while the other waits.
        try (var stdin = process.getOutputStream()) {
            stdin.write(input.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            // It ended before it had read everything: its exit code and words say why.
        }
        try (var stdout = process.getInputStream()) {
            String output = new String(stdout.readAllBytes(), StandardCharsets.UTF_8);
            int exit = process.waitFor();
            if (exit != 0) {
                throw new IOException(
                        "%s: exit code %d: %s%s"
                                .formatted(
                                        line,
                                        exit,
                                        output.strip(),
                                        input.isEmpty() ? "" : "\nits input was:\n" + input));
            }
            return output;
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for " + line, e);
        }
    }
}
