package dev.underlay.cloud.aws;

import static dev.underlay.cloud.aws.Expect.done;
import static dev.underlay.cloud.aws.Expect.refused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.localvpc.LocalVpc;
import dev.underlay.localvpc.VpcSpec;
import dev.underlay.localvpc.VpcSpec.SubnetSpec;
import dev.underlay.pool.BlockKind;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.InterfaceRequest;
import dev.underlay.pool.Refusal;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A node whose zone has another subnet for pods; against the strict VPC. */
final class SubnetDiscoveryTest {
    private LocalVpc vpc;
    private AwsCloudNetwork network;
    private String instanceId;
    private String home;
    private String more;
    private int wishes;

    @BeforeEach
    void start() throws IOException {
        vpc =
                LocalVpc.start(
                        VpcSpec.loopback(new StrictVpcTest.NoPackets())
                                .withSubnets(
                                        List.of(
                                                new SubnetSpec("10.0.0.0/24", "us-east-1a"),
                                                new SubnetSpec("10.0.2.0/24", "us-east-1a"),
                                                new SubnetSpec("10.0.1.0/24", "us-east-1b"))));
        home = vpc.subnets().get(0).id();
        more = vpc.subnets().get(1).id();
        instanceId = vpc.launchInstance("m5.large", home).id();
        tag(vpc.subnets().get(2).id(), "1"); // in another zone
        network =
                new AwsCloudNetwork(
                        StrictVpcTest.settings(vpc),
                        CloudCallListener.NONE,
                        Expect.FAST,
                        CallPolicy.METADATA,
                        Runnable::run);
    }

    @AfterEach
    void stop() {
        network.close();
        vpc.close();
    }

    private void tag(String subnetId, String role) {
        vpc.console().tag(subnetId, Map.of(NodeSubnets.ROLE, role));
    }

    private InterfaceRequest wish(BlockKind kind) {
        return new InterfaceRequest("wish-" + wishes++, kind, 2);
    }

    private long calls(String action) {
        return vpc.ledger().counts().entrySet().stream()
                .filter(e -> e.getKey().action().equals(action))
                .mapToLong(Map.Entry::getValue)
                .sum();
    }

    @ParameterizedTest
    @EnumSource(
            value = BlockKind.class,
            names = {"SECONDARY_ADDRESS", "PREFIX_28"})
    void where_one_subnet_is_full_the_interface_is_made_in_another(BlockKind kind) {
        tag(more, "1");
        done(network.describeInterfaces());
        vpc.dials().exhaust(home);
        for (int i = 0; i < 5; i++) {
            CloudInterface made = done(network.createInterface(wish(kind)));
            assertThat(made.subnetId()).isEqualTo(more);
            assertThat(made.subnet()).isEqualTo(Cidr.parse("10.0.2.0/24"));
            assertThat(made.blocks()).hasSize(2);
        }
        assertThat(calls("CreateNetworkInterface")).as("a full one comes last").isLessThan(7);
    }

    @Test
    void the_zone_takes_no_call_more_than_its_one_subnet() {
        tag(more, "1");
        done(network.describeInterfaces());
        done(network.createInterface(wish(BlockKind.SECONDARY_ADDRESS)));
        assertThat(calls("DescribeSubnets")).isOne();
    }

    @Test
    void a_subnet_that_is_tagged_later_is_found_once_the_others_are_full() {
        done(network.describeInterfaces());
        vpc.dials().exhaust(home);
        assertThat(refused(network.createInterface(wish(BlockKind.SECONDARY_ADDRESS))).refusal())
                .isEqualTo(Refusal.SUBNET_FULL);
        tag(more, "1");
        refused(network.createInterface(wish(BlockKind.SECONDARY_ADDRESS)));
        CloudInterface made = done(network.createInterface(wish(BlockKind.SECONDARY_ADDRESS)));
        assertThat(made.subnetId()).isEqualTo(more);
    }

    @Test
    void a_closed_subnet_gets_no_address_and_no_call() {
        tag(home, "0");
        String primary = done(network.describeInterfaces()).getFirst().id();
        var answer = refused(network.assignBlocks(primary, BlockKind.SECONDARY_ADDRESS, 3));
        assertThat(answer.refusal()).isEqualTo(Refusal.SUBNET_FULL);
        assertThat(answer.message()).contains(home, NodeSubnets.ROLE + "=0");
        assertThat(calls("AssignPrivateIpAddresses")).isZero();
        var nowhere = refused(network.createInterface(wish(BlockKind.SECONDARY_ADDRESS)));
        assertThat(nowhere.refusal()).isEqualTo(Refusal.MISCONFIGURED);
        assertThat(nowhere.message()).contains(home, NodeSubnets.ROLE + "=1");
        assertThat(calls("CreateNetworkInterface")).isZero();
    }

    @Test
    void what_people_tag_after_a_refusal_is_seen_by_the_next_try() {
        tag(home, "0");
        String primary = done(network.describeInterfaces()).getFirst().id();
        refused(network.createInterface(wish(BlockKind.SECONDARY_ADDRESS)));
        tag(more, "1");
        CloudInterface made = done(network.createInterface(wish(BlockKind.SECONDARY_ADDRESS)));
        assertThat(made.subnetId()).isEqualTo(more);
        refused(network.assignBlocks(primary, BlockKind.SECONDARY_ADDRESS, 3));
        tag(home, "1");
        assertThat(done(network.assignBlocks(primary, BlockKind.SECONDARY_ADDRESS, 3))).hasSize(3);
        assertThat(calls("DescribeSubnets")).as("one more for each refusal").isEqualTo(5);
    }

    @Test
    void a_subnet_that_every_call_touches_is_read_again_and_its_cidr_never() throws CallFailure {
        AtomicLong now = new AtomicLong();
        CallGuard guard = new CallGuard("EC2", Expect.FAST, CloudCallListener.NONE);
        Ec2Api api = new Ec2Api(StrictVpcTest.settings(vpc), "us-east-1", Expect.FAST, guard);
        InterfaceView view = new InterfaceView(api, instanceId, now::get);
        Deadline deadline = Deadline.in(Duration.ofSeconds(30));
        try (api) {
            view.all(deadline);
            tag(home, "0");
            for (int touch = 0; touch < 5; touch++) {
                assertThat(view.tagsOf(home, deadline)).isEmpty();
                now.addAndGet(InterfaceView.TAGS_KEPT.toNanos() / 5);
            }
            assertThat(view.subnet(home, deadline)).isEqualTo(Cidr.parse("10.0.0.0/24"));
            assertThat(calls("DescribeSubnets")).isOne();
            assertThat(Tags.value(view.tagsOf(home, deadline), NodeSubnets.ROLE)).hasValue("0");
            assertThat(view.zoneOf(home, deadline)).hasSize(2);
            assertThat(calls("DescribeSubnets")).isEqualTo(2);
        } finally {
            guard.close();
        }
    }
}
