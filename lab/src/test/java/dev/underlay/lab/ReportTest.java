package dev.underlay.lab;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.underlay.lab.Report.Broken;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

/** A report is ok only if something was looked at and all of it held. */
final class ReportTest {
    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
    private final Report report =
            new Report(new PrintStream(printed, true, StandardCharsets.UTF_8));

    @Test
    void the_json_holds_every_check_with_its_evidence() throws IOException {
        report.check("water is wet", () -> "touched it");
        report.check(
                "ice is warm",
                () -> {
                    throw new Broken("-1 degrees");
                });

        JsonNode json = new ObjectMapper().readTree(report.json(48));

        assertThat(json.toString())
                .isEqualTo(
                        "{\"ok\":false,\"pods\":48,\"checks\":["
                                + "{\"name\":\"water is wet\",\"ok\":true,\"evidence\":\"touched it\"},"
                                + "{\"name\":\"ice is warm\",\"ok\":false,\"evidence\":\"-1 degrees\"}]}");
        assertThat(printed.toString(StandardCharsets.UTF_8))
                .contains("ok    water is wet", "FAIL  ice is warm", "-1 degrees");
    }

    @Test
    void a_look_that_throws_fails_and_the_next_one_is_made() {
        assertThat(
                        report.check(
                                "a bug",
                                () -> {
                                    throw new IllegalStateException("index 7");
                                }))
                .isFalse();
        assertThat(report.check("the rest", () -> "fine")).isTrue();

        assertThat(report.ok()).isFalse();
        assertThat(report.checks().getFirst().evidence()).contains("index 7");
        assertThat(report.summary(1, 2)).contains("1 of 2 checks do not hold", "a bug");
    }

    @Test
    void an_empty_report_is_not_ok() {
        assertThat(report.ok()).isFalse();
    }
}
