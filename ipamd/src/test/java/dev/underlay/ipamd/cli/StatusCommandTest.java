package dev.underlay.ipamd.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import org.junit.jupiter.api.Test;

class StatusCommandTest {
    @Test
    void what_a_cordon_means_is_said_as_it_is() throws JsonProcessingException {
        assertThat(table("{\"settings\": {\"cordon\": \"OPEN\"}}")).doesNotContain("cordon");
        assertThat(table("{\"settings\": {\"cordon\": \"UNKNOWN\", \"whileCordoned\": false}}"))
                .contains("cordon: unknown, nothing goes back");
        assertThat(table("{\"settings\": {\"cordon\": \"CORDONED\", \"whileCordoned\": true}}"))
                .contains("cordon: cordoned, AWS_MANAGE_ENIS_NON_SCHEDULABLE")
                .doesNotContain("nothing goes back");
    }

    @Test
    void addresses_of_both_families_stand_in_one_column() throws JsonProcessingException {
        String lease = "{\"address\": \"%s\", \"interfaceId\": \"eni-1\", \"podName\": \"\"}";
        String table =
                table(
                        "{\"node\": {\"address\": \"10.0.0.10\", \"ipv6\": \"2001:db8::10\"}, \"leases\": [%s, %s]}"
                                .formatted(
                                        lease.formatted("10.0.0.11"),
                                        lease.formatted("2001:db8:0:0:1::fffe")));
        assertThat(table).contains("10.0.0.10 2001:db8::10: ");
        assertThat(table.lines().filter(line -> line.contains("eni-1")))
                .hasSize(2)
                .allMatch(line -> line.indexOf("eni-1") == 21);
    }

    private static String table(String status) throws JsonProcessingException {
        return StatusCommand.table(new JsonMapper().readTree(status));
    }
}
