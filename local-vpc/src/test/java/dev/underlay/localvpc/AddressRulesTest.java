package dev.underlay.localvpc;

import static dev.underlay.localvpc.Rig.codeOf;
import static dev.underlay.localvpc.Rig.errorOf;
import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.localvpc.Dials.FullSubnet;
import dev.underlay.localvpc.VpcSpec.SubnetSpec;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.services.ec2.model.AssignPrivateIpAddressesRequest;
import software.amazon.awssdk.services.ec2.model.CreateNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.PrivateIpAddressSpecification;

/** EC2's rules of addresses, prefixes and their limits; each is broken once. */
class AddressRulesTest {
    private static final VpcSpec.SubnetSpec SMALL = new SubnetSpec("10.0.0.0/28", "us-east-1a");

    private Rig rig = new Rig();

    @AfterEach
    void stop() {
        rig.close();
    }

    @Test
    void an_address_has_one_owner_until_the_subnet_is_full() {
        restart(List.of(new SubnetSpec("10.0.0.0/26", "us-east-1a")));
        Set<String> seen = new HashSet<>(Set.of(rig.node.primaryAddress().getHostAddress()));
        // 64 addresses, 5 of EC2's own, 1 of the node: 58 are left.
        for (int i = 0; i < 2; i++) {
            var made =
                    rig.ec2
                            .createNetworkInterface(
                                    r -> r.subnetId(rig.subnetA).secondaryPrivateIpAddressCount(28))
                            .networkInterface();
            made.privateIpAddresses()
                    .forEach(a -> assertThat(seen.add(a.privateIpAddress())).isTrue());
        }

        assertThat(seen).hasSize(59);
        assertThat(seen)
                .doesNotContain("10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.63");
        assertThat(rig.vpc.freeAddresses(rig.subnetA)).isZero();
        var full = errorOf(() -> rig.create(0));
        assertThat(full.awsErrorDetails().errorCode())
                .isEqualTo("InsufficientFreeAddressesInSubnet");
        assertThat(full.awsErrorDetails().errorMessage())
                .isEqualTo(
                        "The specified subnet does not have enough free addresses to satisfy the"
                                + " request.");
        assertThat(full.statusCode()).isEqualTo(400);
    }

    @Test
    void a_full_subnet_can_answer_with_the_other_code() {
        rig.dials.fullSubnet(FullSubnet.PARAMETER_VALUE);
        rig.dials.exhaust(rig.subnetA);

        var full = errorOf(() -> rig.create(0));
        assertThat(full.awsErrorDetails().errorCode()).isEqualTo("InvalidParameterValue");
        assertThat(full.awsErrorDetails().errorMessage())
                .startsWith("There aren't sufficient free Ipv4 addresses or prefixes");
    }

    @Test
    void a_subnet_that_was_told_to_be_full_gives_nothing_until_it_is_replenished() {
        String id = rig.create(0);
        rig.dials.exhaust(rig.subnetA);

        assertThat(codeOf(() -> rig.create(0))).isEqualTo("InsufficientFreeAddressesInSubnet");
        assertThat(codeOf(() -> assign(id, 1))).isEqualTo("InsufficientFreeAddressesInSubnet");
        assertThat(codeOf(() -> assignPrefixes(id, 1))).isEqualTo("InsufficientCidrBlocks");
        assertThat(available()).isZero();

        rig.dials.replenish(rig.subnetA);
        assign(id, 1);
        assertThat(available()).isEqualTo(248);
    }

    @Test
    void a_count_that_does_not_fit_assigns_none() {
        restart(List.of(SMALL));
        String id = rig.create(4);
        // 16 - 5 of EC2's own - 1 of the node - 5 of the interface.
        assertThat(available()).isEqualTo(5);

        assertThat(codeOf(() -> assign(id, 6))).isEqualTo("InsufficientFreeAddressesInSubnet");
        assertThat(codeOf(() -> rig.create(5))).isEqualTo("InsufficientFreeAddressesInSubnet");
        assertThat(available()).isEqualTo(5);
        assertThat(rig.blocks(id)).hasSize(4);

        assertThat(codeOf(() -> assign(id, "10.0.0.14", "10.0.0.15")))
                .isEqualTo("InvalidParameterValue");
        assertThat(available()).isEqualTo(5);
        assign(id, 5);
        assertThat(available()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"10.0.0.0", "10.0.0.3", "10.0.0.255", "10.0.1.9", "192.168.0.1"})
    void addresses_of_ec2_and_of_elsewhere_are_refused(String address) {
        String id = rig.create(0);

        assertThat(codeOf(() -> create(r -> r.privateIpAddress(address))))
                .isEqualTo("InvalidParameterValue");
        assertThat(errorOf(() -> assign(id, address)).awsErrorDetails().errorMessage())
                .contains("invalid value for parameter address: " + address);
    }

    @Test
    void an_address_in_use_is_refused() {
        String primary = rig.node.primaryAddress().getHostAddress();
        String id = rig.create(0);

        assertThat(codeOf(() -> create(r -> r.privateIpAddress(primary))))
                .isEqualTo("InvalidIPAddress.InUse");
        assertThat(codeOf(() -> assign(id, primary))).isEqualTo("InvalidIPAddress.InUse");
    }

    @Test
    void an_address_of_another_interface_moves_only_if_the_caller_says_so() {
        String from = rig.create(1);
        String to = rig.create(0);
        rig.attach(from, 1);
        rig.attach(to, 2);
        String address = rig.blocks(from).get(0);

        assertThat(codeOf(() -> assign(to, address))).isEqualTo("InvalidIPAddress.InUse");
        rig.ec2.assignPrivateIpAddresses(
                r -> r.networkInterfaceId(to).privateIpAddresses(address).allowReassignment(true));

        assertThat(rig.blocks(from)).isEmpty();
        assertThat(rig.blocks(to)).containsExactly(address);
        assertThat(rig.fabric.mapped(from)).doesNotContain(address + "/32");
        assertThat(rig.fabric.mapped(to)).contains(address + "/32");
        String elsewhere =
                rig.ec2
                        .createNetworkInterface(
                                r -> r.subnetId(rig.subnetB).secondaryPrivateIpAddressCount(1))
                        .networkInterface()
                        .networkInterfaceId();
        String foreign = rig.blocks(elsewhere).get(0);
        assertThat(
                        codeOf(() ->
                                rig.ec2.assignPrivateIpAddresses(r ->
                                        r.networkInterfaceId(to)
                                                .privateIpAddresses(foreign)
                                                .allowReassignment(true))))
                .isEqualTo("InvalidParameterValue");
        assertThat(rig.blocks(elsewhere)).containsExactly(foreign);
        String primary = rig.eni(from).primary().toString();
        assertThat(
                        codeOf(() ->
                                rig.ec2.assignPrivateIpAddresses(r ->
                                        r.networkInterfaceId(to)
                                                .privateIpAddresses(primary)
                                                .allowReassignment(true))))
                .isEqualTo("InvalidIPAddress.InUse");
    }

    @Test
    void an_assign_answers_only_what_is_new_unless_told_otherwise() {
        String id = rig.create(1);
        String old = rig.blocks(id).get(0);
        var again =
                rig.ec2.assignPrivateIpAddresses(
                        r -> r.networkInterfaceId(id).privateIpAddresses(old, "10.0.0.77"));
        assertThat(again.assignedPrivateIpAddresses())
                .extracting(a -> a.privateIpAddress())
                .containsExactly("10.0.0.77");

        rig.dials.assignListsAll(true);
        var all =
                rig.ec2.assignPrivateIpAddresses(
                        r -> r.networkInterfaceId(id).secondaryPrivateIpAddressCount(1));
        assertThat(all.assignedPrivateIpAddresses())
                .extracting(a -> a.privateIpAddress())
                .hasSize(4)
                .contains(old, rig.eni(id).primary().toString());
    }

    @Test
    void prefixes_are_aligned_whole_and_clear_of_ec2s_own_addresses() {
        String id = rig.create(0);

        assertThat(codeOf(() -> assignPrefix(id, "10.0.0.0/28")))
                .isEqualTo("InvalidParameterValue");
        assertThat(codeOf(() -> assignPrefix(id, "10.0.0.240/28")))
                .isEqualTo("InvalidParameterValue");
        assertThat(codeOf(() -> assignPrefix(id, "10.0.0.17/28")))
                .isEqualTo("InvalidParameterValue");
        assertThat(codeOf(() -> assignPrefix(id, "10.0.0.32/27")))
                .isEqualTo("InvalidParameterValue");
        assertThat(codeOf(() -> assign(id, "10.0.0.32/28"))).isEqualTo("InvalidParameterValue");

        rig.vpc.console().takeAddress(rig.subnetA, "10.0.0.40");
        assertThat(codeOf(() -> assignPrefix(id, "10.0.0.32/28")))
                .isEqualTo("InvalidIPAddress.InUse");
        assignPrefix(id, "10.0.0.48/28");
        assertThat(codeOf(() -> assign(id, "10.0.0.50"))).isEqualTo("InvalidIPAddress.InUse");
    }

    @Test
    void a_24_holds_14_prefixes_and_a_28_none() {
        restart(
                List.of(
                        new SubnetSpec("10.0.0.0/28", "us-east-1a"),
                        new SubnetSpec("10.0.1.0/24", "us-east-1b")));
        String inB =
                rig.ec2
                        .createNetworkInterface(
                                r -> r.subnetId(rig.subnetB).privateIpAddress("10.0.1.4"))
                        .networkInterface()
                        .networkInterfaceId();
        var all = assignPrefixes(inB, 14);

        assertThat(all).hasSize(14).doesNotContain("10.0.1.0/28", "10.0.1.240/28");
        assertThat(codeOf(() -> assignPrefixes(inB, 1))).isEqualTo("InsufficientCidrBlocks");
        // 256 - 5 - 1 primary - 14 * 16
        assertThat(rig.vpc.freeAddresses(rig.subnetB)).isEqualTo(26);
        assertThat(codeOf(() -> create(r -> r.ipv4PrefixCount(1))))
                .isEqualTo("InsufficientCidrBlocks");
    }

    @Test
    void a_fragmented_subnet_has_no_prefix_though_it_has_hundreds_of_addresses() {
        for (int third = 16; third < 240; third += 16) {
            rig.vpc.console().takeAddress(rig.subnetA, "10.0.0." + (third + 8));
        }
        String id = rig.create(0);

        assertThat(available()).isGreaterThan(200);
        var error = errorOf(() -> assignPrefixes(id, 1)).awsErrorDetails();
        assertThat(error.errorCode()).isEqualTo("InsufficientCidrBlocks");
        assertThat(error.errorMessage()).contains("does not have enough free cidr blocks");
        assign(id, 1);
    }

    @Test
    void prefixes_come_from_the_range_reserved_for_them_and_addresses_never() {
        rig.vpc.console().reserve(rig.subnetA, "10.0.0.32/27", true);
        rig.vpc.console().reserve(rig.subnetA, "10.0.0.128/25", false);
        String id = rig.create(0);

        assertThat(assignPrefixes(id, 2)).containsExactlyInAnyOrder("10.0.0.32/28", "10.0.0.48/28");
        // 10.0.0.16 to 31 and 64 to 127: at most 5 whole prefixes are left.
        assertThat(codeOf(() -> assignPrefixes(id, 6))).isEqualTo("InsufficientCidrBlocks");
        assertThat(rig.create(40)).isNotEmpty();
        assertThat(rig.vpc.interfaces())
                .flatExtracting(eni -> eni.blocks())
                .filteredOn(block -> block.isAddress())
                .allSatisfy(block ->
                        assertThat(block.address().getAddress()[3])
                                .isBetween((byte) 4, (byte) 127));
        assign(id, "10.0.0.200");
    }

    @Test
    void an_address_rests_before_it_is_drawn_again() {
        restart(List.of(SMALL));
        rig.dials.lag(Lag.ADDRESS_REUSE, Duration.ofSeconds(30));
        String id = rig.create(9);
        String freed = rig.blocks(id).get(3);
        rig.ec2.unassignPrivateIpAddresses(r -> r.networkInterfaceId(id).privateIpAddresses(freed));

        assertThat(available()).isEqualTo(1);
        assertThat(codeOf(() -> assign(id, 1))).isEqualTo("InsufficientFreeAddressesInSubnet");
        rig.advance(Duration.ofSeconds(30));
        assertThat(assign(id, 1)).containsExactly(freed);
    }

    @Test
    void addresses_are_drawn_at_random_from_the_seed_or_lowest_first() {
        String random = rig.create(9);
        List<String> drawn = rig.blocks(random);
        restart(VpcSpec.loopback(rig.fabric).subnets());
        assertThat(rig.blocks(rig.create(9))).isEqualTo(drawn);
        assertThat(drawn).isNotEqualTo(drawn.stream().sorted().toList());

        rig.dials.lowestAddressFirst(true);
        String lowest = rig.create(2);
        assertThat(rig.blocks(lowest)).isSortedAccordingTo(String::compareTo);
        assertThat(rig.eni(lowest).primary().toString()).isEqualTo("10.0.0.4");
    }

    @Test
    void the_types_limit_counts_primary_secondaries_and_prefixes() {
        String id = rig.create(0);
        rig.attach(id, 1);
        assign(id, 7);
        assignPrefixes(id, 1);

        var error = errorOf(() -> assign(id, 2)).awsErrorDetails();
        assertThat(error.errorCode()).isEqualTo("PrivateIpAddressLimitExceeded");
        assertThat(error.errorMessage())
                .isEqualTo("Number of private addresses will exceed limit.");
        assertThat(codeOf(() -> assignPrefixes(id, 2))).isEqualTo("PrivateIpAddressLimitExceeded");
        assign(id, 1);
        assertThat(codeOf(() -> assign(id, 1))).isEqualTo("PrivateIpAddressLimitExceeded");
        assertThat(codeOf(() -> assignPrefixes(id, 1))).isEqualTo("PrivateIpAddressLimitExceeded");
        // What it has already takes no slot.
        assign(id, rig.blocks(id).get(0));
    }

    @Test
    void an_interface_that_is_too_full_for_the_instance_cannot_be_attached() {
        String id = rig.create(10);

        assertThat(codeOf(() -> rig.attach(id, 1))).isEqualTo("PrivateIpAddressLimitExceeded");
        assertThat(codeOf(() -> rig.create(50))).isEqualTo("PrivateIpAddressLimitExceeded");
        assertThat(codeOf(() -> assign(id, 40))).isEqualTo("PrivateIpAddressLimitExceeded");
    }

    @Test
    void xen_instances_take_no_prefixes_but_bare_metal_does() {
        var xen = rig.vpc.launchInstance("m4.large", rig.subnetA);
        var metal = rig.vpc.launchInstance("m5.metal", rig.subnetA);

        assertThat(codeOf(() -> assignPrefixes(xen.primaryInterfaceId(), 1)))
                .isEqualTo("InvalidParameterValue");
        assertThat(assignPrefixes(metal.primaryInterfaceId(), 1)).hasSize(1);
        String id =
                rig.ec2
                        .createNetworkInterface(r -> r.subnetId(rig.subnetA).ipv4PrefixCount(1))
                        .networkInterface()
                        .networkInterfaceId();
        assertThat(
                        codeOf(() ->
                                rig.ec2.attachNetworkInterface(r ->
                                        r.networkInterfaceId(id)
                                                .instanceId(xen.id())
                                                .deviceIndex(1))))
                .isEqualTo("InvalidParameterValue");
    }

    @Test
    void only_one_of_the_four_ways_may_be_used() {
        String id = rig.create(0);

        assertThat(
                        codeOf(() ->
                                create(r ->
                                        r.secondaryPrivateIpAddressCount(1).ipv4PrefixCount(1))))
                .isEqualTo("InvalidParameterCombination");
        assertThat(
                        codeOf(() ->
                                assign(r ->
                                        r.networkInterfaceId(id)
                                                .privateIpAddresses("10.0.0.9")
                                                .secondaryPrivateIpAddressCount(1))))
                .isEqualTo("InvalidParameterCombination");
        assertThat(
                        codeOf(() ->
                                assign(r ->
                                        r.networkInterfaceId(id)
                                                .ipv4Prefixes("10.0.0.32/28")
                                                .ipv4PrefixCount(1))))
                .isEqualTo("InvalidParameterCombination");
        assertThat(codeOf(() -> assign(r -> r.networkInterfaceId(id))))
                .isEqualTo("MissingParameter");
        assertThat(codeOf(() -> assign(id, 0))).isEqualTo("InvalidParameterValue");
        assertThat(codeOf(() -> assign(id, -1))).isEqualTo("InvalidParameterValue");
        assertThat(codeOf(() -> assignPrefixes(id, -1))).isEqualTo("InvalidParameterValue");
    }

    @Test
    void an_interface_has_one_primary_address() {
        assertThat(
                        codeOf(() ->
                                create(r ->
                                        r.privateIpAddresses(
                                                primary("10.0.0.8"), primary("10.0.0.9")))))
                .isEqualTo("InvalidParameterCombination");
        assertThat(codeOf(() -> create(r -> r.privateIpAddress("ten"))))
                .isEqualTo("InvalidParameterValue");
    }

    @Test
    void an_unassign_takes_all_or_none_and_never_the_primary() {
        String id = rig.create(2);
        List<String> blocks = rig.blocks(id);
        String primary = rig.eni(id).primary().toString();

        assertThat(codeOf(() -> unassign(id, blocks.get(0), "10.0.0.250")))
                .isEqualTo("InvalidParameterValue");
        assertThat(codeOf(() -> unassign(id, primary))).isEqualTo("InvalidParameterValue");
        assertThat(codeOf(() -> unassign(id))).isEqualTo("MissingParameter");
        assertThat(rig.blocks(id)).isEqualTo(blocks);
        unassign(id, blocks.get(0));
        assertThat(rig.blocks(id)).containsExactly(blocks.get(1));
    }

    private void restart(List<SubnetSpec> subnets) {
        rig.close();
        rig = new Rig(spec -> spec.withSubnets(subnets));
    }

    private int available() {
        return rig.ec2
                .describeSubnets(r -> r.subnetIds(rig.subnetA))
                .subnets()
                .get(0)
                .availableIpAddressCount();
    }

    private void create(java.util.function.Consumer<CreateNetworkInterfaceRequest.Builder> more) {
        rig.ec2.createNetworkInterface(r -> {
            r.subnetId(rig.subnetA);
            more.accept(r);
        });
    }

    private void assign(java.util.function.Consumer<AssignPrivateIpAddressesRequest.Builder> how) {
        rig.ec2.assignPrivateIpAddresses(how);
    }

    private List<String> assign(String id, int count) {
        return rig
                .ec2
                .assignPrivateIpAddresses(
                        r -> r.networkInterfaceId(id).secondaryPrivateIpAddressCount(count))
                .assignedPrivateIpAddresses()
                .stream()
                .map(a -> a.privateIpAddress())
                .toList();
    }

    private void assign(String id, String... addresses) {
        rig.ec2.assignPrivateIpAddresses(
                r -> r.networkInterfaceId(id).privateIpAddresses(addresses));
    }

    private List<String> assignPrefixes(String id, int count) {
        return rig
                .ec2
                .assignPrivateIpAddresses(r -> r.networkInterfaceId(id).ipv4PrefixCount(count))
                .assignedIpv4Prefixes()
                .stream()
                .map(p -> p.ipv4Prefix())
                .toList();
    }

    private void assignPrefix(String id, String prefix) {
        rig.ec2.assignPrivateIpAddresses(r -> r.networkInterfaceId(id).ipv4Prefixes(prefix));
    }

    private void unassign(String id, String... addresses) {
        rig.ec2.unassignPrivateIpAddresses(
                r -> r.networkInterfaceId(id).privateIpAddresses(addresses));
    }

    private static PrivateIpAddressSpecification primary(String address) {
        return PrivateIpAddressSpecification.builder()
                .privateIpAddress(address)
                .primary(true)
                .build();
    }
}
