package dev.underlay.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

/** A node to which the cluster sends no pods, and one of which that is not known. */
final class CordonTest {
    private static final long LONG = 3 * Timing.QUIET_NANOS;

    private static TestNode node(Map<String, String> settings) {
        return new TestNode(Fixtures.M5_LARGE, TestNode.settings(settings));
    }

    /** The VPC CNI takes a node for open when it cannot read it, and detaches. */
    @Test
    void nothing_goes_back_while_the_node_is_cordoned_or_nobody_knows() {
        for (Cordon cordon : new Cordon[] {Cordon.CORDONED, Cordon.UNKNOWN}) {
            TestNode node = node(Map.of());
            node.pods(24);
            node.cordon = cordon;
            node.pods(0);
            node.pass(LONG);
            assertThat(node.shape()).isEqualTo("3 interfaces, 27 addresses, 27 free [9, 9, 9]");
            node.cordon = Cordon.OPEN;
            node.pass(LONG);
            assertThat(node.shape()).isEqualTo("1 interfaces, 8 addresses, 8 free [8]");
        }
    }

    @Test
    void a_cordoned_node_keeps_nothing_warm_and_serves_who_comes() {
        for (String target : new String[] {"WARM_ENI_TARGET", "WARM_IP_TARGET"}) {
            TestNode node = node(Map.of(target, "1"));
            node.cordon = Cordon.CORDONED;
            int held = node.counts().total();
            node.pods(held);
            assertThat(node.counts().total()).isEqualTo(held);
            assertThat(node.outlook()).isInstanceOf(Outlook.Coming.class);
            node.pods(held + 1);
            assertThat(node.waiting()).isZero();
            assertThat(node.counts().total()).isEqualTo(held + 1);
        }
    }

    @Test
    void a_node_that_nobody_knows_to_be_cordoned_grows_as_ever() {
        TestNode node = node(Map.of("WARM_IP_TARGET", "5"));
        node.cordon = Cordon.UNKNOWN;
        node.pods(4);
        assertThat(node.shape()).isEqualTo("1 interfaces, 9 addresses, 5 free [9]");
    }

    @Test
    void a_setting_says_that_cordons_do_not_matter() {
        TestNode node = node(Map.of("AWS_MANAGE_ENIS_NON_SCHEDULABLE", "true"));
        node.cordon = Cordon.CORDONED;
        node.pods(24);
        node.pods(0);
        node.pass(LONG);
        assertThat(node.shape()).isEqualTo("1 interfaces, 8 addresses, 8 free [8]");
    }
}
