package dev.underlay.cni.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.underlay.cni.socket.LauncherProcess.Run;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The launcher's C parsers under the sanitizers; what is tried stands in {@code fuzz.c}. */
class LauncherFuzzTest {
    @TempDir Path folder;

    @ParameterizedTest
    @ValueSource(longs = {1, 20261125})
    void no_input_leads_the_parsers_out_of_bounds(long seed) throws Exception {
        String program = folder.resolve("fuzz").toString();
        Run build =
                execute(
                        "gcc",
                        "-std=c17",
                        "-D_GNU_SOURCE",
                        "-g",
                        "-O1",
                        "-fsanitize=address,undefined",
                        "-fno-sanitize-recover=all",
                        "src/test/c/fuzz.c",
                        "-o",
                        program);
        if (build.status() != 0) {
            boolean missing = build.log().contains("cannot find") && build.log().contains("san");
            assertThat(missing).as(build.log()).isTrue();
            System.err.println("SKIPPED: the launcher's fuzz test needs gcc's sanitizer libraries");
            assumeTrue(false, "gcc's sanitizer libraries are missing");
        }
        Run run = execute(program, Long.toString(seed), "200000");
        assertThat(run.status()).as("seed %d: %s", seed, run).isZero();
    }

    private static Run execute(String... command) throws IOException {
        return LauncherProcess.execute(
                Arrays.asList(command),
                // The leak check needs ptrace, which containers forbid.
                Map.of("PATH", System.getenv("PATH"), "ASAN_OPTIONS", "detect_leaks=0"),
                new byte[0],
                true);
    }
}
