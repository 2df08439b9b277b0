package dev.underlay.cni.routing;

import dev.underlay.cni.netlink.IpPrefix;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.stream.Collectors;

/**
 * The nftables table {@code inet underlay} as text, in the words in which nft lists it, so that
 * what stands in the kernel can be compared with it.
 *
 * <pre>
 *   spoofed      -300  a pod's packet whose source is not the pod's own is dropped
 *   from          -90  after every DNAT, before routing: the mark of the interface it must leave by;
 *                      the interface that a flow came in by beats its source
 *   own_sockets  -150  the same for replies of the node's own sockets
 *   egress        100  what leaves the network by the primary interface gets the node's address
 * </pre>
 */
final class UnderlayTable {
    static final String NAME = "inet underlay";

    private UnderlayTable() {}

    /**
     * The table's definition.
     *
     * @param link how a link is written: its index to load the table, its quoted name to compare
     */
    static String render(NodePlan plan, IntFunction<String> link) {
        List<String> lines = new ArrayList<>();
        lines.add("table " + NAME + " {");
        lines.addAll(set("set vpc4", "ipv4_addr", elements(plan.networkCidrs(), false, "")));
        lines.addAll(set("map source4", "ipv4_addr : verdict", sources(plan, false)));
        lines.addAll(set("map source6", "ipv6_addr : verdict", sources(plan, true)));
        for (int number : plan.numbers()) {
            lines.add("chain if" + number + " {");
            lines.add("meta mark set meta mark " + setBits(number));
            lines.add("}");
        }
        lines.addAll(spoofed());
        lines.addAll(from(plan, link));
        lines.addAll(ownSockets(plan));
        lines.addAll(egress(plan, link));
        lines.add("}");
        return String.join("\n", lines) + "\n";
    }

    /** One transaction that puts the definition in the place of whatever table stands there. */
    static String replace(String definition) {
        return "table " + NAME + " {}\ndelete table " + NAME + "\n" + definition;
    }

    /** Both texts without white space are equal when the tables are. */
    static String normalized(String text) {
        return text.replaceAll("\\s+", "");
    }

    private static List<String> spoofed() {
        String fromPods = "iifgroup " + Marks.POD_LINK_GROUP;
        return chain(
                "spoofed",
                "filter hook prerouting priority -300",
                fromPods + " ip6 saddr { ::, fe80::/10 } accept",
                fromPods + " fib saddr . iif oif missing counter drop");
    }

    private static List<String> from(NodePlan plan, IntFunction<String> link) {
        List<String> rules = new ArrayList<>();
        for (int number : plan.numbers()) {
            rules.add(
                    "ct direction original ct state new iif "
                            + link.apply(linkOf(plan, number))
                            + " ct mark set ct mark "
                            + setBits(number));
        }
        rules.add("ct direction reply " + byConnectionMark(plan));
        rules.add("ip daddr @vpc4 ip saddr vmap @source4");
        rules.add("ip6 saddr vmap @source6");
        return chain("from", "filter hook prerouting priority -90", rules);
    }

    /**
     * Only "established": the node's own ICMP errors are "related", carry its primary address and
     * must leave by the primary interface.
     */
    private static List<String> ownSockets(NodePlan plan) {
        return chain(
                "own_sockets",
                "route hook output priority -150",
                "ct state established ct direction reply " + byConnectionMark(plan));
    }

    private static List<String> egress(NodePlan plan, IntFunction<String> link) {
        String node = IpPrefix.text(plan.primary().ipv4());
        return chain(
                "egress",
                "nat hook postrouting priority 100",
                "oif "
                        + link.apply(plan.primary().linkIndex())
                        + " ip saddr @vpc4 ip saddr != "
                        + node
                        + " ip daddr != @vpc4 snat ip to "
                        + node
                        + " fully-random");
    }

    private static int linkOf(NodePlan plan, int number) {
        AttachedInterface attached = plan.attached().get(number);
        return attached == null ? plan.primary().linkIndex() : attached.linkIndex();
    }

    private static String byConnectionMark(NodePlan plan) {
        return plan.numbers().stream()
                .map(n -> hex(n) + " : goto if" + n)
                .collect(
                        Collectors.joining(
                                ", ", "ct mark & " + hex(Marks.INTERFACE_MASK) + " vmap { ", " }"));
    }

    /**
     * Sets our bits and leaves the others: {@code & 0xffffff82 | 0x00000002}. The kernel keeps one
     * mask and one value, so the bits that are set are shown in the mask too.
     */
    private static String setBits(int number) {
        return "& " + hex(~Marks.INTERFACE_MASK | number) + " | " + hex(number);
    }

    private static String hex(int value) {
        return String.format(Locale.ROOT, "0x%08x", value);
    }

    private static List<String> sources(NodePlan plan, boolean ipv6) {
        return plan.blocks().entrySet().stream()
                .flatMap(e ->
                        e.getValue().stream()
                                .filter(p -> p.isIpv6() == ipv6)
                                .map(p -> Map.entry(p, e.getKey())))
                .sorted(Map.Entry.comparingByKey())
                .map(e -> element(e.getKey()) + " : goto if" + e.getValue())
                .toList();
    }

    private static List<String> elements(
            Collection<IpPrefix> prefixes, boolean ipv6, String suffix) {
        return prefixes.stream()
                .filter(p -> p.isIpv6() == ipv6)
                .map(p -> element(p) + suffix)
                .toList();
    }

    private static String element(IpPrefix prefix) {
        return prefix.isHost() ? IpPrefix.text(prefix.address()) : prefix.toString();
    }

    private static List<String> set(String name, String type, List<String> elements) {
        List<String> lines = new ArrayList<>();
        lines.add(name + " {");
        lines.add("type " + type);
        lines.add("flags interval");
        if (!elements.isEmpty()) {
            lines.add("elements = { " + String.join(",\n", elements) + " }");
        }
        lines.add("}");
        return lines;
    }

    private static List<String> chain(String name, String hook, String... rules) {
        return chain(name, hook, List.of(rules));
    }

    private static List<String> chain(String name, String hook, List<String> rules) {
        List<String> lines = new ArrayList<>();
        lines.add("chain " + name + " {");
        lines.add("type " + hook + "; policy accept;");
        lines.addAll(rules);
        lines.add("}");
        return lines;
    }
}
