package dev.underlay.ipamd.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

final class MaxPodsCommandTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... arguments) {
        return new CommandLine(new MaxPodsCommand())
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
    }

    @Test
    void each_mode_has_its_line() {
        assertThat(run("--type", "m5.large")).isZero();

        assertThat(out.toString().lines())
                .containsExactly(
                        "m5.large: 3 interfaces of 9 addresses for pods",
                        "                        pod addresses  kubelet maxPods",
                        "secondary addresses                27               29",
                        "prefixes                          432              110");
    }

    @Test
    void custom_networking_and_max_eni_cost_interfaces() {
        assertThat(run("--type", "m5.24xlarge", "--max-eni", "5", "--custom-networking", "--json"))
                .isZero();

        assertThat(out.toString())
                .contains("\"interfaces\" : 4", "\"maxPods\" : 198", "\"maxPods\" : 250");
    }

    @Test
    void xen_takes_no_prefixes() {
        assertThat(run("--type", "m4.large")).isZero();
        assertThat(out.toString()).contains("20").contains("prefixes: none on Xen");
    }

    @Test
    void what_is_wrong_is_named() {
        assertThat(run("--type", "m5.big")).isEqualTo(CommandLine.ExitCode.USAGE);
        assertThat(err.toString()).contains("--type m5.big is not in the table");
        assertThat(run("--type", "m5.metal")).isEqualTo(CommandLine.ExitCode.USAGE);
        assertThat(err.toString()).contains("add --cpus");
        assertThat(run("--type", "m5.metal", "--cpus", "96")).isZero();
        assertThat(run("--type", "m5.large", "--max-eni", "0"))
                .isEqualTo(CommandLine.ExitCode.USAGE);
        assertThat(run("--type", "m5.large", "--max-eni", "1", "--custom-networking"))
                .isEqualTo(CommandLine.ExitCode.USAGE);
    }

    @Test
    void a_size_says_its_vcpus() {
        assertThat(MaxPodsCommand.cpusOf("m5.large")).hasValue(2);
        assertThat(MaxPodsCommand.cpusOf("m5.xlarge")).hasValue(4);
        assertThat(MaxPodsCommand.cpusOf("m5.8xlarge")).hasValue(32);
        assertThat(MaxPodsCommand.cpusOf("m7i.metal-24xl")).isEmpty();
        assertThat(List.of("t3.nano", "m7g.medium"))
                .allSatisfy(type -> assertThat(MaxPodsCommand.cpusOf(type)).hasValue(2));
    }
}
