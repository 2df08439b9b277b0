package dev.underlay.cloud.aws;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.pool.NodeIdentity.Limits;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class InstanceLimitsTest {
    @ParameterizedTest
    @CsvSource({
        "t3.nano,2,2,true",
        "m4.large,2,10,false",
        "m5.large,3,10,true",
        "m5.metal,15,50,true",
        "p4d.24xlarge,15,50,true",
        "p5.48xlarge,2,50,true",
        "c8a.48xlarge,24,64,true"
    })
    void the_table_counts_the_default_card_alone_and_knows_xen(
            String type, int interfaces, int addresses, boolean prefixes) {
        assertThat(InstanceLimits.fromTable(type))
                .contains(new Limits(interfaces, addresses, prefixes));
    }

    @ParameterizedTest
    @CsvSource({"m5", "M5.LARGE", "m5.larg", "''", "3"})
    void a_type_must_match_as_a_whole(String type) {
        assertThat(InstanceLimits.fromTable(type)).isEmpty();
    }
}
