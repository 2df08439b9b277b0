package dev.underlay.lab;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.underlay.localvpc.fabric.Netns;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What the tests of this module need from the machine; without it they are skipped, loudly. */
final class Kernel {
    private static final List<List<String>> PROGRAMS =
            List.of(
                    List.of("ip", "-V"),
                    List.of("nft", "--version"),
                    List.of("ping", "-V"),
                    List.of("tcpdump", "--version"));

    private Kernel() {}

    /** Skips the calling test, with one line that says what is missing. */
    static void required() {
        List<String> missing = new ArrayList<>();
        for (List<String> program : PROGRAMS) {
            if (!runs(program)) {
                missing.add(program.getFirst());
            }
        }
        try {
            Netns.create("ul-probe-" + ProcessHandle.current().pid()).delete();
        } catch (IOException e) {
            missing.add("network namespaces (" + e.getMessage() + ")");
        }
        skipWithout(missing);
    }

    /** Skips the calling test where a program of its own is missing. */
    static void required(String... program) {
        skipWithout(runs(List.of(program)) ? List.of() : List.of(program[0]));
    }

    private static void skipWithout(List<String> missing) {
        if (!missing.isEmpty()) {
            System.err.println("SKIPPED kernel tests of lab, missing: " + missing);
        }
        assumeTrue(missing.isEmpty(), "missing: " + missing);
    }

    private static boolean runs(List<String> program) {
        try {
            return Output.of(
                            new ProcessBuilder(program).start(),
                            new byte[0],
                            Duration.ofSeconds(10))
                    .ok();
        } catch (IOException e) {
            return false;
        }
    }
}
