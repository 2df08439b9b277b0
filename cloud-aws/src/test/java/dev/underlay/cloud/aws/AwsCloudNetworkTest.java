package dev.underlay.cloud.aws;

import static dev.underlay.cloud.aws.Expect.done;
import static dev.underlay.cloud.aws.Expect.refused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.cloud.aws.CloudCallListener.Outcome;
import dev.underlay.cloud.aws.FakeEc2.Fault;
import dev.underlay.cloud.aws.FakeEc2.Nic;
import dev.underlay.pool.BlockKind;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudAnswer;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.InterfaceRequest;
import dev.underlay.pool.NodeIdentity;
import dev.underlay.pool.Refusal;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The port against the real SDK and an EC2 that loses requests and answers. What is counted is what
 * the EC2 saw and did, not what the client believes.
 */
final class AwsCloudNetworkTest {
    private final List<String> heard = Collections.synchronizedList(new ArrayList<>());
    private FakeEc2 ec2;
    private FakeMetadata metadata;
    private AwsCloudNetwork network;

    @BeforeEach
    void start() throws IOException {
        ec2 = new FakeEc2();
        metadata = new FakeMetadata();
        network = network(Expect.FAST);
    }

    @AfterEach
    void stop() {
        network.close();
        ec2.close();
        metadata.close();
    }

    private AwsCloudNetwork network(CallPolicy policy) {
        return network(policy, Runnable::run);
    }

    private AwsCloudNetwork network(CallPolicy policy, Executor after) {
        return new AwsCloudNetwork(
                new AwsSettings(
                        Optional.of(ec2.endpoint()),
                        Optional.empty(),
                        Optional.of(new AwsSettings.Keys("AKID", "secret", Optional.empty())),
                        metadata.endpoint(),
                        Optional.of("blue"),
                        true),
                (action, outcome, _) -> heard.add(action + " " + outcome),
                policy,
                Expect.FAST,
                after);
    }

    private CloudInterface attached() {
        CloudInterface made =
                done(
                        network.createInterface(
                                new InterfaceRequest("wish-1", BlockKind.SECONDARY_ADDRESS, 2)));
        return done(network.attachInterface(made.id(), 1));
    }

    // --- what the node is ---

    @Test
    void a_node_is_identified_by_metadata_and_its_limits_by_ec2() {
        NodeIdentity node = done(network.identify());
        assertThat(node)
                .isEqualTo(
                        new NodeIdentity(
                                "i-0123",
                                "m5.large",
                                "eu-west-1a",
                                "eni-primary",
                                "0a:00:00:00:00:01",
                                dev.underlay.pool.IpAddress.parse("10.0.0.10"),
                                Optional.empty(),
                                List.of(Cidr.parse("10.0.0.0/16"), Cidr.parse("100.64.0.0/16")),
                                new NodeIdentity.Limits(4, 11)));
        network.identify();
        assertThat(ec2.count("DescribeInstanceTypes")).isEqualTo(1);
    }

    @Test
    void limits_come_from_the_table_while_ec2_does_not_say_and_from_ec2_later() {
        ec2.failAlways("DescribeInstanceTypes", Fault.error(403, "UnauthorizedOperation", "no"));
        assertThat(done(network.identify()).limits()).isEqualTo(new NodeIdentity.Limits(3, 10));
        ec2.heal();
        assertThat(done(network.identify()).limits()).isEqualTo(new NodeIdentity.Limits(4, 11));
    }

    @Test
    void a_dead_ec2_delays_an_identity_by_the_limits_deadline_alone() {
        ec2.close();
        long start = System.nanoTime();
        assertThat(done(network.identify()).limits()).isEqualTo(new NodeIdentity.Limits(3, 10));
        assertThat(Duration.ofNanos(System.nanoTime() - start))
                .isLessThan(
                        Expect.FAST.limitsDeadline().plus(Expect.FAST.budgetWait()).plusSeconds(3));
    }

    @Test
    void a_type_that_nobody_knows_is_refused_by_name() {
        metadata.leaves.put("instance-type", "z9.huge");
        ec2.failAlways(
                "DescribeInstanceTypes", Fault.error(400, "InvalidInstanceType", "no such type"));
        CloudAnswer.Refused<NodeIdentity> no = refused(network.identify());
        assertThat(no.refusal()).isEqualTo(Refusal.MISCONFIGURED);
        assertThat(no.message()).contains("z9.huge").contains("InvalidInstanceType");
    }

    // --- describing ---

    @Test
    void interfaces_are_those_plugged_in_and_those_made_for_the_node() {
        Nic mine = ec2.add("eni-mine");
        mine.tags.put(Tags.TOKEN, "wish-9");
        mine.addresses.add("10.0.0.200");
        mine.prefixes.add("10.0.0.112/28");
        Nic moved = ec2.add("eni-moved");
        moved.attachmentId = "eni-attach-x";
        moved.instance = "i-other";
        Nic excluded = ec2.add("eni-excluded");
        excluded.attachmentId = "eni-attach-y";
        excluded.deviceIndex = 3;
        excluded.tags.put(Tags.NO_MANAGE, "true");
        ec2.nic("eni-primary").tags.put(Tags.NO_MANAGE, "true");

        List<CloudInterface> all = done(network.describeInterfaces());

        assertThat(all)
                .extracting(CloudInterface::id)
                .containsExactly("eni-primary", "eni-excluded", "eni-mine");
        assertThat(all.get(0).primary()).isTrue();
        assertThat(all.get(0).managed()).isTrue();
        assertThat(all.get(0).mac()).isEqualTo("0a:00:00:00:00:01");
        assertThat(all.get(1).managed()).isFalse();
        assertThat(all.get(2).token()).contains("wish-9");
        assertThat(all.get(2).attachment()).isEmpty();
        assertThat(all.get(2).blocks())
                .containsExactly(Cidr.parse("10.0.0.112/28"), Cidr.parse("10.0.0.200"));
        assertThat(all.get(2).subnet()).isEqualTo(Cidr.parse("10.0.0.0/24"));
    }

    @Test
    void a_description_older_than_the_instance_is_not_believed() {
        ec2.nic("eni-primary").attachmentId = null;
        ec2.add("eni-mine");

        CloudAnswer.Refused<List<CloudInterface>> no = refused(network.describeInterfaces());

        assertThat(no.refusal()).isEqualTo(Refusal.UNAVAILABLE);
        assertThat(no.message()).contains("no interface at device index 0 of instance i-");
    }

    @Test
    void an_interface_of_another_card_or_kind_is_left_alone() {
        Nic trunk = ec2.add("eni-trunk");
        trunk.type = "trunk";
        trunk.attachmentId = "eni-attach-t";
        trunk.deviceIndex = 1;
        Nic card = ec2.add("eni-card1");
        card.card = 1;
        card.attachmentId = "eni-attach-c";
        assertThat(done(network.describeInterfaces()))
                .filteredOn(it -> !it.id().equals("eni-primary"))
                .allSatisfy(it -> {
                    assertThat(it.managed()).isFalse();
                    assertThat(it.primary()).isFalse();
                })
                .hasSize(2);
    }

    @Test
    void every_page_is_read_and_subnets_are_asked_once() {
        for (int i = 0; i < 7; i++) {
            ec2.add("eni-" + (char) ('a' + i));
        }
        ec2.pageSize = 3;
        assertThat(done(network.describeInterfaces())).hasSize(8);
        assertThat(done(network.describeInterfaces())).hasSize(8);
        assertThat(ec2.count("DescribeSubnets")).isEqualTo(1);
        assertThat(ec2.count("DescribeNetworkInterfaces")).isEqualTo(2 * (1 + 3));
    }

    // --- making and attaching ---

    @Test
    void a_full_interface_takes_three_calls() {
        network.describeInterfaces();
        ec2.calls.clear();
        CloudInterface it = attached();
        assertThat(ec2.calls)
                .containsExactly(
                        "CreateNetworkInterface",
                        "AttachNetworkInterface",
                        "ModifyNetworkInterfaceAttribute");
        assertThat(it.blocks()).hasSize(2);
        assertThat(it.attachment()).map(a -> a.deviceIndex()).contains(1);
        Nic nic = ec2.nic(it.id());
        assertThat(nic.endsWithInstance).isTrue();
        assertThat(nic.tags)
                .containsEntry("node.k8s.amazonaws.com/instance_id", "i-0123")
                .containsEntry("cluster.k8s.amazonaws.com/name", "blue")
                .containsEntry("underlay/token", "wish-1")
                .containsKey("node.k8s.amazonaws.com/createdAt");
        assertThat(ec2.last("CreateNetworkInterface"))
                .containsEntry("SubnetId", "subnet-a")
                .containsEntry("SecurityGroupId.1", "sg-1")
                .containsEntry("ClientToken", "wish-1")
                .containsEntry("SecondaryPrivateIpAddressCount", "2");
        assertThat(ec2.last("AttachNetworkInterface")).containsEntry("NetworkCardIndex", "0");
    }

    @Test
    void the_same_wish_makes_one_interface_when_the_answer_is_lost_and_after_a_restart() {
        ec2.fail("CreateNetworkInterface", Fault.lostAnswer(), Fault.page(true, 500));
        InterfaceRequest wish = new InterfaceRequest("wish-1", BlockKind.PREFIX_28, 1);
        String first = done(network.createInterface(wish)).id();
        assertThat(ec2.count("CreateNetworkInterface")).isEqualTo(3);
        network.close();
        network = network(Expect.FAST);
        assertThat(done(network.createInterface(wish)).id()).isEqualTo(first);
        assertThat(ec2.nics).hasSize(2);
    }

    @Test
    void a_token_used_with_other_parameters_finds_what_it_made() {
        String first = attached().id();
        ec2.fail(
                "CreateNetworkInterface",
                Fault.error(400, "IdempotentParameterMismatch", "other parameters"));
        assertThat(
                        done(network.createInterface(
                                        new InterfaceRequest(
                                                "wish-1", BlockKind.SECONDARY_ADDRESS, 2)))
                                .id())
                .isEqualTo(first);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 500})
    void an_attach_whose_answer_is_lost_happens_once(int status) {
        ec2.fail(
                "AttachNetworkInterface",
                status == 0 ? Fault.lostAnswer() : Fault.page(true, status));
        CloudInterface it = attached();
        assertThat(ec2.count("AttachNetworkInterface")).isEqualTo(1);
        assertThat(it.attachment()).map(a -> a.deviceIndex()).contains(1);
        assertThat(ec2.nic(it.id()).endsWithInstance).isTrue();
    }

    @Test
    void an_attach_that_was_lost_on_the_way_is_sent_again_after_a_look() {
        ec2.fail("AttachNetworkInterface", Fault.lostRequest());
        attached();
        int lost = ec2.calls.indexOf("AttachNetworkInterface");
        assertThat(ec2.calls.subList(lost + 1, ec2.calls.lastIndexOf("AttachNetworkInterface")))
                .contains("DescribeNetworkInterfaces");
        assertThat(ec2.count("AttachNetworkInterface")).isEqualTo(2);
    }

    @Test
    void an_attach_of_what_is_attached_already_is_done() {
        CloudInterface it = attached();
        assertThat(done(network.attachInterface(it.id(), 1)).id()).isEqualTo(it.id());
        network.close();
        network = network(Expect.FAST);
        assertThat(done(network.attachInterface(it.id(), 1)).id()).isEqualTo(it.id());
        assertThat(ec2.count("AttachNetworkInterface")).isEqualTo(1);
    }

    @Test
    void a_second_attach_that_hears_of_the_first_one_looks_and_is_done() {
        CloudInterface made =
                done(
                        network.createInterface(
                                new InterfaceRequest("wish-1", BlockKind.SECONDARY_ADDRESS, 2)));
        // The answer is lost and every look is too old to show the effect.
        ec2.fail("AttachNetworkInterface", Fault.lostAnswer());
        ec2.staleLooks = Integer.MAX_VALUE;
        assertThat(refused(network.attachInterface(made.id(), 1)).refusal())
                .isEqualTo(Refusal.BUSY);
        assertThat(ec2.count("AttachNetworkInterface")).isEqualTo(2);
        ec2.staleLooks = 0;
        assertThat(done(network.attachInterface(made.id(), 1)).attachment()).isPresent();
    }

    @Test
    void a_just_made_interface_that_ec2_does_not_know_yet_is_attached_all_the_same() {
        ec2.fail(
                "AttachNetworkInterface",
                Fault.error(400, "InvalidNetworkInterfaceID.NotFound", "does not exist"));
        attached();
        assertThat(ec2.count("AttachNetworkInterface")).isEqualTo(2);
    }

    @Test
    void delete_on_termination_that_failed_is_repaired_by_a_description_of_a_later_daemon() {
        ec2.failAlways(
                "ModifyNetworkInterfaceAttribute", Fault.error(403, "UnauthorizedOperation", "no"));
        CloudInterface it = attached();
        assertThat(ec2.nic(it.id()).endsWithInstance).isFalse();
        done(network.describeInterfaces());
        assertThat(ec2.count("ModifyNetworkInterfaceAttribute")).isEqualTo(1);
        ec2.heal();
        network.close();
        network = network(Expect.FAST);
        done(network.describeInterfaces());
        assertThat(ec2.nic(it.id()).endsWithInstance).isTrue();
    }

    @Test
    void an_interface_serves_before_delete_on_termination_is_set() {
        List<Runnable> later = new ArrayList<>();
        network.close();
        network = network(Expect.FAST, later::add);
        CloudInterface it = attached();
        done(network.assignBlocks(it.id(), BlockKind.SECONDARY_ADDRESS, 2));
        done(network.describeInterfaces());
        assertThat(ec2.count("ModifyNetworkInterfaceAttribute")).isZero();
        later.forEach(Runnable::run);
        assertThat(ec2.nic(it.id()).endsWithInstance).isTrue();
        assertThat(ec2.count("ModifyNetworkInterfaceAttribute")).isEqualTo(1);
    }

    // --- blocks ---

    @Test
    void an_assign_tells_only_what_is_new_whatever_the_answer_lists() {
        CloudInterface it = attached();
        List<Cidr> first = done(network.assignBlocks(it.id(), BlockKind.SECONDARY_ADDRESS, 2));
        ec2.listsEverything = true;
        List<Cidr> second = done(network.assignBlocks(it.id(), BlockKind.SECONDARY_ADDRESS, 3));
        assertThat(first).hasSize(2);
        assertThat(second).hasSize(3).doesNotContainAnyElementsOf(first);
        assertThat(ec2.nic(it.id()).addresses).hasSize(2 + 2 + 3);
    }

    @Test
    void an_assign_by_a_daemon_that_never_saw_the_interface_tells_only_what_is_new() {
        CloudInterface it = attached();
        network.close();
        network = network(Expect.FAST);
        ec2.listsEverything = true;
        assertThat(done(network.assignBlocks(it.id(), BlockKind.SECONDARY_ADDRESS, 1)))
                .hasSize(1)
                .doesNotContainAnyElementsOf(it.blocks());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 500, 200})
    void an_assign_whose_answer_is_lost_happens_once(int status) {
        CloudInterface it = attached();
        ec2.fail(
                "AssignPrivateIpAddresses",
                status == 0 ? Fault.lostAnswer() : Fault.page(true, status));
        List<Cidr> added = done(network.assignBlocks(it.id(), BlockKind.SECONDARY_ADDRESS, 3));
        assertThat(added).hasSize(3).doesNotContainAnyElementsOf(it.blocks());
        assertThat(ec2.count("AssignPrivateIpAddresses")).isEqualTo(1);
        assertThat(ec2.nic(it.id()).addresses).hasSize(5);
    }

    @Test
    void an_effect_that_reads_show_late_is_waited_for() {
        CloudInterface it = attached();
        ec2.fail("AssignPrivateIpAddresses", Fault.lostAnswer());
        ec2.staleLooks = 2;
        assertThat(done(network.assignBlocks(it.id(), BlockKind.SECONDARY_ADDRESS, 3))).hasSize(3);
        assertThat(ec2.count("AssignPrivateIpAddresses")).isEqualTo(1);
    }

    @Test
    void an_assign_that_certainly_had_no_effect_is_sent_again_up_to_the_bound() {
        CloudInterface it = attached();
        ec2.fail("AssignPrivateIpAddresses", Fault.lostRequest());
        assertThat(done(network.assignBlocks(it.id(), BlockKind.SECONDARY_ADDRESS, 1))).hasSize(1);
        ec2.failAlways("AssignPrivateIpAddresses", Fault.lostRequest());
        CloudAnswer.Refused<List<Cidr>> no =
                refused(network.assignBlocks(it.id(), BlockKind.SECONDARY_ADDRESS, 1));
        assertThat(no.refusal()).isEqualTo(Refusal.UNAVAILABLE);
        assertThat(no.message()).contains("no effect");
        assertThat(ec2.count("AssignPrivateIpAddresses")).isEqualTo(2 + Expect.FAST.rounds());
    }

    @Test
    void an_outcome_that_nobody_can_look_at_is_said_to_be_unknown() {
        CloudInterface it = attached();
        ec2.fail("AssignPrivateIpAddresses", Fault.lostAnswer());
        ec2.failAlways("DescribeNetworkInterfaces", Fault.lostRequest());
        CloudAnswer.Refused<List<Cidr>> no =
                refused(network.assignBlocks(it.id(), BlockKind.SECONDARY_ADDRESS, 1));
        assertThat(no.refusal()).isEqualTo(Refusal.UNKNOWN_OUTCOME);
        assertThat(ec2.count("AssignPrivateIpAddresses")).isEqualTo(1);
    }

    @Test
    void prefixes_are_blocks_too() {
        CloudInterface it = attached();
        assertThat(done(network.assignBlocks(it.id(), BlockKind.PREFIX_28, 1)))
                .containsExactly(Cidr.parse("10.0.2.0/28"));
        assertThat(done(network.unassignBlocks(it.id(), List.of(Cidr.parse("10.0.2.0/28")))))
                .containsExactly(Cidr.parse("10.0.2.0/28"));
        assertThat(ec2.last("UnassignPrivateIpAddresses"))
                .containsEntry("Ipv4Prefix.1", "10.0.2.0/28");
    }

    @Test
    void an_unassign_whose_answer_is_lost_happens_once() {
        CloudInterface it = attached();
        ec2.fail("UnassignPrivateIpAddresses", Fault.lostAnswer());
        assertThat(done(network.unassignBlocks(it.id(), it.blocks()))).isEqualTo(it.blocks());
        assertThat(ec2.count("UnassignPrivateIpAddresses")).isEqualTo(1);
        assertThat(ec2.nic(it.id()).addresses).isEmpty();
    }

    @Test
    void what_is_gone_already_counts_as_given_back() {
        CloudInterface it = attached();
        ec2.nic(it.id()).addresses.removeFirst();
        assertThat(done(network.unassignBlocks(it.id(), it.blocks()))).isEqualTo(it.blocks());
        assertThat(ec2.nic(it.id()).addresses).isEmpty();
        assertThat(done(network.unassignBlocks(it.id(), it.blocks()))).isEqualTo(it.blocks());
    }

    @Test
    void the_own_address_is_never_given_back() {
        CloudInterface it = attached();
        assertThat(
                        refused(
                                        network.unassignBlocks(
                                                it.id(), List.of(Cidr.of(it.primaryAddress()))))
                                .refusal())
                .isEqualTo(Refusal.MISCONFIGURED);
        assertThat(ec2.count("UnassignPrivateIpAddresses")).isZero();
    }

    // --- letting go ---

    @Test
    void a_detach_waits_until_the_interface_is_free_and_a_delete_follows() {
        CloudInterface it = attached();
        ec2.detachLooks = 4;
        assertThat(done(network.detachInterface(it.id())).attachment()).isEmpty();
        assertThat(done(network.detachInterface(it.id())).attachment()).isEmpty();
        assertThat(ec2.count("DetachNetworkInterface")).isEqualTo(1);
        assertThat(done(network.deleteInterface(it.id()))).isEqualTo(it.id());
        assertThat(done(network.deleteInterface(it.id()))).isEqualTo(it.id());
        assertThat(ec2.nics).containsOnlyKeys("eni-primary");
    }

    @Test
    void what_was_attached_again_by_another_hand_is_detached_again() {
        CloudInterface it = attached();
        done(network.detachInterface(it.id()));
        FakeEc2.Nic nic = Objects.requireNonNull(ec2.nics.get(it.id()));
        nic.attachmentId = "eni-attach-foreign";
        assertThat(done(network.detachInterface(it.id())).attachment()).isEmpty();
        assertThat(nic.attachmentId).isNull();
    }

    @Test
    void a_detach_that_cannot_be_looked_at_is_of_unknown_outcome() {
        CloudInterface it = attached();
        ec2.failAlways("DescribeNetworkInterfaces", Fault.page(false, 502));
        assertThat(refused(network.detachInterface(it.id())).refusal())
                .isEqualTo(Refusal.UNKNOWN_OUTCOME);
        ec2.heal();
        assertThat(done(network.detachInterface(it.id())).attachment()).isEmpty();
        assertThat(ec2.count("DetachNetworkInterface")).isEqualTo(2);
    }

    @Test
    void a_detach_that_never_ends_is_refused_as_busy() {
        CloudInterface it = attached();
        ec2.detachLooks = 1_000_000;
        CloudAnswer.Refused<CloudInterface> no = refused(network.detachInterface(it.id()));
        assertThat(no.refusal()).isEqualTo(Refusal.BUSY);
        assertThat(no.message()).contains(it.id());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 503})
    void a_detach_and_a_delete_whose_answers_are_lost_happen_once(int status) {
        CloudInterface it = attached();
        Fault fault = status == 0 ? Fault.lostAnswer() : Fault.page(true, status);
        ec2.fail("DetachNetworkInterface", fault);
        ec2.fail("DeleteNetworkInterface", fault);
        done(network.detachInterface(it.id()));
        done(network.deleteInterface(it.id()));
        assertThat(ec2.count("DetachNetworkInterface")).isEqualTo(1);
        assertThat(ec2.count("DeleteNetworkInterface")).isEqualTo(1);
        assertThat(ec2.nics).hasSize(1);
    }

    @Test
    void a_delete_of_what_is_attached_is_busy_and_the_primary_is_never_detached() {
        CloudInterface it = attached();
        assertThat(refused(network.deleteInterface(it.id())).refusal()).isEqualTo(Refusal.BUSY);
        done(network.describeInterfaces());
        assertThat(refused(network.detachInterface("eni-primary")).refusal())
                .isEqualTo(Refusal.MISCONFIGURED);
        assertThat(ec2.count("DetachNetworkInterface")).isZero();
    }

    // --- trouble ---

    @Test
    void throttling_is_waited_out_and_heard_of() {
        CloudInterface it = attached();
        Fault throttled = Fault.error(503, "RequestLimitExceeded", "Request limit exceeded.");
        ec2.fail("AssignPrivateIpAddresses", throttled, throttled);
        assertThat(done(network.assignBlocks(it.id(), BlockKind.SECONDARY_ADDRESS, 1))).hasSize(1);
        assertThat(heard)
                .filteredOn(line -> line.startsWith("Assign"))
                .containsExactly(
                        "AssignPrivateIpAddresses THROTTLED",
                        "AssignPrivateIpAddresses THROTTLED",
                        "AssignPrivateIpAddresses OK");
    }

    @Test
    void a_missing_permission_is_not_tried_again_and_is_named() {
        CloudInterface it = attached();
        ec2.failAlways(
                "AssignPrivateIpAddresses",
                Fault.error(403, "UnauthorizedOperation", "You are not authorized"));
        CloudAnswer.Refused<List<Cidr>> no =
                refused(network.assignBlocks(it.id(), BlockKind.SECONDARY_ADDRESS, 1));
        assertThat(no.refusal()).isEqualTo(Refusal.NOT_PERMITTED);
        assertThat(no.message()).contains("ec2:AssignPrivateIpAddresses").contains(it.id());
        assertThat(ec2.count("AssignPrivateIpAddresses")).isEqualTo(1);
    }

    @Test
    void a_cloud_that_is_down_is_left_alone_until_a_probe_succeeds() throws Exception {
        network.close();
        network = network(Expect.fastWithBreaker(6));
        done(network.describeInterfaces());
        ec2.failAlways("DescribeNetworkInterfaces", Fault.page(false, 500));
        refused(network.describeInterfaces());
        refused(network.describeInterfaces());
        refused(network.describeInterfaces());
        long seen = ec2.count("DescribeNetworkInterfaces");
        CloudAnswer.Refused<List<CloudInterface>> no = refused(network.describeInterfaces());
        assertThat(no.refusal()).isEqualTo(Refusal.UNAVAILABLE);
        assertThat(no.message()).contains("not sent");
        assertThat(ec2.count("DescribeNetworkInterfaces")).isEqualTo(seen);
        assertThat(heard).contains("DescribeNetworkInterfaces " + Outcome.NOT_SENT);

        ec2.heal();
        long limit = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        while (!(network.describeInterfaces() instanceof CloudAnswer.Done)) {
            assertThat(System.nanoTime()).isLessThan(limit);
            Thread.onSpinWait();
        }
    }

    @Test
    void an_endpoint_that_is_not_there_is_certain_to_have_done_nothing() {
        CloudInterface it = attached();
        ec2.close();
        CloudAnswer.Refused<List<Cidr>> no =
                refused(network.assignBlocks(it.id(), BlockKind.SECONDARY_ADDRESS, 1));
        assertThat(no.refusal()).isEqualTo(Refusal.UNAVAILABLE);
        assertThat(no.message()).contains("was not sent").contains("route");
    }

    @Test
    void nothing_is_sent_after_close() {
        done(network.describeInterfaces());
        network.close();
        long seen = ec2.calls.size();
        assertThat(refused(network.describeInterfaces()).refusal()).isEqualTo(Refusal.UNAVAILABLE);
        assertThat(ec2.calls).hasSize((int) seen);
    }
}
