package dev.underlay.pool.tune;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TraceParserTest {
    private static TraceParser parser(String... lines) {
        TraceParser parser = new TraceParser();
        for (String line : lines) {
            parser.line(line);
        }
        return parser;
    }

    @Test
    void a_trace() {
        Trace trace =
                parser("pod_id,node,start_s,end_s", "a,0,-1,", "b,3,5,9", "", "c,0,7,7\r").finish();
        assertThat(trace.pods())
                .containsExactly(
                        new Trace.Pod(0, Trace.RUNNING, OptionalLong.empty()),
                        new Trace.Pod(3, 5, OptionalLong.of(9)),
                        new Trace.Pod(0, 7, OptionalLong.of(7)));
        assertThat(trace.nodes()).isEqualTo(2);
        assertThat(trace.endSeconds()).isEqualTo(9);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "a,0,1            | it has 3 columns",
                "a,0,1,2,3        | it has 5 columns",
                "a,x,1,2          | node is \"x\"",
                "a,-1,1,2         | node is \"-1\"",
                "a,5000,1,2       | whole number from 0 to 4999",
                "a,0,-2,2         | start_s is \"-2\"",
                "a,0,,2           | start_s is \"\"",
                "a,0,1.5,2        | start_s is \"1.5\"",
                "a,0,1,end        | end_s is \"end\"",
                "a,0,1,99999999999999999999 | end_s is \"99999999999999999999\"",
                "a,0,9,8          | end_s 8 is before start_s 9",
            })
    void a_bad_row_is_refused_by_the_name_of_its_column(String row, String message) {
        TraceParser parser = parser("pod_id,node,start_s,end_s");
        assertThatThrownBy(() -> parser.line(row))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(message);
    }

    @Test
    void what_is_no_trace_is_refused() {
        assertThatThrownBy(() -> parser("a,0,1,2")).hasMessageContaining("the first line must be");
        assertThatThrownBy(() -> parser().finish()).hasMessageContaining("it is empty");
        assertThatThrownBy(() -> parser("pod_id,node,start_s,end_s").finish())
                .hasMessageContaining("no pod");
    }
}
