package dev.underlay.cloud.aws;

import static dev.underlay.cloud.aws.Expect.done;
import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.localvpc.LocalVpc;
import dev.underlay.localvpc.VpcSpec;
import dev.underlay.localvpc.state.Eni;
import dev.underlay.localvpc.state.Instance;
import dev.underlay.pool.AttachmentKey;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.Demand;
import dev.underlay.pool.Families;
import dev.underlay.pool.Hold;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.Lease;
import dev.underlay.pool.LeaseAnswer;
import dev.underlay.pool.Plan;
import dev.underlay.pool.Planner;
import dev.underlay.pool.Pool;
import dev.underlay.pool.PoolSettings;
import dev.underlay.pool.Refusal;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Pool, planner and adapter together against the strict VPC, with prefixes: what a subnet in pieces
 * does to them, and ranges that are reserved.
 */
final class PrefixPoolTest {
    private static final long MINUTE = 60_000_000_000L;
    private static final int MOST_PLANS = 100;

    private LocalVpc vpc;
    private Instance instance;
    private AwsCloudNetwork network;
    private final Pool pool = new Pool();
    private long nowNanos = 1_000_000_000_000L;
    private int pods;

    @BeforeEach
    void start() throws IOException {
        vpc = LocalVpc.start(VpcSpec.loopback(new StrictVpcTest.NoPackets()).withIpv6());
        instance = vpc.launchInstance("m5.large", vpc.subnets().getFirst().id());
        network =
                new AwsCloudNetwork(
                        StrictVpcTest.settings(vpc),
                        CloudCallListener.NONE,
                        Expect.FAST,
                        CallPolicy.METADATA,
                        Runnable::run);
        pool.setLimits(done(network.identify()).limits());
    }

    @AfterEach
    void stop() {
        network.close();
        vpc.close();
    }

    @Test
    void hazard_18_a_subnet_in_pieces_serves_single_addresses_until_it_heals() {
        List<Eni> strangers = new ArrayList<>();
        String own = instance.primaryAddress().getHostAddress();
        for (int start = 16; start < 256; start += 16) {
            String address = "10.0.0." + (start + 5);
            if (!address.equals(own)) {
                strangers.add(vpc.console().takeAddress(subnetId(), address));
            }
        }
        // The first 16 hold the subnet's own five addresses.
        settle("ENABLE_PREFIX_DELEGATION", "true");
        assertThat(lengths()).hasSize(8).containsOnly(32);
        assertThat(pool.holds())
                .singleElement()
                .satisfies(hold -> {
                    assertThat(hold.subject()).isEqualTo(subnetId() + " prefixes");
                    assertThat(hold.refusal()).isEqualTo(Refusal.NO_FREE_PREFIX);
                    assertThat(hold.message()).contains("single addresses");
                });

        strangers.forEach(vpc.console()::delete);
        settle("ENABLE_PREFIX_DELEGATION", "true");
        lease(5);
        nowNanos += MINUTE;
        settle("ENABLE_PREFIX_DELEGATION", "true");
        assertThat(lengths()).hasSize(9).contains(28);
        assertThat(pool.holds()).extracting(Hold::refusal).doesNotContain(Refusal.NO_FREE_PREFIX);
        vpc.assertClean();
    }

    @Test
    void prefixes_come_from_a_range_reserved_for_them() {
        IpAddress own = IpAddress.parse(instance.primaryAddress().getHostAddress());
        Cidr reserved = Cidr.parse("10.0.0.64/28");
        if (reserved.contains(own)) {
            reserved = Cidr.parse("10.0.0.96/28");
        }
        vpc.console().reserve(subnetId(), reserved.toString(), true);
        settle("ENABLE_PREFIX_DELEGATION", "true");
        assertThat(blocks()).containsExactly(reserved);
        assertThat(lease(1)).containsExactly(reserved.network()); // all 16 are pods'
        vpc.assertClean();
    }

    @Test
    void a_deficit_is_spread_over_two_interfaces() {
        settle("ENABLE_PREFIX_DELEGATION", "true", "MINIMUM_IP_TARGET", "150");
        assertThat(lengths()).hasSize(10).containsOnly(28);
        assertThat(pool.interfaces()).hasSize(2);
        assertThat(pool.counts(nowNanos).free()).isEqualTo(160);
        vpc.assertClean();
    }

    @Test
    void a_pod_has_an_address_of_each_family() {
        pool.setFamilies(Families.BOTH);
        settle("ENABLE_IPv4", "true", "ENABLE_IPv6", "true");
        assertThat(lengths()).hasSize(9).containsOnlyOnce(80).contains(32);
        List<IpAddress> one = addresses();
        List<IpAddress> other = addresses();
        assertThat(one)
                .extracting(IpAddress::family)
                .containsExactly(IpAddress.Family.IPV4, IpAddress.Family.IPV6);
        assertThat(one).doesNotContainAnyElementsOf(other);
        assertThat(blocks()).anyMatch(block -> block.contains(one.getLast()));
        vpc.assertClean();
    }

    private String subnetId() {
        return instance.subnet().id();
    }

    private List<Cidr> blocks() {
        return pool.interfaces().stream()
                .flatMap(one -> one.blocks().stream())
                .map(block -> block.cidr())
                .toList();
    }

    private List<Integer> lengths() {
        return blocks().stream().map(Cidr::prefixLength).toList();
    }

    private List<IpAddress> lease(int count) {
        List<IpAddress> leased = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            leased.add(addresses().getFirst());
        }
        return leased;
    }

    /** All addresses of one more pod. */
    private List<IpAddress> addresses() {
        AttachmentKey pod = new AttachmentKey("underlay", "pod-" + pods++, "eth0");
        return ((LeaseAnswer.Leased) pool.lease(pod, nowNanos))
                .leases().stream().map(Lease::address).toList();
    }

    /** Plans and calls until nothing is left to do. */
    private void settle(String... namesAndValues) {
        PoolSettings settings = settings(namesAndValues);
        for (int i = 0; i < MOST_PLANS; i++) {
            Plan plan =
                    Planner.plan(
                            pool,
                            settings,
                            Demand.NONE,
                            nowNanos,
                            () -> UUID.randomUUID().toString());
            if (plan.actions().isEmpty()) {
                return;
            }
            plan.actions().forEach(action -> pool.begin(action, nowNanos));
            plan.actions().forEach(action -> pool.end(action, action.call(network), nowNanos));
            pool.interfaces().forEach(one -> pool.linkReady(one.id()));
        }
        throw new AssertionError("never settles");
    }

    private static PoolSettings settings(String... namesAndValues) {
        Map<String, String> environment =
                namesAndValues.length == 2
                        ? Map.of(namesAndValues[0], namesAndValues[1])
                        : Map.of(
                                namesAndValues[0],
                                namesAndValues[1],
                                namesAndValues[2],
                                namesAndValues[3]);
        return ((PoolSettings.Parsed.Good) PoolSettings.fromEnvironment(environment)).settings();
    }
}
