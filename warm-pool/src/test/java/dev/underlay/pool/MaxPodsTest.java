package dev.underlay.pool;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class MaxPodsTest {
    /** G53 and others of the same table, as the AWS VPC CNI and EKS's calculator have them. */
    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "t3.nano,      2,  2, 2,   4,   3,  34,  34",
        "t3.medium,    2,  3, 6,   17,  12, 242, 110",
        "m5.large,     2,  3, 10,  29,  20, 434, 110",
        "m5.xlarge,    4,  4, 15,  58,  44, 898, 110",
        "m7g.medium,   1,  2, 4,   8,   5,  98,  98",
        "m5.12xlarge,  48, 8, 30,  234, 205, 3714, 250",
        "m5.24xlarge,  96, 15, 50, 737, 688, 11762, 250",
    })
    void golden_vector_g53(
            String type,
            int cpus,
            int interfaces,
            int addresses,
            long single,
            long custom,
            long prefixAddresses,
            long prefixes) {
        NodeIdentity.Limits limits = new NodeIdentity.Limits(interfaces, addresses);
        BlockKind one = BlockKind.SECONDARY_ADDRESS;
        assertThat(MaxPods.of(limits, interfaces, one, cpus))
                .describedAs(type)
                .isEqualTo(new MaxPods(single - 2, single));
        assertThat(MaxPods.of(limits, interfaces - 1, one, cpus).kubelet()).isEqualTo(custom);
        assertThat(MaxPods.of(limits, interfaces, BlockKind.PREFIX_28, cpus))
                .isEqualTo(new MaxPods(prefixAddresses - 2, prefixes));
    }
}
