package dev.underlay.cloud.aws;

import static dev.underlay.cloud.aws.Expect.done;
import static dev.underlay.cloud.aws.Expect.refused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.localvpc.Faults.Fault;
import dev.underlay.localvpc.LocalVpc;
import dev.underlay.localvpc.VpcSpec;
import dev.underlay.localvpc.VpcSpec.SubnetSpec;
import dev.underlay.localvpc.state.Eni;
import dev.underlay.localvpc.state.Instance;
import dev.underlay.pool.BlockKind;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudAnswer;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.InterfaceRequest;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.NodeIdentity;
import dev.underlay.pool.Refusal;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** IPv6 prefixes against the strict VPC: its rules, its words, and answers that get lost. */
final class StrictVpcIpv6Test {
    private static final SubnetSpec IPV4_ALONE = new SubnetSpec("10.0.0.0/24", "us-east-1a");

    private LocalVpc vpc;
    private Instance instance;
    private AwsCloudNetwork network;

    @BeforeEach
    void start() throws IOException {
        start("m5.large", VpcSpec.loopback(new StrictVpcTest.NoPackets()).withIpv6());
    }

    private void start(String type, VpcSpec spec) throws IOException {
        vpc = LocalVpc.start(spec);
        instance = vpc.launchInstance(type, vpc.subnets().getFirst().id());
        network =
                new AwsCloudNetwork(
                        StrictVpcTest.settings(vpc),
                        CloudCallListener.NONE,
                        CallPolicy.EC2,
                        CallPolicy.METADATA,
                        Runnable::run);
    }

    private void restart(String type, SubnetSpec... subnets) throws IOException {
        stop();
        VpcSpec spec = VpcSpec.loopback(new StrictVpcTest.NoPackets()).withIpv6();
        start(type, subnets.length == 0 ? spec : spec.withSubnets(List.of(subnets)));
    }

    @AfterEach
    void stop() {
        network.close();
        vpc.close();
    }

    private CloudAnswer<List<Cidr>> assign(int count) {
        return network.assignBlocks(instance.primaryInterfaceId(), BlockKind.PREFIX_80, count);
    }

    private CloudAnswer<List<Cidr>> unassign(List<Cidr> blocks) {
        return network.unassignBlocks(instance.primaryInterfaceId(), blocks);
    }

    private Eni primary() {
        return vpc.interfaces().stream()
                .filter(eni -> eni.id().equals(instance.primaryInterfaceId()))
                .findFirst()
                .orElseThrow();
    }

    /** What the strict VPC says is delegated, in the pool's words. */
    private List<Cidr> prefixes() {
        return primary().ipv6Prefixes().stream()
                .map(block -> Cidr.parse(block.toString()))
                .sorted()
                .toList();
    }

    @Test
    void a_node_knows_its_own_address_and_does_not_take_it_for_a_pod_s() {
        NodeIdentity node = done(network.identify());
        IpAddress own = IpAddress.parse(primary().ipv6Addresses().getFirst().addressText());
        assertThat(node.primaryIpv6()).hasValue(own);
        assertThat(node.networkCidrs())
                .containsExactly(Cidr.parse("10.0.0.0/16"), Cidr.parse("2001:db8:0:100::/56"));
        assertThat(done(network.networkCidrs())).isEqualTo(node.networkCidrs());
        assertThat(done(network.describeInterfaces()).getFirst().blocks()).isEmpty();
        vpc.assertClean();
    }

    @Test
    void a_prefix_is_assigned_described_and_given_back_and_once_more_does_no_harm() {
        List<Cidr> added = done(assign(1));
        assertThat(added)
                .isEqualTo(prefixes())
                .singleElement()
                .extracting(Cidr::prefixLength)
                .isEqualTo(80);
        assertThat(done(network.describeInterfaces()).getFirst().blocks()).isEqualTo(added);
        assertThat(done(unassign(added))).isEqualTo(added);
        assertThat(prefixes()).isEmpty();
        assertThat(done(unassign(added))).isEqualTo(added);
        vpc.assertClean();
    }

    @Test
    void what_a_foreign_hand_took_is_gone_and_the_rest_is_given_back() {
        List<Cidr> added = done(assign(2));
        vpc.console().unassign(primary(), List.of(primary().ipv6Prefixes().getFirst()));
        assertThat(done(unassign(added))).isEqualTo(added);
        assertThat(prefixes()).isEmpty();
    }

    @Test
    void both_families_are_given_back_in_one_go() {
        String id = instance.primaryInterfaceId();
        List<Cidr> ipv4 = done(network.assignBlocks(id, BlockKind.SECONDARY_ADDRESS, 1));
        List<Cidr> ipv6 = done(assign(1));
        List<Cidr> both = List.of(ipv4.getFirst(), ipv6.getFirst());
        assertThat(done(unassign(both))).containsExactlyInAnyOrderElementsOf(both);
        assertThat(primary().blocks()).isEqualTo(primary().ipv6Addresses());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_call_whose_answer_is_lost_has_its_effect_once(boolean truncated) {
        Fault lost = truncated ? new Fault.Truncate() : new Fault.DropAfter();
        done(network.describeInterfaces());
        vpc.dials().faults().next("AssignIpv6Addresses", lost);
        List<Cidr> added = done(assign(1));
        assertThat(added).isEqualTo(prefixes()).hasSize(1);
        vpc.dials().faults().next("UnassignIpv6Addresses", lost);
        assertThat(done(unassign(added))).isEqualTo(added);
        assertThat(prefixes()).isEmpty();
    }

    @Test
    void an_answer_that_lists_all_is_no_second_grant() {
        vpc.dials().assignListsAll(true);
        List<Cidr> first = done(assign(1));
        List<Cidr> second = done(assign(1));
        assertThat(second).hasSize(1).doesNotContainAnyElementsOf(first);
        assertThat(prefixes()).hasSize(2);
    }

    /** Ten slots of IPv6, of which the node's own address has one; those of IPv4 are apart. */
    @Test
    void an_interface_that_is_full_gets_nothing_of_what_does_not_fit() {
        String id = instance.primaryInterfaceId();
        assertThat(done(network.assignBlocks(id, BlockKind.SECONDARY_ADDRESS, 9))).hasSize(9);
        assertThat(done(assign(8))).hasSize(8);
        assertThat(refused(assign(2)).refusal()).isEqualTo(Refusal.INTERFACE_FULL);
        assertThat(prefixes()).hasSize(8);
        assertThat(done(assign(1))).hasSize(1);
    }

    @Test
    void a_new_interface_has_its_prefix_from_the_start() {
        CloudInterface made =
                done(
                        network.createInterface(
                                new InterfaceRequest("wish-1", BlockKind.PREFIX_80, 1)));
        assertThat(made.blocks()).singleElement().extracting(Cidr::prefixLength).isEqualTo(80);
        assertThat(done(network.attachInterface(made.id(), 1)).blocks()).isEqualTo(made.blocks());
    }

    @Test
    void a_type_that_takes_no_prefix_is_named() throws IOException {
        restart("m4.large");
        assertThat(done(network.identify()).limits().prefixes()).isFalse();
        CloudAnswer.Refused<List<Cidr>> no = refused(assign(1));
        assertThat(no.refusal()).isEqualTo(Refusal.MISCONFIGURED);
        assertThat(no.message()).contains("AssignIpv6Addresses", "m4.large");
    }

    @Test
    void a_subnet_without_ipv6_is_named_before_ec2_is_asked() throws IOException {
        restart("m5.large", IPV4_ALONE);
        assertThat(done(network.identify()).primaryIpv6()).isEmpty();
        CloudAnswer.Refused<List<Cidr>> no = refused(assign(1));
        assertThat(no.refusal()).isEqualTo(Refusal.MISCONFIGURED);
        assertThat(no.message())
                .contains(instance.subnet().id(), "no IPv6 CIDR", "unset ENABLE_IPv6");
        assertThat(vpc.ledger().counts().keySet())
                .noneMatch(call -> call.action().equals("AssignIpv6Addresses"));
    }

    @Test
    void a_missing_permission_names_the_action() {
        vpc.dials().deny("AssignIpv6Addresses");
        CloudAnswer.Refused<List<Cidr>> no = refused(assign(1));
        assertThat(no.refusal()).isEqualTo(Refusal.NOT_PERMITTED);
        assertThat(no.message()).contains("ec2:AssignIpv6Addresses");
    }
}
