package dev.underlay.localvpc;

import static dev.underlay.localvpc.Rig.codeOf;
import static dev.underlay.localvpc.Rig.errorOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.underlay.localvpc.VpcSpec.SubnetSpec;
import dev.underlay.localvpc.state.Instance;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.ec2.model.AssignIpv6AddressesResponse;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;

/** IPv6 addresses and prefixes on the wire, their rules, and what the fabric hears of them. */
class Ipv6RulesTest {
    private Rig rig = new Rig(VpcSpec::withIpv6);

    @AfterEach
    void stop() {
        rig.close();
    }

    private String primary() {
        return rig.node.primaryInterfaceId();
    }

    private AssignIpv6AddressesResponse assignPrefixes(String id, int count) {
        return rig.ec2.assignIpv6Addresses(r -> r.networkInterfaceId(id).ipv6PrefixCount(count));
    }

    private NetworkInterface describe(String id) {
        return rig.ec2
                .describeNetworkInterfaces(r -> r.networkInterfaceIds(id))
                .networkInterfaces()
                .get(0);
    }

    @Test
    void an_instance_has_an_address_of_each_family_and_every_answer_says_so() {
        String own = rig.blocks(primary()).get(0);
        assertThat(own).startsWith("2001:db8:0:100:");
        assertThat(rig.fabric.mapped(primary()))
                .containsExactly(
                        rig.node.primaryAddress().getHostAddress() + "/32",
                        rig.eni(primary()).blocks().get(0).address().getHostAddress() + "/128");
        NetworkInterface described = describe(primary());
        assertThat(described.ipv6Address()).isEqualTo(own);
        assertThat(described.ipv6Addresses())
                .extracting(one -> one.ipv6Address())
                .containsExactly(own);
        var instance = rig.ec2.describeInstances().reservations().get(0).instances().get(0);
        assertThat(instance.ipv6Address()).isEqualTo(own);
        assertThat(instance.networkInterfaces().get(0).ipv6Addresses())
                .extracting(one -> one.ipv6Address())
                .containsExactly(own);
        assertThat(rig.ec2.describeSubnets().subnets())
                .extracting(subnet -> subnet.ipv6CidrBlockAssociationSet().get(0).ipv6CidrBlock())
                .containsExactlyInAnyOrder("2001:db8:0:100::/64", "2001:db8:0:101::/64");
        assertThat(rig.ec2.describeVpcs().vpcs().get(0).ipv6CidrBlockAssociationSet())
                .extracting(one -> one.ipv6CidrBlock())
                .containsExactly("2001:db8:0:100::/56");
    }

    @Test
    void a_prefix_is_mapped_from_assign_to_unassign() {
        AssignIpv6AddressesResponse answer = assignPrefixes(primary(), 1);
        String prefix = answer.assignedIpv6Prefixes().get(0);
        assertThat(answer.networkInterfaceId()).isEqualTo(primary());
        assertThat(answer.assignedIpv6Addresses()).isEmpty();
        assertThat(prefix).startsWith("2001:db8:0:100:").endsWith("::/80");
        assertThat(describe(primary()).ipv6Prefixes())
                .extracting(one -> one.ipv6Prefix())
                .containsExactly(prefix);
        assertThat(
                        rig.ec2
                                .describeInstances()
                                .reservations()
                                .get(0)
                                .instances()
                                .get(0)
                                .networkInterfaces()
                                .get(0)
                                .ipv6Prefixes())
                .extracting(one -> one.ipv6Prefix())
                .containsExactly(prefix);
        assertThat(rig.fabric.mapped(primary())).hasSize(3).element(2).asString().endsWith("/80");
        var gone =
                rig.ec2.unassignIpv6Addresses(
                        r -> r.networkInterfaceId(primary()).ipv6Prefixes(prefix));
        assertThat(gone.unassignedIpv6Prefixes()).containsExactly(prefix);
        assertThat(gone.unassignedIpv6Addresses()).isEmpty();
        assertThat(rig.fabric.mapped(primary())).hasSize(2);
        assertThat(
                        codeOf(() ->
                                rig.ec2.unassignIpv6Addresses(
                                        r -> r.networkInterfaceId(primary()).ipv6Prefixes(prefix))))
                .isEqualTo("InvalidParameterValue");
        rig.vpc.assertClean();
    }

    @Test
    void single_addresses_come_by_count_and_by_name() {
        String id = rig.create(0);
        String drawn =
                rig.ec2
                        .assignIpv6Addresses(r -> r.networkInterfaceId(id).ipv6AddressCount(1))
                        .assignedIpv6Addresses()
                        .get(0);
        String named = "2001:db8:0:100::77";
        rig.ec2.assignIpv6Addresses(r -> r.networkInterfaceId(id).ipv6Addresses(named));
        assertThat(rig.blocks(id)).containsExactly(drawn, named);
        assertThat(
                        codeOf(() ->
                                rig.ec2.assignIpv6Addresses(
                                        r -> r.networkInterfaceId(primary()).ipv6Addresses(named))))
                .isEqualTo("InvalidIPAddress.InUse");
        assertThat(
                        codeOf(() ->
                                rig.ec2.assignIpv6Addresses(r ->
                                        r.networkInterfaceId(id)
                                                .ipv6Prefixes("2001:db8:0:100::/80"))))
                .as("the prefix that holds the subnet's own addresses")
                .isEqualTo("InvalidParameterValue");
        rig.ec2.unassignIpv6Addresses(r -> r.networkInterfaceId(id).ipv6Addresses(named));
        assertThat(rig.blocks(id)).containsExactly(drawn);
    }

    @Test
    void an_interface_is_made_with_ipv6_and_carries_it_when_it_is_attached() {
        NetworkInterface made =
                rig.ec2
                        .createNetworkInterface(r ->
                                r.subnetId(rig.subnetA)
                                        .secondaryPrivateIpAddressCount(1)
                                        .ipv6PrefixCount(1))
                        .networkInterface();
        assertThat(made.privateIpAddresses()).hasSize(2);
        assertThat(made.ipv6Prefixes()).hasSize(1);
        assertThat(made.ipv6Address()).isNull();
        rig.attach(made.networkInterfaceId(), 1);
        assertThat(rig.fabric.mapped(made.networkInterfaceId()))
                .hasSize(3)
                .element(2)
                .asString()
                .endsWith("/80");
        assertThat(
                        rig.ec2
                                .createNetworkInterface(
                                        r -> r.subnetId(rig.subnetA).ipv6AddressCount(2))
                                .networkInterface()
                                .ipv6Addresses())
                .hasSize(2);
    }

    /** An m5.large has 10 of each; the node's own address takes one of them. */
    @Test
    void each_family_has_slots_of_its_own() {
        assignPrefixes(primary(), 9);
        assertThat(codeOf(() -> assignPrefixes(primary(), 1)))
                .isEqualTo("PrivateIpAddressLimitExceeded");
        rig.ec2.assignPrivateIpAddresses(
                r -> r.networkInterfaceId(primary()).secondaryPrivateIpAddressCount(9));
        String full = rig.create(0);
        assignPrefixes(full, 11);
        assertThat(codeOf(() -> rig.attach(full, 1))).isEqualTo("PrivateIpAddressLimitExceeded");
        assertThat(codeOf(() -> assignPrefixes(full, 40)))
                .isEqualTo("PrivateIpAddressLimitExceeded");
        assertThat(rig.blocks(full)).hasSize(11);
    }

    @Test
    void a_type_that_is_not_on_nitro_takes_addresses_and_no_prefix() {
        Instance old = rig.vpc.launchInstance("m4.large", rig.subnetA);
        assertThat(
                        errorOf(() -> assignPrefixes(old.primaryInterfaceId(), 1))
                                .awsErrorDetails()
                                .errorMessage())
                .contains("m4.large");
        String prefixed = rig.create(0);
        assignPrefixes(prefixed, 1);
        assertThat(
                        codeOf(() ->
                                rig.ec2.attachNetworkInterface(r ->
                                        r.networkInterfaceId(prefixed)
                                                .instanceId(old.id())
                                                .deviceIndex(1))))
                .isEqualTo("InvalidParameterValue");
        assertThat(
                        rig.ec2
                                .assignIpv6Addresses(r ->
                                        r.networkInterfaceId(old.primaryInterfaceId())
                                                .ipv6AddressCount(1))
                                .assignedIpv6Addresses())
                .hasSize(1);
    }

    @Test
    void a_subnet_without_ipv6_gives_none_and_its_instances_have_none() {
        rig.close();
        List<SubnetSpec> without = List.of(new SubnetSpec("10.0.0.0/24", "us-east-1a"));
        rig = new Rig(spec -> spec.withIpv6().withSubnets(without));
        assertThat(rig.blocks(primary())).isEmpty();
        var refused = errorOf(() -> assignPrefixes(primary(), 1)).awsErrorDetails();
        assertThat(refused.errorCode()).isEqualTo("InvalidParameterValue");
        assertThat(refused.errorMessage()).contains(rig.subnetA, "no IPv6 CIDR");
        assertThat(
                        codeOf(() ->
                                rig.ec2.createNetworkInterface(r ->
                                        r.subnetId(rig.subnetA)
                                                .secondaryPrivateIpAddressCount(3)
                                                .ipv6PrefixCount(1))))
                .isEqualTo("InvalidParameterValue");
        assertThat(rig.vpc.freeAddresses(rig.subnetA)).as("nothing is kept").isEqualTo(250);
        assertThat(rig.ec2.describeSubnets().subnets().get(0).ipv6CidrBlockAssociationSet())
                .isEmpty();
    }

    @Test
    void a_family_and_a_way_are_not_mixed() {
        assertThat(
                        codeOf(() ->
                                rig.ec2.assignIpv6Addresses(r ->
                                        r.networkInterfaceId(primary())
                                                .ipv6AddressCount(1)
                                                .ipv6PrefixCount(1))))
                .isEqualTo("InvalidParameterCombination");
        for (String other : List.of("10.0.0.77", "2001:db8:0:100:7::/80")) {
            assertThat(
                            codeOf(() ->
                                    rig.ec2.assignIpv6Addresses(r ->
                                            r.networkInterfaceId(primary()).ipv6Addresses(other))))
                    .as(other)
                    .isEqualTo("InvalidParameterValue");
        }
        assertThat(codeOf(() -> rig.ec2.assignIpv6Addresses(r -> r.networkInterfaceId(primary()))))
                .isEqualTo("MissingParameter");
        String own = rig.blocks(primary()).get(0);
        assertThat(
                        codeOf(() ->
                                rig.ec2.unassignPrivateIpAddresses(r ->
                                        r.networkInterfaceId(primary()).privateIpAddresses(own))))
                .isEqualTo("InvalidParameterValue");
    }

    @Test
    void a_description_follows_an_assign_later() {
        rig.dials.lag(Lag.DESCRIBE, Duration.ofSeconds(2));
        rig.advance(Duration.ofSeconds(3));
        assignPrefixes(primary(), 1);
        assertThat(describe(primary()).ipv6Prefixes()).isEmpty();
        rig.advance(Duration.ofSeconds(2));
        assertThat(describe(primary()).ipv6Prefixes()).hasSize(1);
    }

    @Test
    void an_answer_can_list_all_of_its_family() {
        rig.dials.assignListsAll(true);
        assignPrefixes(primary(), 1);
        AssignIpv6AddressesResponse second = assignPrefixes(primary(), 1);
        assertThat(second.assignedIpv6Prefixes()).hasSize(2);
        assertThat(second.assignedIpv6Addresses()).hasSize(1);
        assertThat(
                        rig.ec2
                                .assignPrivateIpAddresses(r ->
                                        r.networkInterfaceId(primary())
                                                .secondaryPrivateIpAddressCount(1))
                                .assignedPrivateIpAddresses())
                .hasSize(2);
    }

    @Test
    void a_subnet_s_ipv6_block_is_a_64_of_the_vpc_s_own() {
        VpcSpec good = VpcSpec.loopback(new RecordingFabric()).withIpv6();
        for (String bad : List.of("2001:db8:0:200::/64", "2001:db8:0:100::/60", "10.0.0.0/24")) {
            VpcSpec spec =
                    good.withSubnets(List.of(new SubnetSpec("10.0.0.0/24", "us-east-1a", bad)));
            assertThatThrownBy(() -> LocalVpc.start(spec))
                    .as(bad)
                    .isInstanceOf(IllegalArgumentException.class);
        }
        VpcSpec twice =
                good.withSubnets(
                        List.of(
                                new SubnetSpec("10.0.0.0/24", "us-east-1a", "2001:db8:0:100::/64"),
                                new SubnetSpec(
                                        "10.0.1.0/24", "us-east-1b", "2001:db8:0:100::/64")));
        assertThatThrownBy(() -> LocalVpc.start(twice)).hasMessageContaining("two subnets");
    }
}
