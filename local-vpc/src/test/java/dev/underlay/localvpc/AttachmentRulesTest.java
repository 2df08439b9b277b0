package dev.underlay.localvpc;

import static dev.underlay.localvpc.Rig.codeOf;
import static dev.underlay.localvpc.Rig.errorOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.underlay.localvpc.Dials.DeleteInUse;
import dev.underlay.localvpc.VpcSpec.SubnetSpec;
import dev.underlay.localvpc.state.Eni;
import dev.underlay.localvpc.state.Instance;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.ec2.model.AttachNetworkInterfaceRequest;

/** EC2's rules of attaching, detaching and deleting; each is broken once. */
class AttachmentRulesTest {
    private final Rig rig = new Rig();

    @AfterEach
    void stop() {
        rig.close();
    }

    @Test
    void every_state_shows_for_as_long_as_its_lag() {
        rig.dials.lag(Lag.PENDING, Duration.ofSeconds(1));
        rig.dials.lag(Lag.ATTACH, Duration.ofSeconds(2));
        rig.dials.lag(Lag.DEVICE, Duration.ofSeconds(5));
        rig.dials.lag(Lag.DETACH, Duration.ofSeconds(3));
        String id = rig.create(0);
        assertThat(status(id)).isEqualTo("pending");
        rig.advance(Duration.ofSeconds(1));
        assertThat(status(id)).isEqualTo("available");

        String attachmentId = rig.attach(id, 1);
        assertThat(status(id)).isEqualTo("attaching");
        rig.advance(Duration.ofSeconds(2));
        assertThat(status(id)).isEqualTo("in-use");
        assertThat(rig.fabric.has(id)).isFalse();
        rig.advance(Duration.ofSeconds(3));
        assertThat(rig.fabric.has(id)).isTrue();

        rig.ec2.detachNetworkInterface(r -> r.attachmentId(attachmentId));
        assertThat(status(id)).isEqualTo("detaching");
        assertThat(rig.fabric.has(id)).isFalse();
        rig.advance(Duration.ofMillis(2_999));
        assertThat(status(id)).isEqualTo("detaching");
        rig.advance(Duration.ofMillis(1));
        assertThat(status(id)).isEqualTo("available");
    }

    @Test
    void an_address_assigned_before_the_device_is_there_is_mapped_with_it() {
        rig.dials.lag(Lag.DEVICE, Duration.ofSeconds(5));
        String id = rig.create(1);
        rig.attach(id, 1);
        rig.ec2.assignPrivateIpAddresses(
                r -> r.networkInterfaceId(id).secondaryPrivateIpAddressCount(1));
        rig.ec2.unassignPrivateIpAddresses(
                r -> r.networkInterfaceId(id).privateIpAddresses(rig.blocks(id).get(0)));
        assertThat(rig.fabric.has(id)).isFalse();
        rig.advance(Duration.ofSeconds(5));

        assertThat(rig.fabric.mapped(id))
                .containsExactly(rig.eni(id).primary() + "/32", rig.blocks(id).get(0) + "/32");
    }

    @Test
    void a_detach_before_the_device_is_there_leaves_no_device() {
        rig.dials.lag(Lag.DEVICE, Duration.ofSeconds(5));
        String id = rig.create(1);
        String attachmentId = rig.attach(id, 1);
        rig.ec2.detachNetworkInterface(r -> r.attachmentId(attachmentId));
        rig.advance(Duration.ofSeconds(10));

        assertThat(rig.fabric.log()).noneMatch(line -> line.contains("plug " + id));
    }

    @Test
    void an_interface_on_its_way_out_has_no_device_to_change() {
        rig.dials.pin(Lag.DETACH);
        String id = rig.create(1);
        String attachmentId = rig.attach(id, 1);
        rig.ec2.detachNetworkInterface(r -> r.attachmentId(attachmentId));
        String given = rig.blocks(id).get(0);
        rig.ec2.unassignPrivateIpAddresses(r -> r.networkInterfaceId(id).privateIpAddresses(given));
        rig.ec2.assignPrivateIpAddresses(
                r -> r.networkInterfaceId(id).secondaryPrivateIpAddressCount(1));
        rig.vpc.terminateInstance(rig.node.id());

        assertThat(rig.fabric.log()).filteredOn(line -> line.startsWith("unplug " + id)).hasSize(1);
        assertThat(status(id)).isEqualTo("available");
        assertThat(rig.vpc.findings()).allMatch(finding -> finding.startsWith("orphan"));
    }

    @Test
    void an_edge_that_is_pinned_waits_until_it_is_let_go() {
        rig.dials.pin(Lag.DETACH);
        String id = rig.create(0);
        String attachmentId = rig.attach(id, 1);
        rig.ec2.detachNetworkInterface(r -> r.attachmentId(attachmentId));
        rig.advance(Duration.ofHours(1));
        assertThat(status(id)).isEqualTo("detaching");
        assertThat(codeOf(() -> rig.attach(id, 2))).isEqualTo("InvalidNetworkInterface.InUse");

        rig.dials.unpin(Lag.DETACH);
        rig.vpc.settle();
        assertThat(status(id)).isEqualTo("available");
        assertThatThrownBy(() -> rig.dials.pin(Lag.DESCRIBE))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void a_device_index_is_taken_once_per_card() {
        rig.attach(rig.create(0), 1);
        String id = rig.create(0);

        var error = errorOf(() -> rig.attach(id, 1)).awsErrorDetails();
        assertThat(error.errorCode()).isEqualTo("InvalidParameterValue");
        assertThat(error.errorMessage())
                .isEqualTo(
                        "Instance '%s' already has an interface attached at device index '1'."
                                .formatted(rig.node.id()));
        assertThat(codeOf(() -> rig.attach(id, 0))).isEqualTo("InvalidParameterValue");
        assertThat(codeOf(() -> rig.attach(id, -1))).isEqualTo("InvalidParameterValue");
        assertThat(codeOf(() -> rig.attach(id, 999))).isEqualTo("InvalidParameterValue");
        assertThat(
                        codeOf(() ->
                                attach(r ->
                                        r.networkInterfaceId(id)
                                                .deviceIndex(2)
                                                .networkCardIndex(1))))
                .isEqualTo("InvalidParameterValue");
    }

    @Test
    void cards_count_their_interfaces_apart() {
        Instance big = rig.vpc.launchInstance("p4d.24xlarge", rig.subnetA);
        String id = rig.create(0);
        rig.ec2.attachNetworkInterface(r ->
                r.networkInterfaceId(id).instanceId(big.id()).deviceIndex(0).networkCardIndex(3));

        assertThat(attachment(id).cardIndex()).isEqualTo(3);
        assertThat(attachment(id).isPrimary()).isFalse();
        rig.ec2.detachNetworkInterface(r -> r.attachmentId(attachment(id).id()));
    }

    @Test
    void the_types_limit_of_interfaces_holds() {
        rig.attach(rig.create(0), 1);
        rig.attach(rig.create(0), 2);
        String id = rig.create(0);

        var error = errorOf(() -> rig.attach(id, 3)).awsErrorDetails();
        assertThat(error.errorCode()).isEqualTo("AttachmentLimitExceeded");
        assertThat(error.errorMessage())
                .isEqualTo("Interface count 4 exceeds the limit for m5.large");
        assertThat(rig.vpc.findings()).singleElement().asString().contains("orphan: " + id);
    }

    @Test
    void an_attached_interface_is_in_use() {
        String id = rig.create(0);
        rig.attach(id, 1);

        var error = errorOf(() -> rig.attach(id, 2)).awsErrorDetails();
        assertThat(error.errorCode()).isEqualTo("InvalidNetworkInterface.InUse");
        assertThat(error.errorMessage()).isEqualTo("Interface: [" + id + "] in use.");
    }

    @Test
    void the_zones_must_be_the_same() {
        String id =
                rig.ec2
                        .createNetworkInterface(r -> r.subnetId(rig.subnetB))
                        .networkInterface()
                        .networkInterfaceId();

        assertThat(codeOf(() -> rig.attach(id, 1))).isEqualTo("InvalidParameterCombination");
    }

    @Test
    void unknown_and_ended_things_are_refused() {
        String id = rig.create(0);
        assertThat(codeOf(() -> rig.attach("eni-0123", 1)))
                .isEqualTo("InvalidNetworkInterfaceID.NotFound");
        assertThat(codeOf(() -> rig.attach("nonsense", 1)))
                .isEqualTo("InvalidNetworkInterfaceID.Malformed");
        assertThat(
                        codeOf(() ->
                                attach(r ->
                                        r.networkInterfaceId(id).instanceId("i-0").deviceIndex(1))))
                .isEqualTo("InvalidInstanceID.NotFound");
        assertThat(codeOf(() -> attach(r -> r.networkInterfaceId(id).deviceIndex(null))))
                .isEqualTo("MissingParameter");
        assertThat(codeOf(() -> rig.ec2.createNetworkInterface(r -> r.subnetId("subnet-0"))))
                .isEqualTo("InvalidSubnetID.NotFound");
        assertThat(
                        codeOf(() ->
                                rig.ec2.createNetworkInterface(
                                        r -> r.subnetId(rig.subnetA).groups("sg-0"))))
                .isEqualTo("InvalidGroup.NotFound");
        assertThat(codeOf(() -> rig.ec2.createNetworkInterface(r -> {})))
                .isEqualTo("MissingParameter");

        rig.vpc.terminateInstance(rig.node.id());
        assertThat(codeOf(() -> rig.attach(id, 1))).isEqualTo("IncorrectState");
    }

    @Test
    void the_primary_interface_is_neither_detached_nor_deleted() {
        Eni primary = rig.eni(rig.node.primaryInterfaceId());
        Eni.Attachment attachment = attachment(primary.id());

        var error =
                errorOf(() -> rig.ec2.detachNetworkInterface(r -> r.attachmentId(attachment.id())))
                        .awsErrorDetails();
        assertThat(error.errorCode()).isEqualTo("OperationNotPermitted");
        assertThat(error.errorMessage())
                .isEqualTo(
                        "The network interface at device index 0 and networkCard index 0 cannot be"
                                + " detached.");
        assertThat(codeOf(() -> delete(primary.id()))).isEqualTo("InvalidParameterValue");
    }

    @Test
    void a_detach_is_done_once() {
        String attachmentId = rig.attach(rig.create(0), 1);
        rig.dials.lag(Lag.DETACH, Duration.ofSeconds(1));
        rig.ec2.detachNetworkInterface(r -> r.attachmentId(attachmentId));

        assertThat(codeOf(() -> rig.ec2.detachNetworkInterface(r -> r.attachmentId(attachmentId))))
                .isEqualTo("InvalidAttachmentID.NotFound");
        rig.advance(Duration.ofSeconds(1));
        assertThat(codeOf(() -> rig.ec2.detachNetworkInterface(r -> r.attachmentId(attachmentId))))
                .isEqualTo("InvalidAttachmentID.NotFound");
    }

    @Test
    void only_an_available_interface_is_deleted() {
        rig.dials.lag(Lag.DETACH, Duration.ofSeconds(3));
        String id = rig.create(0);
        String attachmentId = rig.attach(id, 1);
        assertThat(errorOf(() -> delete(id)).awsErrorDetails().errorMessage())
                .isEqualTo("Network interface '" + id + "' is currently in use.");
        rig.ec2.detachNetworkInterface(r -> r.attachmentId(attachmentId));
        assertThat(codeOf(() -> delete(id))).isEqualTo("InvalidParameterValue");
        rig.dials.deleteInUse(DeleteInUse.IN_USE);
        assertThat(codeOf(() -> delete(id))).isEqualTo("InvalidNetworkInterface.InUse");

        rig.advance(Duration.ofSeconds(3));
        delete(id);
        assertThat(codeOf(() -> delete(id))).isEqualTo("InvalidNetworkInterfaceID.NotFound");
    }

    @Test
    void a_deleted_interface_gives_its_addresses_back() {
        String id = rig.create(5);
        assertThat(rig.vpc.freeAddresses(rig.subnetA)).isEqualTo(244);
        delete(id);
        assertThat(rig.vpc.freeAddresses(rig.subnetA)).isEqualTo(250);
    }

    @Test
    void what_is_deleted_with_its_instance_goes_and_the_rest_becomes_available() {
        String stays = rig.create(1);
        String goes = rig.create(1);
        rig.attach(stays, 1);
        String attachmentId = rig.attach(goes, 2);
        rig.ec2.modifyNetworkInterfaceAttribute(r ->
                r.networkInterfaceId(goes)
                        .attachment(a -> a.attachmentId(attachmentId).deleteOnTermination(true)));
        rig.vpc.terminateInstance(rig.node.id());

        assertThat(rig.vpc.interfaces()).extracting(Eni::id).containsExactly(stays);
        assertThat(status(stays)).isEqualTo("available");
        assertThat(rig.fabric.has(stays)).isFalse();
        assertThat(rig.fabric.has(rig.node.primaryInterfaceId())).isFalse();
        assertThat(rig.vpc.freeAddresses(rig.subnetA)).isEqualTo(249);
    }

    @Test
    void one_attribute_is_modified_at_a_time_and_only_of_the_right_attachment() {
        String id = rig.create(0);
        rig.attach(id, 1);

        assertThat(
                        codeOf(() ->
                                rig.ec2.modifyNetworkInterfaceAttribute(r ->
                                        r.networkInterfaceId(id)
                                                .sourceDestCheck(v -> v.value(false))
                                                .description(v -> v.value("x")))))
                .isEqualTo("InvalidParameterCombination");
        assertThat(
                        codeOf(() ->
                                rig.ec2.modifyNetworkInterfaceAttribute(
                                        r -> r.networkInterfaceId(id))))
                .isEqualTo("InvalidParameterCombination");
        assertThat(
                        codeOf(() ->
                                rig.ec2.modifyNetworkInterfaceAttribute(r ->
                                        r.networkInterfaceId(id)
                                                .attachment(a ->
                                                        a.attachmentId("eni-attach-0")
                                                                .deleteOnTermination(true)))))
                .isEqualTo("InvalidAttachmentID.NotFound");
        assertThat(
                        codeOf(() ->
                                rig.ec2.modifyNetworkInterfaceAttribute(
                                        r -> r.networkInterfaceId(id).groups("sg-1"))))
                .isEqualTo("InvalidGroup.NotFound");
    }

    @Test
    void somebody_elses_interface_is_in_the_way_and_touching_it_is_a_finding() {
        Eni theirs = rig.vpc.console().attachInterface(rig.node.id(), rig.subnetA, 1);
        assertThat(codeOf(() -> rig.attach(rig.create(0), 1))).isEqualTo("InvalidParameterValue");
        String id = rig.create(1);
        rig.attach(id, 2);
        rig.vpc.console().unassign(rig.eni(id), rig.eni(id).blocks());
        rig.vpc.console().detach(rig.eni(id));
        assertThat(status(id)).isEqualTo("available");
        assertThat(rig.vpc.findings()).allMatch(finding -> finding.startsWith("orphan"));

        rig.ec2.detachNetworkInterface(r -> r.attachmentId(attachment(theirs.id()).id()));
        assertThat(rig.vpc.findings())
                .contains("DetachNetworkInterface on somebody else's " + theirs.id());
        assertThatThrownBy(rig.vpc::assertClean).isInstanceOf(AssertionError.class);
    }

    @Test
    void a_region_holds_5000_interfaces() {
        try (Rig large =
                new Rig(spec ->
                        spec.withSubnets(List.of(new SubnetSpec("10.0.0.0/18", "us-east-1a"))))) {
            for (int i = 1; i < 5_000; i++) {
                large.vpc.console().takeAddresses(large.subnetA, 1);
            }
            assertThat(codeOf(() -> large.create(0))).isEqualTo("NetworkInterfaceLimitExceeded");
        }
    }

    @Test
    void an_unknown_type_is_no_instance() {
        assertThatThrownBy(() -> rig.vpc.launchInstance("m5.nonsense", rig.subnetA))
                .hasMessageContaining("m5.nonsense");
    }

    private void attach(Consumer<AttachNetworkInterfaceRequest.Builder> more) {
        rig.ec2.attachNetworkInterface(r -> {
            r.instanceId(rig.node.id());
            more.accept(r);
        });
    }

    private void delete(String id) {
        rig.ec2.deleteNetworkInterface(r -> r.networkInterfaceId(id));
    }

    private String status(String id) {
        return rig.ec2
                .describeNetworkInterfaces(r -> r.networkInterfaceIds(id))
                .networkInterfaces()
                .get(0)
                .statusAsString();
    }

    private Eni.Attachment attachment(String id) {
        return Objects.requireNonNull(rig.eni(id).attachment(), id);
    }
}
