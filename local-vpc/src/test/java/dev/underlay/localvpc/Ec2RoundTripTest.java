package dev.underlay.localvpc;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.InstanceNetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfacePrivateIpAddress;
import software.amazon.awssdk.services.ec2.model.PrivateIpAddressSpecification;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.TagSpecification;

/**
 * The SDK's own client runs every action against the endpoint and reads the answers: what is asked
 * for arrives, what is answered is understood, and the fabric hears of it in order.
 */
class Ec2RoundTripTest {
    private Rig rig;

    @BeforeEach
    void start() {
        rig = new Rig();
    }

    @AfterEach
    void stop() {
        rig.close();
    }

    @Test
    void an_interface_lives_from_create_to_delete() {
        NetworkInterface made =
                rig.ec2
                        .createNetworkInterface(r ->
                                r.subnetId(rig.subnetA)
                                        .description("a <b> & \"c\" ü")
                                        .groups(rig.vpc.defaultGroup())
                                        .secondaryPrivateIpAddressCount(3)
                                        .tagSpecifications(
                                                TagSpecification.builder()
                                                        .resourceType("network-interface")
                                                        .tags(tag("owner", "x"), tag("k", ""))
                                                        .build()))
                        .networkInterface();

        assertThat(made.statusAsString()).isEqualTo("pending");
        assertThat(made.description()).isEqualTo("a <b> & \"c\" ü");
        assertThat(made.privateIpAddresses())
                .hasSize(4)
                .element(0)
                .satisfies(first -> {
                    assertThat(first.primary()).isTrue();
                    assertThat(first.privateIpAddress()).isEqualTo(made.privateIpAddress());
                });
        assertThat(made.tagSet()).containsExactly(tag("k", ""), tag("owner", "x"));
        assertThat(made.macAddress()).matches("02(:[0-9a-f]{2}){5}");
        assertThat(made.groups())
                .extracting(g -> g.groupId())
                .containsExactly(rig.vpc.defaultGroup());
        assertThat(made.sourceDestCheck()).isTrue();
        assertThat(made.attachment()).isNull();
        String id = made.networkInterfaceId();
        assertThat(describe(id).statusAsString()).isEqualTo("available");

        String attachmentId = rig.attach(id, 1);
        NetworkInterface attached = describe(id);
        assertThat(attached.statusAsString()).isEqualTo("in-use");
        assertThat(attached.attachment().attachmentId()).isEqualTo(attachmentId);
        assertThat(attached.attachment().instanceId()).isEqualTo(rig.node.id());
        assertThat(attached.attachment().deviceIndex()).isEqualTo(1);
        assertThat(attached.attachment().networkCardIndex()).isZero();
        assertThat(attached.attachment().statusAsString()).isEqualTo("attached");
        assertThat(attached.attachment().deleteOnTermination()).isFalse();
        assertThat(attached.attachment().attachTime()).isEqualTo(rig.clock.instant());

        rig.ec2.modifyNetworkInterfaceAttribute(r ->
                r.networkInterfaceId(id)
                        .attachment(a -> a.attachmentId(attachmentId).deleteOnTermination(true)));
        assertThat(describe(id).attachment().deleteOnTermination()).isTrue();

        rig.ec2.detachNetworkInterface(r -> r.attachmentId(attachmentId));
        assertThat(describe(id).attachment()).isNull();
        rig.ec2.deleteNetworkInterface(r -> r.networkInterfaceId(id));
        assertThat(rig.vpc.interfaces()).hasSize(1);
        rig.vpc.assertClean();
    }

    @Test
    void the_fabric_hears_of_each_change_in_order() {
        String id = rig.create(1);
        String attachmentId = rig.attach(id, 1);
        String first = rig.blocks(id).get(0);
        String second =
                rig.ec2
                        .assignPrivateIpAddresses(
                                r -> r.networkInterfaceId(id).secondaryPrivateIpAddressCount(1))
                        .assignedPrivateIpAddresses()
                        .get(0)
                        .privateIpAddress();
        rig.ec2.unassignPrivateIpAddresses(r -> r.networkInterfaceId(id).privateIpAddresses(first));
        rig.ec2.detachNetworkInterface(r -> r.attachmentId(attachmentId));

        String primary = rig.node.primaryInterfaceId();
        assertThat(rig.fabric.log())
                .containsExactly(
                        "boot " + rig.node.id(),
                        "map " + primary + " " + rig.node.primaryAddress().getHostAddress() + "/32",
                        "plug " + id,
                        "map " + id + " " + rig.eni(id).primary() + "/32",
                        "map " + id + " " + first + "/32",
                        "map " + id + " " + second + "/32",
                        "unmap " + id + " " + first + "/32",
                        "unplug " + id);
        assertThat(rig.blocks(id)).containsExactly(second);
    }

    @Test
    void addresses_and_prefixes_are_assigned_by_count_and_by_name() {
        String id = rig.create(0);
        var byCount =
                rig.ec2.assignPrivateIpAddresses(
                        r -> r.networkInterfaceId(id).secondaryPrivateIpAddressCount(2));
        var byName =
                rig.ec2.assignPrivateIpAddresses(
                        r -> r.networkInterfaceId(id).ipv4Prefixes("10.0.0.32/28"));
        var prefixByCount =
                rig.ec2.assignPrivateIpAddresses(r -> r.networkInterfaceId(id).ipv4PrefixCount(1));

        assertThat(byCount.networkInterfaceId()).isEqualTo(id);
        assertThat(byCount.assignedPrivateIpAddresses()).hasSize(2);
        assertThat(byName.assignedIpv4Prefixes())
                .extracting(p -> p.ipv4Prefix())
                .containsExactly("10.0.0.32/28");
        assertThat(prefixByCount.assignedIpv4Prefixes()).hasSize(1);
        assertThat(prefixByCount.assignedPrivateIpAddresses()).isEmpty();
        NetworkInterface now = describe(id);
        assertThat(now.privateIpAddresses())
                .extracting(NetworkInterfacePrivateIpAddress::privateIpAddress)
                .hasSize(3);
        assertThat(now.ipv4Prefixes()).hasSize(2);

        rig.ec2.unassignPrivateIpAddresses(
                r -> r.networkInterfaceId(id).ipv4Prefixes("10.0.0.32/28"));
        assertThat(describe(id).ipv4Prefixes()).hasSize(1);
    }

    @Test
    void an_interface_is_created_with_prefixes_or_with_named_addresses() {
        NetworkInterface prefixes =
                rig.ec2
                        .createNetworkInterface(r -> r.subnetId(rig.subnetA).ipv4PrefixCount(2))
                        .networkInterface();
        NetworkInterface named =
                rig.ec2
                        .createNetworkInterface(r ->
                                r.subnetId(rig.subnetB)
                                        .privateIpAddresses(
                                                address("10.0.1.9", true),
                                                address("10.0.1.7", false)))
                        .networkInterface();

        assertThat(prefixes.ipv4Prefixes()).hasSize(2);
        assertThat(prefixes.privateIpAddresses()).hasSize(1);
        assertThat(named.privateIpAddress()).isEqualTo("10.0.1.9");
        assertThat(named.privateIpAddresses())
                .extracting(NetworkInterfacePrivateIpAddress::privateIpAddress)
                .containsExactly("10.0.1.9", "10.0.1.7");
    }

    @Test
    void attributes_are_modified_one_by_one() {
        String id = rig.create(0);
        rig.ec2.modifyNetworkInterfaceAttribute(
                r -> r.networkInterfaceId(id).sourceDestCheck(v -> v.value(false)));
        rig.ec2.modifyNetworkInterfaceAttribute(
                r -> r.networkInterfaceId(id).description(v -> v.value("new")));
        rig.ec2.modifyNetworkInterfaceAttribute(
                r -> r.networkInterfaceId(id).groups(rig.vpc.defaultGroup()));

        assertThat(describe(id).sourceDestCheck()).isFalse();
        assertThat(describe(id).description()).isEqualTo("new");
    }

    @Test
    void an_instance_shows_its_interfaces() {
        String id = rig.create(2);
        rig.attach(id, 1);
        var instance =
                rig.ec2
                        .describeInstances(r -> r.instanceIds(rig.node.id()))
                        .reservations()
                        .get(0)
                        .instances()
                        .get(0);

        assertThat(instance.instanceTypeAsString()).isEqualTo("m5.large");
        assertThat(instance.state().nameAsString()).isEqualTo("running");
        assertThat(instance.placement().availabilityZone()).isEqualTo("us-east-1a");
        assertThat(instance.networkInterfaces())
                .extracting(InstanceNetworkInterface::networkInterfaceId)
                .containsExactlyInAnyOrder(rig.node.primaryInterfaceId(), id);
        assertThat(instance.networkInterfaces())
                .extracting(i -> i.attachment().deviceIndex())
                .containsExactlyInAnyOrder(0, 1);
    }

    @Test
    void types_subnets_groups_and_the_vpc_are_described() {
        var types =
                rig.ec2
                        .describeInstanceTypes(
                                r -> r.instanceTypesWithStrings("m5.large", "m4.large", "m5.metal"))
                        .instanceTypes();
        assertThat(types)
                .extracting(t -> t.instanceTypeAsString())
                .containsExactly("m4.large", "m5.large", "m5.metal");
        assertThat(types.get(0).hypervisorAsString()).isEqualTo("xen");
        assertThat(types.get(1).networkInfo().maximumNetworkInterfaces()).isEqualTo(3);
        assertThat(types.get(1).networkInfo().ipv4AddressesPerInterface()).isEqualTo(10);
        assertThat(types.get(1).networkInfo().networkCards()).hasSize(1);
        assertThat(types.get(2).bareMetal()).isTrue();
        assertThat(types.get(2).hypervisor()).isNull();

        var subnet = rig.ec2.describeSubnets(r -> r.subnetIds(rig.subnetA)).subnets().get(0);
        assertThat(subnet.cidrBlock()).isEqualTo("10.0.0.0/24");
        assertThat(subnet.availabilityZone()).isEqualTo("us-east-1a");
        assertThat(subnet.availableIpAddressCount()).isEqualTo(250);

        var vpc = rig.ec2.describeVpcs(r -> r.vpcIds(rig.vpc.vpcId())).vpcs().get(0);
        assertThat(vpc.cidrBlock()).isEqualTo("10.0.0.0/16");
        assertThat(vpc.cidrBlockAssociationSet())
                .extracting(a -> a.cidrBlockState().stateAsString())
                .containsExactly("associated");

        assertThat(rig.ec2.describeSecurityGroups(r -> {}).securityGroups())
                .extracting(g -> g.groupId())
                .containsExactly(rig.vpc.defaultGroup());
    }

    @Test
    void tags_are_put_on_everything_and_found_by_filters() {
        String id = rig.create(0);
        List<String> all =
                List.of(id, rig.node.id(), rig.subnetA, rig.vpc.vpcId(), rig.vpc.defaultGroup());
        rig.ec2.createTags(r -> r.resources(all).tags(tag("team", "net/1"), tag("b", "2")));
        rig.ec2.createTags(r -> r.resources(id).tags(tag("b", "3")));

        Filter byTag = Filter.builder().name("tag:team").values("net/*").build();
        Stream<String> found =
                Stream.of(
                        rig.ec2
                                .describeNetworkInterfaces(r -> r.filters(byTag))
                                .networkInterfaces()
                                .get(0)
                                .networkInterfaceId(),
                        rig.ec2
                                .describeInstances(r -> r.filters(byTag))
                                .reservations()
                                .get(0)
                                .instances()
                                .get(0)
                                .instanceId(),
                        rig.ec2.describeSubnets(r -> r.filters(byTag)).subnets().get(0).subnetId(),
                        rig.ec2.describeVpcs(r -> r.filters(byTag)).vpcs().get(0).vpcId(),
                        rig.ec2
                                .describeSecurityGroups(r -> r.filters(byTag))
                                .securityGroups()
                                .get(0)
                                .groupId());
        assertThat(found).containsExactlyElementsOf(all);
        assertThat(describe(id).tagSet()).containsExactly(tag("b", "3"), tag("team", "net/1"));
    }

    @Test
    void the_ledger_counts_calls_by_action_and_instance() {
        rig.create(0);
        rig.create(0);
        assertThat(Rig.codeOf(() -> rig.attach("eni-nowhere", 1)))
                .isEqualTo("InvalidNetworkInterfaceID.NotFound");

        assertThat(rig.vpc.ledger().calls("CreateNetworkInterface")).isEqualTo(2);
        assertThat(rig.vpc.ledger().calls("CreateNetworkInterface", rig.node.id())).isEqualTo(2);
        assertThat(rig.vpc.ledger().calls("CreateNetworkInterface", "i-other")).isZero();
        assertThat(rig.vpc.ledger().counts())
                .containsEntry(
                        new CallLedger.Key(
                                "AttachNetworkInterface",
                                rig.node.id(),
                                "InvalidNetworkInterfaceID.NotFound"),
                        1L);
    }

    private NetworkInterface describe(String id) {
        return rig.ec2
                .describeNetworkInterfaces(r -> r.networkInterfaceIds(id))
                .networkInterfaces()
                .get(0);
    }

    private static PrivateIpAddressSpecification address(String text, boolean primary) {
        return PrivateIpAddressSpecification.builder()
                .privateIpAddress(text)
                .primary(primary)
                .build();
    }

    private static Tag tag(String key, String value) {
        return Tag.builder().key(key).value(value).build();
    }
}
