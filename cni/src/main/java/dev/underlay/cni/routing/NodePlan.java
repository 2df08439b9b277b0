package dev.underlay.cni.routing;

import dev.underlay.cni.netlink.IpPrefix;
import dev.underlay.cni.netlink.Route;
import dev.underlay.cni.netlink.Rule;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What the node's routing should be, as a value.
 *
 * @param primary the primary interface
 * @param attached the others, by number
 * @param blocks what the cloud has assigned, by interface number
 * @param networkCidrs where traffic is never translated
 */
record NodePlan(
        Primary primary,
        SortedMap<Integer, AttachedInterface> attached,
        SortedMap<Integer, SortedSet<IpPrefix>> blocks,
        SortedSet<IpPrefix> networkCidrs) {

    static NodePlan of(
            Primary primary,
            Map<Integer, AttachedInterface> attached,
            Map<Integer, SortedSet<IpPrefix>> blocks,
            Collection<IpPrefix> networkCidrs) {
        return new NodePlan(
                primary,
                new TreeMap<>(attached),
                new TreeMap<>(blocks),
                withoutContained(networkCidrs));
    }

    NodePlan withPrimary(Primary now) {
        return of(now, attached, blocks, networkCidrs);
    }

    NodePlan withNetworkCidrs(Collection<IpPrefix> now) {
        return of(primary, attached, blocks, now);
    }

    NodePlan withAttached(AttachedInterface now) {
        Map<Integer, AttachedInterface> changed = new TreeMap<>(attached);
        changed.put(now.number(), now);
        return of(primary, changed, blocks, networkCidrs);
    }

    NodePlan withoutAttached(int number) {
        Map<Integer, AttachedInterface> changed = new TreeMap<>(attached);
        changed.remove(number);
        return of(primary, changed, blocks, networkCidrs).withBlocks(number, List.of());
    }

    NodePlan withBlocks(int number, Collection<IpPrefix> now) {
        Map<Integer, SortedSet<IpPrefix>> changed = new TreeMap<>(blocks);
        if (now.isEmpty()) {
            changed.remove(number);
        } else {
            changed.put(number, withoutContained(now));
        }
        return of(primary, attached, changed, networkCidrs);
    }

    boolean knows(int number) {
        return number == Marks.PRIMARY_INTERFACE || attached.containsKey(number);
    }

    /** The numbers of all interfaces, the primary's first. */
    SortedSet<Integer> numbers() {
        SortedSet<Integer> numbers = new TreeSet<>(attached.keySet());
        numbers.add(Marks.PRIMARY_INTERFACE);
        return numbers;
    }

    /** As many as interfaces ask for; never one for a pod. */
    List<Rule> rules(boolean ipv6) {
        List<Rule> rules = new ArrayList<>();
        rules.add(
                new Rule(
                        ipv6,
                        Marks.TO_POD_RULE,
                        Optional.empty(),
                        0,
                        0,
                        Marks.TO_POD_TABLE,
                        Marks.PROTOCOL));
        for (int number : numbers()) {
            AttachedInterface one = attached.get(number);
            rules.add(
                    new Rule(
                            ipv6,
                            Marks.MARK_RULE_BASE + number,
                            Optional.empty(),
                            number,
                            Marks.INTERFACE_MASK,
                            one == null ? Route.TABLE_MAIN : one.table(),
                            Marks.PROTOCOL));
        }
        attached.values().stream()
                .flatMap(a -> a.ownAddressRules().stream())
                .filter(r -> r.ipv6() == ipv6)
                .forEach(rules::add);
        return rules;
    }

    /** One for each block: an address without a pod is unreachable on this node at once. */
    List<Route> unreachable(boolean ipv6) {
        List<Route> routes = new ArrayList<>();
        blocks.forEach((number, prefixes) ->
                prefixes.stream()
                        .filter(p -> p.isIpv6() == ipv6)
                        .map(p -> unreachable(number, p))
                        .forEach(routes::add));
        return routes;
    }

    static Route unreachable(int number, IpPrefix block) {
        return Route.unreachable(
                block, Marks.TO_POD_TABLE, Marks.UNREACHABLE_METRIC + number, Marks.PROTOCOL);
    }

    /** Sorted, host bits cleared, without what another one contains. */
    private static SortedSet<IpPrefix> withoutContained(Collection<IpPrefix> prefixes) {
        SortedSet<IpPrefix> kept = new TreeSet<>();
        for (IpPrefix prefix : prefixes) {
            IpPrefix network = prefix.network();
            boolean contained =
                    prefixes.stream()
                            .map(IpPrefix::network)
                            .anyMatch(o -> !o.equals(network) && o.contains(network));
            if (!contained) {
                kept.add(network);
            }
        }
        return kept;
    }
}
