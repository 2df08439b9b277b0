package dev.underlay.ipamd.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The command on files, as a user calls it. */
final class SimulateCommandTest {
    private static final String HEADER = "pod_id,node,start_s,end_s\n";

    @TempDir private Path folder = Path.of("");
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... arguments) {
        CommandLine line = new CommandLine(new SimulateCommand());
        line.setOut(new PrintWriter(out));
        line.setErr(new PrintWriter(err));
        return line.execute(arguments);
    }

    private String file(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text).toString();
    }

    private String gzipped(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        try (OutputStream zip = new GZIPOutputStream(Files.newOutputStream(file))) {
            zip.write(text.getBytes(StandardCharsets.UTF_8));
        }
        return file.toString();
    }

    /** An idle m5.large: 8 addresses with no setting, 9 with the VPC CNI. */
    @Test
    void an_idle_node_in_figures() throws IOException {
        String trace = gzipped("idle.csv.gz", HEADER + "a,0,999,1000\n");
        assertThat(run("--json", "--trace", trace)).isZero();
        JsonNode document = new JsonMapper().readTree(out.toString());
        assertThat(document.path("seed").asLong()).isEqualTo(1);
        assertThat(document.path("instanceType").asText()).isEqualTo("m5.large");
        JsonNode one = document.path("traces").path(0);
        assertThat(one.path("pods").asInt()).isOne();
        assertThat(one.path("seconds").asInt()).isEqualTo(1000);
        assertThat(one.path("underlay").path("meanIdle").asDouble())
                .isCloseTo(8 - 0.001, within(1e-9));
        assertThat(one.path("vpcCni").path("meanIdle").asDouble()).isBetween(8.99, 9.05);
        assertThat(one.path("ratios").path("meanIdle").asDouble()).isBetween(0.88, 0.89);
        assertThat(one.path("ratios").path("podSecondsWaited").isNull()).isTrue();
        assertThat(one.path("underlay").path("failedAdds").asInt()).isZero();
        assertThat(one.path("underlay").path("changes").path("burst").asInt()).isEqualTo(50);
    }

    @Test
    void traces_are_compared_one_after_another() throws IOException {
        String first = file("first.csv", HEADER + "a,0,10,20\n");
        String second = file("second.csv", HEADER + "a,0,-1,\nb,1,5,60");
        assertThat(run("--type", "m5.xlarge", "--seed", "7", "--trace", first, second)).isZero();
        assertThat(out.toString())
                .contains("first.csv: 1 pods on 1 nodes in 0.0 days; m5.xlarge, seed 7")
                .contains("second.csv: 2 pods on 2 nodes")
                .contains("idle addresses, mean")
                .contains("changes, most tokens of 50 used");
    }

    @Test
    void a_bad_line_is_named_with_its_file() throws IOException {
        String good = file("good.csv", HEADER + "a,0,1,2\n");
        String bad = gzipped("bad.csv.gz", HEADER + "a,0,1,2\nb,0,x,2\n");
        assertThat(run("--trace", good, bad)).isEqualTo(65);
        assertThat(err.toString())
                .contains("bad.csv.gz, line 3: start_s is \"x\"; it must be a whole number");
    }

    @Test
    void what_cannot_be_read_is_named() throws IOException {
        assertThat(run("--trace", folder + "/none.csv")).isEqualTo(65);
        assertThat(err.toString()).contains("none.csv: there is no such file");
        assertThat(run("--trace", file("empty.csv", ""))).isEqualTo(65);
        assertThat(err.toString()).contains("empty.csv: it is empty");
        assertThat(run("--trace", folder.toString())).isEqualTo(65);
        assertThat(err.toString()).contains("it cannot be read: Is a directory");
    }

    @Test
    void a_file_without_line_ends_takes_no_memory() throws IOException {
        String endless = gzipped("endless.csv.gz", "a".repeat(10_000_000));
        assertThat(run("--trace", endless)).isEqualTo(65);
        assertThat(err.toString()).contains("line 1: it is longer than 1000 characters");
    }

    @Test
    void half_a_zipped_file_is_said_to_be_cut() throws IOException {
        StringBuilder rows = new StringBuilder(HEADER);
        for (int i = 0; i < 20_000; i++) {
            rows.append("pod-").append(i).append(",0,").append(i).append(",\n");
        }
        byte[] whole = Files.readAllBytes(Path.of(gzipped("whole.csv.gz", rows.toString())));
        Path half = folder.resolve("half.csv.gz");
        Files.write(half, Arrays.copyOf(whole, whole.length / 2));
        assertThat(run("--trace", half.toString())).isEqualTo(65);
        assertThat(err.toString()).contains("half.csv.gz, after line ").contains("Unexpected end");
    }

    @Test
    void a_wrong_command_line_is_refused() throws IOException {
        assertThat(run("--trace", file("a.csv", HEADER), "--type", "m5.tiny")).isEqualTo(2);
        assertThat(err.toString()).contains("m5.tiny: no such instance type is known");
        assertThat(run()).isEqualTo(2);
    }
}
