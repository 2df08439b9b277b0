package dev.underlay.cni.routing;

import dev.underlay.cni.netlink.IpPrefix;
import dev.underlay.cni.netlink.Route;
import dev.underlay.cni.netlink.Rule;
import dev.underlay.cni.routing.RoutingDifference.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Compares a plan with what stands in the kernel. Pure: values in, differences out. */
final class PlanCheck {
    private static final Pattern ELEMENTS = Pattern.compile("elements=\\{([^}]*)}");

    /**
     * An attached interface's link.
     *
     * @param up whether it is administratively up
     * @param addresses what it carries
     * @param routes its table, both families
     */
    record StandingLink(boolean up, List<IpPrefix> addresses, List<Route> routes) {}

    /**
     * What stands in the kernel.
     *
     * @param rules ours, both families
     * @param blockRoutes the {@code unreachable} ones, both families
     * @param links attached interfaces' by number; no entry for one that is gone
     * @param table the nftables table without white space, empty when there is none
     */
    record Standing(
            List<Rule> rules,
            List<Route> blockRoutes,
            Map<Integer, StandingLink> links,
            String table) {}

    private final List<RoutingDifference> differences = new ArrayList<>();

    private PlanCheck() {}

    /**
     * All that differs, rules first.
     *
     * @param wantedTable as nft would list the plan's table, without white space
     */
    static List<RoutingDifference> compare(
            NodePlan plan, boolean[] families, String wantedTable, Standing standing) {
        PlanCheck check = new PlanCheck();
        List<Rule> rules = new ArrayList<>();
        List<Route> blocks = new ArrayList<>();
        for (boolean family : families) {
            rules.addAll(plan.rules(family));
            blocks.addAll(plan.unreachable(family));
        }
        check.both(Kind.RULE_MISSING, rules, Kind.RULE_EXTRA, standing.rules());
        check.both(
                Kind.BLOCK_ROUTE_MISSING, blocks, Kind.BLOCK_ROUTE_EXTRA, standing.blockRoutes());
        for (AttachedInterface one : plan.attached().values()) {
            check.link(one, families, standing.links());
        }
        check.table(wantedTable, standing.table());
        return check.differences;
    }

    private void link(
            AttachedInterface one, boolean[] families, Map<Integer, StandingLink> standing) {
        String name = "link " + one.linkIndex() + " of interface " + one.number();
        StandingLink link = standing.get(one.number());
        if (link == null) {
            add(Kind.INTERFACE_LINK_GONE, name);
            return; // Its routes and addresses went with it.
        }
        if (!link.up()) {
            add(Kind.INTERFACE_LINK_DOWN, name);
        }
        for (AttachedInterface.OwnAddress own : one.addresses()) {
            if (!link.addresses().contains(own.address())) {
                add(Kind.INTERFACE_ADDRESS_MISSING, own.address() + " on " + name);
            }
        }
        List<Route> routes = new ArrayList<>();
        for (boolean family : families) {
            routes.addAll(one.routes(family));
        }
        both(Kind.INTERFACE_ROUTE_MISSING, routes, Kind.INTERFACE_ROUTE_EXTRA, link.routes());
    }

    private void table(String wanted, String there) {
        if (there.isEmpty()) {
            add(Kind.NFT_TABLE_MISSING, UnderlayTable.NAME);
            return;
        }
        Map<String, String> wantedParts = parts(wanted);
        Map<String, String> thereParts = parts(there);
        Set<String> names = new LinkedHashSet<>(wantedParts.keySet());
        names.addAll(thereParts.keySet());
        for (String name : names) {
            String wantedPart = wantedParts.getOrDefault(name, "");
            String therePart = thereParts.getOrDefault(name, "");
            if (!withoutElements(wantedPart).equals(withoutElements(therePart))) {
                add(Kind.NFT_TABLE_CHANGED, spaced(name) + " of " + UnderlayTable.NAME);
            } else {
                both(
                        Kind.MAP_ELEMENT_MISSING,
                        elements(name, wantedPart),
                        Kind.MAP_ELEMENT_EXTRA,
                        elements(name, therePart));
            }
        }
    }

    /** The table's chains, maps and sets by name; the text is without white space. */
    private static Map<String, String> parts(String table) {
        Map<String, String> parts = new LinkedHashMap<>();
        int start = table.indexOf('{') + 1;
        int depth = 0;
        int name = start;
        int body = start;
        for (int i = start; i < table.length(); i++) {
            if (table.charAt(i) == '{' && depth++ == 0) {
                body = i;
            } else if (table.charAt(i) == '}' && --depth == 0) {
                parts.put(table.substring(name, body), table.substring(body, i + 1));
                name = i + 1;
            }
        }
        return parts;
    }

    private static String withoutElements(String part) {
        return ELEMENTS.matcher(part).replaceAll("");
    }

    private static List<String> elements(String name, String part) {
        Matcher found = ELEMENTS.matcher(part);
        return found.find()
                ? Pattern.compile(",")
                        .splitAsStream(found.group(1))
                        .map(e -> e.replace(":gotoif", " : goto if") + " of " + spaced(name))
                        .toList()
                : List.of();
    }

    /** {@code mapsource4} is {@code map source4}. */
    private static String spaced(String name) {
        return name.replaceFirst("^(chain|map|set)", "$1 ");
    }

    private <T> void both(Kind missing, List<T> wanted, Kind extra, List<T> there) {
        wanted.stream().filter(w -> !there.contains(w)).forEach(w -> add(missing, w.toString()));
        there.stream().filter(t -> !wanted.contains(t)).forEach(t -> add(extra, t.toString()));
    }

    private void add(Kind kind, String thing) {
        differences.add(new RoutingDifference(kind, thing));
    }
}
