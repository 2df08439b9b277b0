package dev.underlay.cloud.aws;

import static dev.underlay.cloud.aws.Expect.done;
import static dev.underlay.cloud.aws.Expect.refused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.localvpc.Dials;
import dev.underlay.localvpc.Fabric;
import dev.underlay.localvpc.Faults.Fault;
import dev.underlay.localvpc.Lag;
import dev.underlay.localvpc.LocalVpc;
import dev.underlay.localvpc.VpcSpec;
import dev.underlay.localvpc.state.Eni;
import dev.underlay.localvpc.state.Instance;
import dev.underlay.pool.BlockKind;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudAnswer;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.InterfaceRequest;
import dev.underlay.pool.NodeIdentity;
import dev.underlay.pool.Refusal;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The port against the strict VPC: written by others, it enforces EC2's rules, answers in EC2's
 * words, and a request it does not know is a finding. It carries no packets here.
 */
final class StrictVpcTest {
    /** How the ledger names a call that had its effect. */
    private static final Set<String> APPLIED = Set.of("ok", "drop-after", "truncate");

    private LocalVpc vpc;
    private Instance instance;
    private AwsCloudNetwork network;

    @BeforeEach
    void start() throws IOException {
        vpc = LocalVpc.start(VpcSpec.loopback(new NoPackets()));
        instance = vpc.launchInstance("m5.large", vpc.subnets().getFirst().id());
        network = network(Expect.FAST);
    }

    @AfterEach
    void stop() {
        network.close();
        vpc.close();
    }

    static AwsSettings settings(LocalVpc vpc) {
        return AwsSettings.fromEnvironment(
                Map.of(
                        "AWS_ENDPOINT_URL_EC2", vpc.ec2Endpoint().toString(),
                        "AWS_EC2_METADATA_SERVICE_ENDPOINT", vpc.metadataEndpoint().toString(),
                        "AWS_ACCESS_KEY_ID", "AKID",
                        "AWS_SECRET_ACCESS_KEY", "secret",
                        "CLUSTER_NAME", "blue"));
    }

    private AwsCloudNetwork network(CallPolicy policy) {
        return new AwsCloudNetwork(
                settings(vpc), CloudCallListener.NONE, policy, CallPolicy.METADATA, Runnable::run);
    }

    private CloudInterface attached(String token, int index, int blocks) {
        CloudInterface made =
                done(
                        network.createInterface(
                                new InterfaceRequest(token, BlockKind.SECONDARY_ADDRESS, blocks)));
        return done(network.attachInterface(made.id(), index));
    }

    private long applied(String action) {
        return vpc.ledger().counts().entrySet().stream()
                .filter(e -> e.getKey().action().equals(action))
                .filter(e -> APPLIED.contains(e.getKey().outcome()))
                .mapToLong(Map.Entry::getValue)
                .sum();
    }

    /** What the strict VPC says is on an interface, in the pool's words. */
    private List<Cidr> blocksOf(String interfaceId) {
        return vpc.interfaces().stream()
                .filter(eni -> eni.id().equals(interfaceId))
                .flatMap(eni -> eni.blocks().stream())
                .map(block -> Cidr.parse(block.toString()))
                .sorted()
                .toList();
    }

    @Test
    void a_node_finds_itself() {
        NodeIdentity node = done(network.identify());
        assertThat(node.instanceId()).isEqualTo(instance.id());
        assertThat(node.networkCidrs()).containsExactly(Cidr.parse("10.0.0.0/16"));
        assertThat(node.limits()).isEqualTo(new NodeIdentity.Limits(3, 10));
        List<CloudInterface> all = done(network.describeInterfaces());
        assertThat(all).hasSize(1);
        assertThat(all.getFirst().id()).isEqualTo(node.primaryInterfaceId());
        assertThat(all.getFirst().mac()).isEqualTo(node.primaryMac());
        assertThat(all.getFirst().primary()).isTrue();
        vpc.assertClean();
    }

    @ParameterizedTest
    @ValueSource(strings = {"after", "truncate"})
    void every_call_whose_answer_is_lost_has_its_effect_once_also_while_reads_lag(String how) {
        // The production table: its settling time must outlast the lag.
        network.close();
        network = network(CallPolicy.EC2);
        vpc.dials().lag(Lag.DESCRIBE, Duration.ofSeconds(1));
        awaitPrimary();
        Fault lost = how.equals("after") ? new Fault.DropAfter() : new Fault.Truncate();

        vpc.dials().faults().next("CreateNetworkInterface", lost);
        CloudInterface made =
                done(
                        network.createInterface(
                                new InterfaceRequest("wish-1", BlockKind.SECONDARY_ADDRESS, 3)));
        assertThat(vpc.interfaces()).hasSize(2);

        vpc.dials().faults().next("AttachNetworkInterface", lost);
        CloudInterface it = done(network.attachInterface(made.id(), 1));
        assertThat(applied("AttachNetworkInterface")).isEqualTo(1);

        vpc.dials().faults().next("AssignPrivateIpAddresses", lost);
        List<Cidr> added = done(network.assignBlocks(it.id(), BlockKind.SECONDARY_ADDRESS, 4));
        assertThat(added).hasSize(4).doesNotContainAnyElementsOf(made.blocks());
        assertThat(blocksOf(it.id())).hasSize(7).containsAll(added);

        vpc.dials().faults().next("UnassignPrivateIpAddresses", lost);
        done(network.unassignBlocks(it.id(), added));
        assertThat(applied("UnassignPrivateIpAddresses")).isEqualTo(1);
        assertThat(blocksOf(it.id())).isEqualTo(made.blocks());

        vpc.dials().faults().next("DetachNetworkInterface", lost);
        assertThat(done(network.detachInterface(it.id())).attachment()).isEmpty();
        vpc.dials().faults().next("DeleteNetworkInterface", lost);
        done(network.deleteInterface(it.id()));
        assertThat(vpc.interfaces()).hasSize(1);
        vpc.assertClean();
    }

    private void awaitPrimary() {
        long limit = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (!(network.describeInterfaces() instanceof CloudAnswer.Done)) {
            assertThat(System.nanoTime()).isLessThan(limit);
            LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
        }
    }

    @Test
    void a_full_interface_takes_three_calls_and_goes_with_its_instance() {
        done(network.describeInterfaces());
        long before = calls();
        CloudInterface it = attached("wish-1", 1, 9);
        assertThat(calls() - before).isEqualTo(3);
        assertThat(it.blocks()).hasSize(9).isEqualTo(blocksOf(it.id()));
        vpc.terminateInstance(instance.id());
        assertThat(vpc.interfaces()).noneMatch(eni -> eni.id().equals(it.id()));
    }

    private long calls() {
        return vpc.ledger().counts().entrySet().stream()
                .filter(e -> !e.getKey().action().equals("Metadata"))
                .mapToLong(Map.Entry::getValue)
                .sum();
    }

    @Test
    void each_limit_is_told_apart_in_the_words_of_ec2() {
        CloudInterface first = attached("wish-1", 1, 9);
        assertThat(
                        refused(network.assignBlocks(first.id(), BlockKind.SECONDARY_ADDRESS, 1))
                                .refusal())
                .isEqualTo(Refusal.INTERFACE_FULL);
        CloudInterface second =
                done(
                        network.createInterface(
                                new InterfaceRequest("wish-2", BlockKind.SECONDARY_ADDRESS, 1)));
        assertThat(refused(network.attachInterface(second.id(), 1)).refusal())
                .isEqualTo(Refusal.DEVICE_INDEX_TAKEN);
        assertThat(done(network.attachInterface(second.id(), 2)).attachment()).isPresent();
        CloudInterface third =
                done(
                        network.createInterface(
                                new InterfaceRequest("wish-3", BlockKind.SECONDARY_ADDRESS, 1)));
        assertThat(refused(network.attachInterface(third.id(), 3)).refusal())
                .isEqualTo(Refusal.ATTACHMENT_LIMIT);
        assertThat(done(network.deleteInterface(third.id()))).isEqualTo(third.id());
        assertThat(refused(network.deleteInterface(second.id())).refusal()).isEqualTo(Refusal.BUSY);
        vpc.dials().deleteInUse(Dials.DeleteInUse.IN_USE);
        assertThat(refused(network.deleteInterface(second.id())).refusal()).isEqualTo(Refusal.BUSY);
        vpc.assertClean();
    }

    @ParameterizedTest
    @EnumSource(Dials.FullSubnet.class)
    void hazard_19_a_full_subnet_is_known_by_each_of_its_codes(Dials.FullSubnet code) {
        vpc.dials().fullSubnet(code);
        CloudInterface it = attached("wish-1", 1, 1);
        vpc.dials().exhaust(instance.subnet().id());
        for (BlockKind kind : List.of(BlockKind.SECONDARY_ADDRESS, BlockKind.PREFIX_28)) {
            Refusal full = kind.delegated() ? Refusal.NO_FREE_PREFIX : Refusal.SUBNET_FULL;
            assertThat(
                            List.of(
                                    refused(network.assignBlocks(it.id(), kind, 1)),
                                    refused(
                                            network.createInterface(
                                                    new InterfaceRequest("w-" + kind, kind, 1)))))
                    .allSatisfy(refused -> {
                        assertThat(refused.refusal()).isEqualTo(full);
                        assertThat(refused.message())
                                .containsPattern(
                                        instance.subnet().id() + " has \\d+ free addresses");
                    });
        }
        vpc.assertClean();
    }

    @Test
    void a_missing_permission_names_the_action_and_the_limits_come_from_the_table() {
        vpc.dials().deny("AssignPrivateIpAddresses", "DescribeInstanceTypes");
        CloudInterface it = attached("wish-1", 1, 1);
        CloudAnswer.Refused<List<Cidr>> no =
                refused(network.assignBlocks(it.id(), BlockKind.SECONDARY_ADDRESS, 1));
        assertThat(no.refusal()).isEqualTo(Refusal.NOT_PERMITTED);
        assertThat(no.message()).contains("ec2:AssignPrivateIpAddresses");
        assertThat(done(network.identify()).limits()).isEqualTo(new NodeIdentity.Limits(3, 10));
    }

    @Test
    void what_a_foreign_hand_did_is_met_with_the_right_answer() {
        CloudInterface it = attached("wish-1", 1, 3);
        Eni eni =
                vpc.interfaces().stream()
                        .filter(e -> e.id().equals(it.id()))
                        .findFirst()
                        .orElseThrow();
        vpc.console()
                .unassign(
                        eni,
                        List.of(
                                dev.underlay.localvpc.state.Cidr.parse(
                                        it.blocks().getFirst().toString())));
        assertThat(done(network.unassignBlocks(it.id(), it.blocks()))).isEqualTo(it.blocks());
        vpc.console().detach(eni);
        assertThat(done(network.detachInterface(it.id())).attachment()).isEmpty();
        vpc.console().delete(eni);
        assertThat(done(network.deleteInterface(it.id()))).isEqualTo(it.id());
        assertThat(refused(network.assignBlocks(it.id(), BlockKind.SECONDARY_ADDRESS, 1)).refusal())
                .isEqualTo(Refusal.GONE);
    }

    @Test
    void a_call_that_is_never_answered_ends_by_its_timeout_and_is_settled_by_a_look() {
        CloudInterface it = attached("wish-1", 1, 1);
        vpc.dials().faults().next("AssignPrivateIpAddresses", new Fault.Stall());
        assertThat(done(network.assignBlocks(it.id(), BlockKind.SECONDARY_ADDRESS, 2))).hasSize(2);
        assertThat(blocksOf(it.id())).hasSize(3);
    }

    @Test
    void an_ec2_that_falls_silent_is_given_up_within_the_deadline() {
        CloudInterface it = attached("wish-1", 1, 1);
        vpc.dials().ec2(Dials.Reach.SILENT);
        long start = System.nanoTime();
        assertThat(refused(network.assignBlocks(it.id(), BlockKind.SECONDARY_ADDRESS, 2)).refusal())
                .isEqualTo(Refusal.UNKNOWN_OUTCOME);
        assertThat(refused(network.describeInterfaces()).refusal()).isEqualTo(Refusal.UNAVAILABLE);
        assertThat(Duration.ofNanos(System.nanoTime() - start))
                .isLessThan(Expect.FAST.callDeadline().multipliedBy(2));
        vpc.dials().ec2(Dials.Reach.UP);
        assertThat(done(network.assignBlocks(it.id(), BlockKind.SECONDARY_ADDRESS, 2))).hasSize(2);
    }

    @Test
    void a_slow_detach_is_waited_for_and_a_stuck_one_is_busy() {
        CloudInterface it = attached("wish-1", 1, 1);
        vpc.dials().lag(Lag.DETACH, Duration.ofMillis(400));
        assertThat(done(network.detachInterface(it.id())).attachment()).isEmpty();
        assertThat(done(network.deleteInterface(it.id()))).isEqualTo(it.id());
        CloudInterface stuck = attached("wish-2", 1, 1);
        vpc.dials().pin(Lag.DETACH);
        assertThat(refused(network.detachInterface(stuck.id())).refusal()).isEqualTo(Refusal.BUSY);
        vpc.dials().unpin(Lag.DETACH);
        assertThat(done(network.detachInterface(stuck.id())).attachment()).isEmpty();
    }

    /**
     * A planner without sense: random operations while requests and answers are lost. Whatever
     * happens, a "done" is true, nothing is made twice, and all can be given back in the end.
     */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void random_operations_under_faults_leave_nothing_behind(long seed) {
        System.out.println("seed " + seed);
        SplittableRandom random = new SplittableRandom(seed);
        vpc.dials().assignListsAll(random.nextBoolean());
        String[] actions = {
            "CreateNetworkInterface",
            "AttachNetworkInterface",
            "AssignPrivateIpAddresses",
            "UnassignPrivateIpAddresses",
            "DetachNetworkInterface",
            "DeleteNetworkInterface",
            "ModifyNetworkInterfaceAttribute"
        };
        Fault[] faults = {
            new Fault.DropBefore(),
            new Fault.DropAfter(),
            new Fault.Truncate(),
            new Fault.Html500(),
            new Fault.Refuse(503, "RequestLimitExceeded", "Request limit exceeded.")
        };
        List<CloudInterface> mine = new ArrayList<>();
        int wishes = 0;
        for (int step = 0; step < 60; step++) {
            if (random.nextInt(2) == 0) {
                vpc.dials()
                        .faults()
                        .next(
                                actions[random.nextInt(actions.length)],
                                faults[random.nextInt(faults.length)]);
            }
            String where = "seed " + seed + " step " + step;
            if (mine.size() < 2) {
                String token = "wish-" + ++wishes;
                if (network.createInterface(
                                        new InterfaceRequest(token, BlockKind.SECONDARY_ADDRESS, 2))
                                instanceof CloudAnswer.Done<CloudInterface>(var made)
                        && network.attachInterface(made.id(), freeIndex())
                                instanceof CloudAnswer.Done<CloudInterface>(var plugged)) {
                    mine.add(plugged);
                    assertThat(blocksOf(plugged.id())).as(where).isEqualTo(plugged.blocks());
                }
                continue;
            }
            CloudInterface it = mine.get(random.nextInt(mine.size()));
            List<Cidr> before = blocksOf(it.id());
            switch (random.nextInt(4)) {
                case 0, 1 -> {
                    int count = 1 + random.nextInt(3);
                    if (network.assignBlocks(it.id(), BlockKind.SECONDARY_ADDRESS, count)
                            instanceof CloudAnswer.Done<List<Cidr>>(var added)) {
                        Set<Cidr> now = new HashSet<>(before);
                        now.addAll(added);
                        assertThat(added).as(where).hasSize(count).noneMatch(before::contains);
                        assertThat(blocksOf(it.id()))
                                .as(where)
                                .containsExactlyInAnyOrderElementsOf(now);
                    }
                }
                case 2 -> {
                    List<Cidr> some = before.subList(0, Math.min(2, before.size()));
                    if (network.unassignBlocks(it.id(), some) instanceof CloudAnswer.Done) {
                        assertThat(blocksOf(it.id())).as(where).noneMatch(some::contains);
                    }
                }
                default -> {
                    if (network.detachInterface(it.id()) instanceof CloudAnswer.Done
                            && network.deleteInterface(it.id()) instanceof CloudAnswer.Done) {
                        mine.remove(it);
                        assertThat(vpc.interfaces())
                                .as(where)
                                .noneMatch(e -> e.id().equals(it.id()));
                    }
                }
            }
        }
        vpc.dials().faults().clear();
        for (CloudInterface left : done(network.describeInterfaces())) {
            if (!left.primary()) {
                assertThat(left.blocks()).isEqualTo(blocksOf(left.id()));
                done(network.detachInterface(left.id()));
                done(network.deleteInterface(left.id()));
            }
        }
        assertThat(vpc.interfaces()).hasSize(1);
        vpc.assertClean();
    }

    private int freeIndex() {
        Set<Integer> taken = new HashSet<>();
        for (Eni eni : vpc.interfaces()) {
            if (eni.isAt(instance.id())) {
                taken.add(
                        Optional.ofNullable(eni.attachment())
                                .map(Eni.Attachment::deviceIndex)
                                .orElse(0));
            }
        }
        return taken.contains(1) ? 2 : 1;
    }

    /** A fabric without packets. */
    static final class NoPackets implements Fabric {
        @Override
        public void boot(String instanceId, Port primary) {}

        @Override
        public void plug(String instanceId, Port port) {}

        @Override
        public void unplug(String portId) {}

        @Override
        public void map(String portId, InetAddress network, int prefixLength) {}

        @Override
        public void unmap(String portId, InetAddress network, int prefixLength) {}

        @Override
        public void terminate(String instanceId) {}
    }
}
