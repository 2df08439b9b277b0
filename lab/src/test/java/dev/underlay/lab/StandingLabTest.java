package dev.underlay.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A lab stays after its command, mends itself, and goes without a trace, also when it is killed.
 */
@Tag("kernel")
final class StandingLabTest {
    private static final Duration RESTARTED = Duration.ofSeconds(10);

    @Test
    void a_lab_stays_replaces_a_dead_daemon_and_goes() throws IOException {
        Kernel.required();
        LabFile lab = up();
        try {
            LabFile.Node node = lab.nodes().getFirst();
            assertThat(lab("exec", lab.id() + "/node-1", "--", "ip", "-4", "address").out())
                    .contains(node.address());
            assertThat(lab("status", "--json").out())
                    .contains("\"lab\" : \"" + lab.id() + "\"", node.socket(), node.cniConfFile());

            long pid = node.daemonPid();
            ProcessHandle.of(pid).orElseThrow().destroyForcibly();

            long next =
                    Await.until(
                            RESTARTED,
                            () -> read(lab.id()).nodes().getFirst().daemonPid(),
                            now -> now != pid && now != 0);
            assertThat(next).isNotEqualTo(pid).isPositive();
        } finally {
            assertThat(lab("down", lab.id()).out()).contains("lab " + lab.id() + " is down");
        }
        nothingIsLeftOf(lab);
        assertThat(lab("down", lab.id()).exitCode()).isEqualTo(1);
    }

    @Test
    void a_lab_whose_process_was_killed_is_no_longer_up_and_is_swept() throws Exception {
        Kernel.required();
        LabFile lab = up();
        ProcessId owner = LabRun.owner(LabRun.ROOT.resolve(lab.id())).orElseThrow();

        owner.end(0);

        assertThat(lab("status", "--json").out()).doesNotContain(lab.id());
        LabRun.start().close();
        nothingIsLeftOf(lab);
    }

    private static void nothingIsLeftOf(LabFile lab) throws IOException {
        assertThat(LabRun.ROOT.resolve(lab.id())).doesNotExist();
        assertThat(LabRun.namespaces("ul-" + lab.id() + "-")).isEmpty();
        assertThat(
                        ProcessHandle.allProcesses()
                                .filter(p ->
                                        p.info().commandLine().orElse("").contains(runDir(lab))))
                .isEmpty();
    }

    private static String runDir(LabFile lab) {
        return lab.nodes().getFirst().runDir();
    }

    private static LabFile up() throws IOException {
        Output up = lab("up", "--nodes", "1", "--latency", "none");
        assertThat(up.exitCode()).describedAs(up.err()).isZero();
        String first = up.out().lines().findFirst().orElse("");
        assertThat(first).matches("lab [a-z0-9]{4} is up:");
        return read(first.substring(4, 8));
    }

    private static LabFile read(String id) throws IOException {
        return LabFile.read(LabRun.ROOT.resolve(id));
    }

    /** Runs the command line in a process of its own, as the front door does. */
    private static Output lab(String... arguments) throws IOException {
        Programs programs = OneNode.programs();
        List<String> command =
                new ArrayList<>(
                        List.of(
                                Programs.java(),
                                "--enable-native-access=ALL-UNNAMED",
                                "-cp",
                                System.getProperty("java.class.path"),
                                Lab.class.getName(),
                                "--ipamd",
                                programs.ipamd().toString(),
                                "--launcher",
                                programs.launcher().toString(),
                                "lab"));
        Collections.addAll(command, arguments);
        return Output.of(new ProcessBuilder(command).start(), new byte[0], Duration.ofMinutes(2));
    }
}
