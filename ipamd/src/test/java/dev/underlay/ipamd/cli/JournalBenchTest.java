package dev.underlay.ipamd.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** The benchmark's own words and codes; its figures belong to a quiet machine. */
class JournalBenchTest {
    @Test
    void a_figure_beyond_its_bound_is_a_failure() {
        JournalBench.Figure good = new JournalBench.Figure("x", 9, 40, 80, 90, 50, true);
        JournalBench.Figure bad = new JournalBench.Figure("x", 9, 60, 80, 90, 50, false);
        assertThat(good.text()).startsWith("ok ").contains("p50 40 µs", "p99 80 µs", "50 µs");
        assertThat(bad.text()).startsWith("FAIL");
    }

    @Test
    void a_folder_that_is_not_on_tmpfs_is_refused() throws Exception {
        Path disk = Path.of("/proc/self/fd");
        assertThat(Files.getFileStore(disk).type()).isNotEqualTo("tmpfs");
        StringWriter err = new StringWriter();
        int code =
                new CommandLine(new JournalBench())
                        .setErr(new PrintWriter(err, true))
                        .execute("--dir", disk.toString());
        assertThat(code).isEqualTo(2);
        assertThat(err.toString()).contains("not on tmpfs");
    }
}
