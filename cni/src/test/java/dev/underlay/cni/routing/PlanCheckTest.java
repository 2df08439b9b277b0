package dev.underlay.cni.routing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.cni.netlink.IpPrefix;
import dev.underlay.cni.netlink.Route;
import dev.underlay.cni.netlink.Rule;
import dev.underlay.cni.routing.PlanCheck.Standing;
import dev.underlay.cni.routing.PlanCheck.StandingLink;
import dev.underlay.cni.routing.RoutingDifference.Kind;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A node with eth0 (link 2) and an attached eth1 (link 3), a block on each. */
class PlanCheckTest {
    private static final boolean[] IPV4 = {false};

    private static final AttachedInterface SECOND =
            new AttachedInterface(
                    2,
                    3,
                    9001,
                    List.of(
                            new AttachedInterface.OwnAddress(
                                    new IpPrefix(IpPrefix.literal("10.0.0.20"), 24),
                                    IpPrefix.literal("10.0.0.1"))));

    private static final NodePlan PLAN =
            NodePlan.of(
                            new Primary(2, List.of(IpPrefix.literal("10.0.0.10"))),
                            Map.of(2, SECOND),
                            Map.of(),
                            List.of(new IpPrefix(IpPrefix.literal("10.0.0.0"), 16)))
                    .withBlocks(1, List.of(host("10.0.0.11"), host("10.0.0.12")))
                    .withBlocks(2, List.of(host("10.0.0.21")));

    private static final String TABLE =
            UnderlayTable.normalized(UnderlayTable.render(PLAN, String::valueOf));

    private static final Rule ALIEN =
            new Rule(false, 700, Optional.empty(), 100, 127, 254, Marks.PROTOCOL);

    private static IpPrefix host(String address) {
        return IpPrefix.host(IpPrefix.literal(address));
    }

    private static StandingLink link() {
        return new StandingLink(
                true,
                SECOND.addresses().stream().map(AttachedInterface.OwnAddress::address).toList(),
                SECOND.routes(false));
    }

    private static Standing standing(StandingLink link, String table) {
        return new Standing(PLAN.rules(false), PLAN.unreachable(false), Map.of(2, link), table);
    }

    private static List<RoutingDifference> compare(Standing standing) {
        return PlanCheck.compare(PLAN, IPV4, TABLE, standing);
    }

    private static <T> List<T> without(List<T> list, T one) {
        return list.stream().filter(e -> !e.equals(one)).toList();
    }

    private static List<Kind> kinds(List<RoutingDifference> differences) {
        return differences.stream().map(RoutingDifference::kind).toList();
    }

    private static List<RoutingDifference> withTable(UnaryOperator<String> change) {
        String changed = change.apply(TABLE);
        assertThat(changed).isNotEqualTo(TABLE);
        return compare(standing(link(), changed));
    }

    @Test
    void what_stands_as_planned_is_not_mentioned() {
        assertThat(compare(standing(link(), TABLE))).isEmpty();
    }

    @Test
    void a_missing_and_an_extra_rule_are_named() {
        Rule gone = PLAN.rules(false).getLast();
        List<Rule> rules =
                Stream.concat(without(PLAN.rules(false), gone).stream(), Stream.of(ALIEN)).toList();

        assertThat(compare(new Standing(rules, PLAN.unreachable(false), Map.of(2, link()), TABLE)))
                .containsExactly(
                        new RoutingDifference(Kind.RULE_MISSING, gone.toString()),
                        new RoutingDifference(Kind.RULE_EXTRA, ALIEN.toString()));
    }

    @Test
    void a_missing_and_an_extra_block_route_are_named() {
        Route extra = NodePlan.unreachable(2, host("10.0.0.99"));
        List<Route> routes =
                Stream.concat(PLAN.unreachable(false).stream().skip(1), Stream.of(extra)).toList();

        assertThat(compare(new Standing(PLAN.rules(false), routes, Map.of(2, link()), TABLE)))
                .containsExactly(
                        new RoutingDifference(
                                Kind.BLOCK_ROUTE_MISSING,
                                PLAN.unreachable(false).getFirst().toString()),
                        new RoutingDifference(Kind.BLOCK_ROUTE_EXTRA, extra.toString()));
    }

    @Test
    void an_interface_is_checked_for_state_address_and_routes() {
        Route extra =
                Route.onLink(
                        host("10.0.0.99"), 3, Optional.empty(), SECOND.table(), Marks.PROTOCOL);
        StandingLink broken = new StandingLink(false, List.of(), List.of(extra));

        assertThat(kinds(compare(standing(broken, TABLE))))
                .containsExactly(
                        Kind.INTERFACE_LINK_DOWN,
                        Kind.INTERFACE_ADDRESS_MISSING,
                        Kind.INTERFACE_ROUTE_MISSING,
                        Kind.INTERFACE_ROUTE_MISSING,
                        Kind.INTERFACE_ROUTE_EXTRA);
    }

    @Test
    void of_an_interface_without_a_link_only_that_is_said() {
        Standing standing =
                new Standing(PLAN.rules(false), PLAN.unreachable(false), Map.of(), TABLE);

        assertThat(compare(standing))
                .containsExactly(
                        new RoutingDifference(Kind.INTERFACE_LINK_GONE, "link 3 of interface 2"));
    }

    @Test
    void a_missing_nftables_table_is_one_difference() {
        assertThat(kinds(compare(standing(link(), "")))).containsExactly(Kind.NFT_TABLE_MISSING);
    }

    @Test
    void missing_and_extra_elements_of_a_map_are_named() {
        assertThat(withTable(t -> t.replace("10.0.0.12:gotoif1", "10.0.0.99:gotoif2")))
                .containsExactly(
                        new RoutingDifference(
                                Kind.MAP_ELEMENT_MISSING, "10.0.0.12 : goto if1 of map source4"),
                        new RoutingDifference(
                                Kind.MAP_ELEMENT_EXTRA, "10.0.0.99 : goto if2 of map source4"));
    }

    @Test
    void an_emptied_set_misses_its_elements() {
        assertThat(withTable(t -> t.replace("elements={10.0.0.0/16}", "")))
                .containsExactly(
                        new RoutingDifference(Kind.MAP_ELEMENT_MISSING, "10.0.0.0/16 of set vpc4"));
    }

    @Test
    void a_changed_chain_is_named() {
        assertThat(withTable(t -> t.replace("missingcounterdrop", "missingcounteraccept")))
                .containsExactly(
                        new RoutingDifference(
                                Kind.NFT_TABLE_CHANGED, "chain spoofed of inet underlay"));
    }

    @Test
    void a_foreign_chain_and_a_lost_map_are_named() {
        assertThat(withTable(t -> t.replace("mapsource6{", "chainother{")))
                .containsExactly(
                        new RoutingDifference(
                                Kind.NFT_TABLE_CHANGED, "map source6 of inet underlay"),
                        new RoutingDifference(
                                Kind.NFT_TABLE_CHANGED, "chain other of inet underlay"));
    }
}
