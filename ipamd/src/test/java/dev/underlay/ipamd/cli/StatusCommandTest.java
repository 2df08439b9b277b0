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

    private static String table(String status) throws JsonProcessingException {
        return StatusCommand.table(new JsonMapper().readTree(status));
    }
}
