package dev.underlay.pool;

import static dev.underlay.pool.Fixtures.T;
import static dev.underlay.pool.Fixtures.blocks;
import static dev.underlay.pool.Fixtures.describe;
import static dev.underlay.pool.Fixtures.eni;
import static dev.underlay.pool.Fixtures.forget;
import static dev.underlay.pool.Fixtures.lease;
import static dev.underlay.pool.Fixtures.pod;
import static dev.underlay.pool.Fixtures.refuse;
import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.pool.CloudAction.AssignBlocks;
import dev.underlay.pool.CloudAction.UnassignBlocks;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Pods with an IPv6 address, alone or beside an IPv4 one. */
final class FamiliesTest {
    private static final Map<String, String> BOTH =
            Map.of("ENABLE_IPv4", "true", "ENABLE_IPv6", "true");
    private static final Map<String, String> IPV6 =
            Map.of("ENABLE_IPv6", "true", "ENABLE_PREFIX_DELEGATION", "true");
    private static final String SLASH_80 = "2001:db8::/80";
    private static final String[] NINE = {
        "10.0.0.1",
        "10.0.0.2",
        "10.0.0.3",
        "10.0.0.4",
        "10.0.0.5",
        "10.0.0.6",
        "10.0.0.7",
        "10.0.0.8",
        "10.0.0.9"
    };
    private static final AssignBlocks ASSIGN = new AssignBlocks("eni-0", BlockKind.PREFIX_80, 1);

    private static Pool pool(Families families, CloudInterface... described) {
        Pool pool = Fixtures.pool(described);
        pool.setFamilies(families);
        return pool;
    }

    private static String[] nineAnd(String more) {
        return Stream.concat(Arrays.stream(NINE), Stream.of(more)).toArray(String[]::new);
    }

    @Test
    void a_pod_has_one_address_of_each_family() {
        Pool pool = pool(Families.BOTH, eni(0, "10.0.0.1", SLASH_80));
        assertThat(lease(pool, "a", T)).isEqualTo("10.0.0.1 2001:db8::1");
        assertThat(lease(pool, "a", T)).isEqualTo("again 10.0.0.1 2001:db8::1");
        assertThat(pool.counts(T)).isEqualTo(new Counts(1, 0, 0, 0));
        assertThat(pool.release(pod("a"), T, 30)).hasSize(2);
        assertThat(pool.leases()).isEmpty();
        assertThat(pool.cooled(T + 31))
                .containsExactly(IpAddress.parse("10.0.0.1"), IpAddress.parse("2001:db8::1"));
        forget(pool, T + 31);
        assertThat(lease(pool, "b", T + 31)).isEqualTo("10.0.0.1 2001:db8::2");
    }

    @Test
    void nothing_is_free_before_both_families_are_and_the_prefix_is_asked_for_once() {
        Pool pool = pool(Families.BOTH, eni(0, NINE));
        assertThat(lease(pool, "a", T)).isEqualTo("none");
        assertThat(pool.leases()).isEmpty();
        assertThat(pool.counts(T)).isEqualTo(new Counts(0, 0, 0, 9));
        Plan plan = Fixtures.plan(pool, 1, T);
        assertThat(plan.actions()).containsExactly(ASSIGN);
        assertThat(plan.outlook()).isInstanceOf(Outlook.Coming.class);
        pool.begin(ASSIGN, T);
        assertThat(Fixtures.plan(pool, 1, T).actions()).isEmpty();
        pool.end(ASSIGN, new CloudAnswer.Done<>(blocks(SLASH_80)), T);
        assertThat(pool.counts(T).free()).isEqualTo(9);
        assertThat(Fixtures.plan(pool, 0, T).actions()).isEmpty();
    }

    /** An IPv6 prefix and IPv4 addresses have slots of their own. */
    @Test
    void a_prefix_takes_no_slot_of_an_address() {
        Pool pool = pool(Families.BOTH, eni(0, nineAnd(SLASH_80)));
        for (int i = 0; i < 6; i++) {
            lease(pool, "pod-" + i, T);
        }
        assertThat(Fixtures.plan(pool, 0, T).actions())
                .singleElement()
                .isInstanceOf(CloudAction.CreateInterface.class);
        pool = pool(Families.BOTH, eni(0, "10.0.0.1", SLASH_80));
        assertThat(Fixtures.plan(pool, 2, T).actions())
                .contains(new AssignBlocks("eni-0", BlockKind.SECONDARY_ADDRESS, 8));
    }

    @ParameterizedTest
    @EnumSource(
            value = Refusal.class,
            names = {"SUBNET_FULL", "NO_FREE_PREFIX", "NOT_PERMITTED", "INTERFACE_FULL"})
    void a_refused_prefix_holds_nothing_of_ipv4_up(Refusal refusal) {
        Pool pool = pool(Families.BOTH, eni(0, "10.0.0.1"));
        refuse(pool, ASSIGN, refusal, T);
        describe(pool, T + 1, eni(0, "10.0.0.1"));
        Plan plan = Fixtures.plan(pool, 0, T + 1);
        assertThat(plan.actions())
                .containsExactly(new AssignBlocks("eni-0", BlockKind.SECONDARY_ADDRESS, 7));
        assertThat(pool.holds()).extracting(Hold::subject).containsExactly(Answers.ASSIGN_IPV6);
        assertThat(plan.outlook()).isInstanceOf(Outlook.Stuck.class);
        long later = T + Timing.backoffNanos(refusal, 1);
        assertThat(Fixtures.plan(pool, 0, later).actions()).contains(ASSIGN);
    }

    /** And the other way round. */
    @Test
    void a_subnet_without_an_ipv4_address_has_prefixes() {
        Pool pool = pool(Families.BOTH, eni(0, "10.0.0.1"));
        AssignBlocks assign = new AssignBlocks("eni-0", BlockKind.SECONDARY_ADDRESS, 7);
        refuse(pool, assign, Refusal.SUBNET_FULL, T);
        assertThat(Fixtures.plan(pool, 0, T).actions()).contains(ASSIGN);
        Fixtures.answer(pool, ASSIGN, blocks(SLASH_80), T);
        assertThat(pool.holds()).extracting(Hold::subject).containsExactly("subnet-0");
    }

    /** As the VPC CNI: one prefix on the primary interface, and no target counts. */
    @Test
    void ipv6_alone_needs_one_call_for_ever() {
        TestNode node = new TestNode(Fixtures.M5_LARGE, TestNode.settings(IPV6));
        assertThat(node.shape()).isEqualTo("1 interfaces, 65535 addresses, 65535 free [1]");
        node.pods(300);
        assertThat(node.waiting()).isZero();
        node.pods(0);
        node.pass(3 * Timing.QUIET_NANOS);
        assertThat(node.cloud.mutations).isOne();
    }

    @Test
    void both_families_hold_as_many_ipv4_addresses_as_ipv4_alone() {
        for (String target : List.of("WARM_ENI_TARGET", "WARM_IP_TARGET", "MINIMUM_IP_TARGET")) {
            TestNode one = new TestNode(Fixtures.M5_LARGE, settings(Map.of(target, "1")));
            TestNode two =
                    new TestNode(
                            Fixtures.M5_LARGE,
                            settings(Map.of(target, "1", "ENABLE_IPv4", "1", "ENABLE_IPv6", "1")));
            for (int pods : new int[] {0, 5, 20, 3}) {
                for (TestNode node : List.of(one, two)) {
                    node.pods(pods);
                    node.pass(3 * Timing.QUIET_NANOS);
                }
                assertThat(two.counts()).isEqualTo(one.counts());
            }
            assertThat(two.cloud.mutations).isEqualTo(one.cloud.mutations + 1);
        }
    }

    private static PoolSettings settings(Map<String, String> environment) {
        return TestNode.settings(environment);
    }

    /** G57: the VPC CNI does not start there. */
    @Test
    void a_type_without_prefixes_cannot_have_ipv6() {
        for (Map<String, String> environment : List.of(BOTH, IPV6)) {
            TestNode node =
                    new TestNode(new NodeIdentity.Limits(2, 10, false), settings(environment));
            node.pods(1);
            assertThat(node.waiting()).isOne();
            assertThat(node.outlook().text()).contains("takes no prefixes", "unset ENABLE_IPv6");
        }
    }

    /** Nor is anything asked for in vain: what is here and on its way stays as it was. */
    @Test
    void a_node_without_an_ipv6_address_serves_no_pod_that_needs_one() {
        for (Families families : List.of(Families.IPV6, Families.BOTH)) {
            Pool pool = pool(families, eni(0, nineAnd(SLASH_80)));
            pool.setNodeHasIpv6(false);
            assertThat(lease(pool, "a", T)).isEqualTo("none");
            assertThat(pool.counts(T).free()).isZero();
            Plan plan = Fixtures.plan(pool, 1, T);
            assertThat(plan.actions()).isEmpty();
            assertThat(plan.outlook().text())
                    .contains(
                            "the node has no IPv6 address of its own",
                            "restart ipamd",
                            "unset ENABLE_IPv6");
            pool.setNodeHasIpv6(true);
            assertThat(lease(pool, "a", T)).endsWith("2001:db8::1");
        }
        Pool ipv4 = pool(Families.IPV4, eni(0, NINE));
        ipv4.setNodeHasIpv6(false);
        assertThat(lease(ipv4, "a", T)).isEqualTo("10.0.0.1");
    }

    @Test
    void the_family_that_is_missing_is_named() {
        Pool pool = pool(Families.BOTH, eni(0, "10.0.0.1"));
        assertThat(pool.missing(T)).containsExactly(IpAddress.Family.IPV6);
        pool = pool(Families.BOTH, eni(0, "10.0.0.1", SLASH_80));
        assertThat(pool.missing(T)).isEmpty();
        lease(pool, "a", T);
        assertThat(pool.missing(T)).containsExactly(IpAddress.Family.IPV4);
    }

    /** Nobody knows which of them a pod had: none is leased, and those of living pods stay. */
    @Test
    void a_prefix_rests_as_a_whole_where_it_is_not_known_who_had_its_addresses() {
        Pool pool = pool(Families.IPV6, eni(0, SLASH_80));
        lease(pool, "living", T);
        pool.restAll(T + 30, T);
        assertThat(lease(pool, "a", T + 30)).isEqualTo("none");
        assertThat(pool.counts(T + 30).free()).isZero();
        assertThat(pool.nextCooledNanos(T)).hasValue(T + 30);
        assertThat(Fixtures.plan(pool, 1, T).wakeAtNanos()).hasValue(T + 31);
        assertThat(pool.leases()).hasSize(1);
        assertThat(lease(pool, "a", T + 31)).isEqualTo("2001:db8::2");
        assertThat(pool.nextCooledNanos(T + 31)).isEmpty();
    }

    /** So that an address rests as long as can be: 65,535 pods come in between. */
    @Test
    void the_addresses_of_a_prefix_are_used_in_turn() {
        Pool pool = pool(Families.IPV6, eni(0, SLASH_80));
        pool.adopt(new Lease(pod("last"), IpAddress.parse("2001:db8::fffe"), "eni-0"), T);
        assertThat(lease(pool, "a", T)).isEqualTo("2001:db8::ffff");
        assertThat(lease(pool, "b", T)).isEqualTo("2001:db8::1");
        pool.release(pod("a"), T, 0);
        pool.release(pod("b"), T, 0);
        forget(pool, T + 1);
        assertThat(lease(pool, "c", T + 1)).isEqualTo("2001:db8::2");
        for (int i = 0; i < 1000; i++) {
            lease(pool, "d", T + 2 + i);
            pool.release(pod("d"), T + 2 + i, 0);
            forget(pool, T + 3 + i);
        }
        assertThat(pool.interfaces().getFirst().blocks().getFirst().slots()).hasSize(2);
    }

    @Test
    void a_prefix_that_is_not_wanted_goes_and_one_that_is_stays() {
        long later = T + Timing.QUIET_NANOS;
        CloudInterface zero = eni(0, "10.0.0.1", "10.0.0.2", SLASH_80);
        assertThat(Fixtures.plan(pool(Families.IPV4, zero), 0, later).actions())
                .contains(new AssignBlocks("eni-0", BlockKind.SECONDARY_ADDRESS, 6));
        CloudInterface eight = eni(0, nineAnd(SLASH_80));
        assertThat(Fixtures.plan(pool(Families.IPV4, eight), 0, later).actions())
                .containsExactly(new UnassignBlocks("eni-0", blocks(SLASH_80, "10.0.0.9")));
        assertThat(Fixtures.plan(pool(Families.BOTH, eight), 0, later).actions())
                .containsExactly(new UnassignBlocks("eni-0", blocks("10.0.0.9")));
    }

    @Test
    void another_address_of_a_pod_gives_way_in_its_family_alone() {
        Pool pool = pool(Families.BOTH, eni(0, "10.0.0.1", "10.0.0.2", SLASH_80));
        lease(pool, "a", T);
        Lease other = new Lease(pod("a"), IpAddress.parse("10.0.0.2"), "eni-0");
        assertThat(pool.adopt(other, T))
                .extracting(it -> "" + it.address())
                .containsExactly("10.0.0.1");
        assertThat(lease(pool, "a", T)).isEqualTo("again 10.0.0.2 2001:db8::1");
    }
}
