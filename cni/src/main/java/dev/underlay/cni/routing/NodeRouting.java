package dev.underlay.cni.routing;

import dev.underlay.cni.netlink.IpPrefix;
import dev.underlay.cni.netlink.Link;
import dev.underlay.cni.netlink.LinkAddress;
import dev.underlay.cni.netlink.LinkChange;
import dev.underlay.cni.netlink.Message;
import dev.underlay.cni.netlink.Neighbour;
import dev.underlay.cni.netlink.NetlinkException;
import dev.underlay.cni.netlink.Route;
import dev.underlay.cni.netlink.RouteSocket;
import dev.underlay.cni.netlink.Rule;
import dev.underlay.cni.nft.NftException;
import dev.underlay.cni.nft.Nftables;
import java.io.IOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the node's tables, rules and translation as they should be. Every method makes the kernel
 * agree before it returns: what is missing is added, then what is too much is removed, and what is
 * right is not touched, so that calling again is always safe and repairs. An attached interface in
 * trouble fails the calls about itself and {@link #repair}, no others. What an earlier process left
 * (interfaces and blocks) is taken over at {@link #open}. Methods block; one runs at a time.
 */
public final class NodeRouting implements AutoCloseable {
    private static final int LOOSE = 2; // Documentation/networking/ip-sysctl.rst, rp_filter

    private final RouteSocket host;
    private final Nftables nftables;
    private final boolean ipv6 = Sysctls.hasIpv6();
    private final Map<Integer, AttachedInterface> recoveredInterfaces = new TreeMap<>();
    private final Map<Integer, SortedSet<IpPrefix>> recoveredBlocks = new TreeMap<>();
    private @Nullable NodePlan plan;

    /** What was loaded last and how nft listed it then: another version may use other words. */
    private String loaded = "";

    private String listing = "";

    private NodeRouting(RouteSocket host, Nftables nftables) {
        this.host = host;
        this.nftables = nftables;
    }

    /**
     * Opens nftables in the calling thread's namespace and reads what stands there.
     *
     * @param host a socket of the same namespace; stays open as long as this is used
     */
    public static NodeRouting open(RouteSocket host) throws IOException {
        NodeRouting routing = new NodeRouting(host, Nftables.open());
        try {
            routing.recover();
        } catch (IOException e) {
            routing.close();
            throw e;
        }
        return routing;
    }

    /**
     * Matches the link of a cloud interface: hardware with that address, or a virtual machine's
     * likeness of it, but nothing that shares another link's address.
     *
     * @param mac lower case with colons
     */
    public static Predicate<Link> isInterface(String mac) {
        return l ->
                l.mac().equals(mac)
                        && l.master() == 0
                        && l.group() != Marks.POD_LINK_GROUP
                        && l.group() != Marks.TRASH_LINK_GROUP
                        && (l.kind().isEmpty() || l.kind().equals("veth"));
    }

    /**
     * Makes the node a router for its pods. First call of all; again after any change of the
     * primary interface, or to repair.
     *
     * @param networkCidrs where traffic is never translated; IPv6 is never translated anyway
     * @throws IOException also when the primary interface does not carry the IPv6 address of the
     *     node: no packet could leave with it, and no route to a pod name it
     */
    public synchronized void setup(Primary primary, Collection<IpPrefix> networkCidrs)
            throws IOException {
        requireIpv6(primary);
        NodePlan now = plan;
        apply(
                now == null
                        ? NodePlan.of(primary, recoveredInterfaces, recoveredBlocks, networkCidrs)
                        : now.withPrimary(primary).withNetworkCidrs(networkCidrs),
                _ -> false);
    }

    private void requireIpv6(Primary primary) throws IOException {
        for (InetAddress own : primary.addresses()) {
            boolean there =
                    host.addresses(primary.linkIndex()).stream()
                            .anyMatch(a -> a.address().address().equals(own));
            if (own instanceof Inet6Address && !there) {
                throw new IOException(
                        "the primary interface does not carry the node's IPv6 address "
                                + IpPrefix.text(own)
                                + "; have the node configure it (DHCPv6), or unset ENABLE_IPv6");
            }
        }
    }

    /** Brings an attached interface's link up with its address, table and rules. */
    public synchronized void attachInterface(AttachedInterface added) throws IOException {
        apply(plan().withAttached(added), n -> n == added.number());
    }

    /**
     * Removes what {@link #attachInterface} and {@link #setBlocks} made for an interface; its link
     * may be gone already.
     */
    public synchronized void detachInterface(int number) throws IOException {
        AttachedInterface gone = plan().attached().get(number);
        apply(plan().withoutAttached(number), _ -> false);
        if (gone != null) {
            flushTable(gone.table());
            if (host.link(gone.linkIndex()).isPresent()) {
                host.ensureGone(gone.linkAddresses().stream().map(LinkAddress::delete).toList());
            }
        }
    }

    /**
     * Says which blocks an interface holds now, all of them: their packets leave by it, and their
     * addresses without a pod are unreachable.
     *
     * @param number 1 for the primary interface, or one that is attached
     */
    public synchronized void setBlocks(int number, Collection<IpPrefix> blocks) throws IOException {
        if (!plan().knows(number)) {
            throw new IllegalStateException(
                    "blocks for interface " + number + ", which is not attached");
        }
        apply(plan().withBlocks(number, blocks), n -> n == number);
    }

    /** Changes where traffic is not translated; an empty list is refused, a read that failed. */
    public synchronized void setNetworkCidrs(Collection<IpPrefix> networkCidrs) throws IOException {
        if (networkCidrs.isEmpty()) {
            throw new IllegalArgumentException("a network has at least one CIDR");
        }
        apply(plan().withNetworkCidrs(networkCidrs), _ -> false);
    }

    /**
     * Puts back what others changed since the last call.
     *
     * @throws IOException also when it could not for one interface; the others have their due
     */
    public synchronized void repair() throws IOException {
        apply(plan(), _ -> true);
    }

    /** What others changed since the last call; {@link #repair} puts it back. */
    public synchronized List<RoutingDifference> check() throws IOException {
        NodePlan wanted = plan();
        List<Rule> rules = new ArrayList<>();
        List<Route> blockRoutes = new ArrayList<>();
        Map<Integer, PlanCheck.StandingLink> links = new TreeMap<>();
        for (boolean family : families()) {
            rules.addAll(ourRules(family));
            blockRoutes.addAll(blockRoutes(family));
        }
        for (AttachedInterface one : wanted.attached().values()) {
            Optional<Link> link = host.link(one.linkIndex());
            if (link.isPresent()) {
                List<Route> routes = new ArrayList<>();
                for (boolean family : families()) {
                    routes.addAll(host.routes(family, one.table()));
                }
                links.put(
                        one.number(),
                        new PlanCheck.StandingLink(
                                link.get().up(),
                                host.addresses(one.linkIndex()).stream()
                                        .map(LinkAddress::address)
                                        .toList(),
                                routes));
            }
        }
        String there = UnderlayTable.normalized(listTable());
        String expected = expectedListing(wanted);
        boolean loadedByUs = UnderlayTable.render(wanted, String::valueOf).equals(loaded);
        return PlanCheck.compare(
                wanted,
                families(),
                loadedByUs && !there.equals(expected) ? listing : expected,
                new PlanCheck.Standing(rules, blockRoutes, links, there));
    }

    /** The attached interfaces, also those that an earlier process left, by number. */
    public synchronized List<AttachedInterface> attachedInterfaces() {
        NodePlan now = plan;
        return List.copyOf((now == null ? recoveredInterfaces : now.attached()).values());
    }

    /** The blocks of an interface, also those that an earlier process left, in order. */
    public synchronized List<IpPrefix> blocks(int number) {
        NodePlan now = plan;
        SortedSet<IpPrefix> blocks = (now == null ? recoveredBlocks : now.blocks()).get(number);
        return blocks == null ? List.of() : List.copyOf(blocks);
    }

    /**
     * Everything of ours that stands in the kernel, a line each, sorted: rules, routes, the
     * nftables table, links in our groups and their neighbours.
     */
    public synchronized List<String> snapshot() throws IOException {
        List<String> lines = new ArrayList<>();
        SortedSet<Integer> tables = new TreeSet<>(List.of(Marks.TO_POD_TABLE));
        for (boolean family : families()) {
            for (Rule rule : ourRules(family)) {
                lines.add("rule " + rule);
                tables.add(rule.table());
            }
        }
        tables.remove(Route.TABLE_MAIN);
        for (int table : tables) {
            for (boolean family : families()) {
                host.routes(family, table).forEach(r -> lines.add("route " + r));
            }
        }
        for (Link link : host.links()) {
            if (link.group() == Marks.POD_LINK_GROUP || link.group() == Marks.TRASH_LINK_GROUP) {
                lines.add("link " + link.name() + " group " + link.group() + " " + link.alias());
                host.neighbours(link.index()).stream()
                        .filter(Neighbour::permanent)
                        .forEach(n -> lines.add("neighbour " + n));
            }
        }
        listTable()
                .lines()
                .map(l -> "nft " + l.strip())
                .filter(l -> l.length() > 5)
                .forEach(lines::add);
        lines.sort(null);
        return lines;
    }

    /** Removes all of it: the node routes no pods any more. Settings of the kernel stay. */
    public synchronized void teardown() throws IOException {
        SortedSet<Integer> tables = new TreeSet<>(List.of(Marks.TO_POD_TABLE));
        nftables.run("table " + UnderlayTable.NAME + " {}\ndelete table " + UnderlayTable.NAME);
        for (AttachedInterface one : attachedInterfaces()) {
            if (host.link(one.linkIndex()).isPresent()) {
                host.ensureGone(one.linkAddresses().stream().map(LinkAddress::delete).toList());
            }
        }
        for (boolean family : families()) {
            List<Rule> rules = ourRules(family);
            rules.forEach(r -> tables.add(r.table()));
            host.ensureGone(rules.stream().map(Rule::delete).toList());
        }
        tables.remove(Route.TABLE_MAIN);
        for (int table : tables) {
            flushTable(table);
        }
        plan = null;
        recoveredInterfaces.clear();
        recoveredBlocks.clear();
    }

    /** Frees the nftables context; the kernel's state stays. */
    @Override
    public void close() {
        nftables.close();
    }

    private NodePlan plan() {
        NodePlan now = plan;
        if (now == null) {
            throw new IllegalStateException("setup comes first");
        }
        return now;
    }

    /**
     * One interface whose link is gone or refuses a change does not keep the others from their due.
     *
     * @param about whose trouble the caller hears of; {@link #repair} tells of all
     */
    private void apply(NodePlan wanted, Predicate<Integer> about) throws IOException {
        setSettings(wanted.primary());
        List<IOException> troubles = new ArrayList<>();
        for (AttachedInterface one : wanted.attached().values()) {
            try {
                placeInterface(one);
            } catch (MissingLinkException | NetlinkException e) {
                if (about.test(one.number())) {
                    troubles.add(e);
                }
            }
        }
        for (boolean family : families()) {
            host.ensurePresent(
                    missing(wanted.unreachable(family), blockRoutes(family), Route::add));
            host.ensurePresent(missing(wanted.rules(family), host.rules(family), Rule::add));
        }
        loadTable(wanted);
        for (boolean family : families()) {
            host.ensureGone(missing(ourRules(family), wanted.rules(family), Rule::delete));
            host.ensureGone(
                    missing(blockRoutes(family), wanted.unreachable(family), Route::delete));
        }
        plan = wanted;
        if (!troubles.isEmpty()) {
            troubles.stream().skip(1).forEach(troubles.getFirst()::addSuppressed);
            throw troubles.getFirst();
        }
    }

    private static final class MissingLinkException extends IOException {
        private static final long serialVersionUID = 1L;

        MissingLinkException(AttachedInterface one) {
            super("the link of this interface is gone, was it detached? " + one);
        }
    }

    /** Brings one attached interface's link up with its address and its table. */
    private void placeInterface(AttachedInterface one) throws IOException {
        Link link = host.link(one.linkIndex()).orElseThrow(() -> new MissingLinkException(one));
        configureLink(link, one);
        for (boolean family : families()) {
            List<Route> there = host.routes(family, one.table());
            host.ensurePresent(missing(one.routes(family), there, Route::replace));
            host.ensureGone(missing(there, one.routes(family), Route::delete));
        }
    }

    /** Requests for what is in the first list and not in the second. */
    private static <T> List<Message> missing(
            List<T> wanted, List<T> there, Function<T, Message> request) {
        return wanted.stream().filter(w -> !there.contains(w)).map(request).toList();
    }

    private void setSettings(Primary primary) throws IOException {
        Sysctls.set("ipv4/ip_forward", "1");
        // A redirect would send clients of a NodePort past this node.
        Sysctls.set("ipv4/conf/all/send_redirects", "0");
        Link link =
                host.link(primary.linkIndex())
                        .orElseThrow(() -> new IOException("the primary interface's link is gone"));
        if (link.ipv4Conf(LinkChange.SEND_REDIRECTS) != 0) {
            host.run(new LinkChange(link.index()).ipv4Conf(LinkChange.SEND_REDIRECTS, 0).message());
        }
        if (ipv6 && primary.hasIpv6()) {
            // In this order: a router ignores advertisements, and the node its default route,
            // unless the interface says 2.
            Sysctls.set("ipv6/conf/" + link.name() + "/accept_ra", "2");
            Sysctls.set("ipv6/conf/all/forwarding", "1");
        }
    }

    /**
     * The address makes the kernel answer ARP for it; a connected route would draw the subnet's
     * traffic away from the primary interface. Strict reverse-path filtering would drop what comes
     * in here and is routed back by a mark.
     */
    private void configureLink(Link link, AttachedInterface one) throws IOException {
        List<Message> messages = new ArrayList<>();
        // A change is an event for everyone who watches links, also one that changes nothing.
        if (link.mtuBytes() != one.mtuBytes()
                || link.ipv4Conf(LinkChange.RP_FILTER) != LOOSE
                || link.ipv4Conf(LinkChange.SEND_REDIRECTS) != 0) {
            messages.add(
                    new LinkChange(link.index())
                            .mtuBytes(one.mtuBytes())
                            .ipv4Conf(LinkChange.RP_FILTER, LOOSE)
                            .ipv4Conf(LinkChange.SEND_REDIRECTS, 0)
                            .message());
        }
        List<IpPrefix> there =
                host.addresses(link.index()).stream().map(LinkAddress::address).toList();
        for (LinkAddress address : one.linkAddresses()) {
            if (!there.contains(address.address())) {
                messages.add(address.add());
            }
        }
        if (!link.up()) {
            messages.add(new LinkChange(link.index()).up().message());
        }
        host.run(messages);
        for (LinkAddress address : one.linkAddresses()) {
            removeConnectedRoute(address);
        }
    }

    /** Another agent may have given the link its address first, with a connected route. */
    private void removeConnectedRoute(LinkAddress own) throws IOException {
        IpPrefix subnet = own.address().network();
        host.ensureGone(
                host.routes(subnet.isIpv6(), Route.TABLE_MAIN).stream()
                        .filter(r -> r.link() == own.link() && r.protocol() == Route.KERNEL)
                        .filter(r -> r.destination().equals(subnet) && !subnet.isHost())
                        .map(Route::delete)
                        .toList());
    }

    private void loadTable(NodePlan wanted) throws IOException {
        String definition = UnderlayTable.render(wanted, String::valueOf);
        String there = UnderlayTable.normalized(listTable());
        boolean right =
                there.equals(expectedListing(wanted))
                        || (definition.equals(loaded) && there.equals(listing));
        if (!right) {
            nftables.run(UnderlayTable.replace(definition));
            loaded = definition;
            listing = UnderlayTable.normalized(listTable());
        }
    }

    private String expectedListing(NodePlan wanted) throws IOException {
        Map<Integer, String> names =
                host.links().stream()
                        .collect(Collectors.toMap(Link::index, l -> '"' + l.name() + '"'));
        return UnderlayTable.normalized(
                UnderlayTable.render(
                        wanted, i -> Optional.ofNullable(names.get(i)).orElse(String.valueOf(i))));
    }

    private String listTable() throws IOException {
        try {
            return nftables.list("list table " + UnderlayTable.NAME);
        } catch (NftException e) {
            return ""; // There is none, or it is beyond reading: it will be replaced.
        }
    }

    private List<Rule> ourRules(boolean family) throws IOException {
        return host.rules(family).stream()
                .filter(r -> r.protocol() == Marks.PROTOCOL && isOurPriority(r.priority()))
                .toList();
    }

    private static boolean isOurPriority(int priority) {
        return priority == Marks.TO_POD_RULE
                || numberOf(priority, Marks.MARK_RULE_BASE) > 0
                || numberOf(priority, Marks.OWN_ADDRESS_RULE_BASE) > 0;
    }

    /** The interface number in a priority, 0 when there is none. */
    private static int numberOf(int priority, int base) {
        int number = priority - base;
        return number >= Marks.PRIMARY_INTERFACE && number <= Marks.MAX_INTERFACE ? number : 0;
    }

    private List<Route> blockRoutes(boolean family) throws IOException {
        return host.routes(family, Marks.TO_POD_TABLE).stream()
                .filter(r -> r.type() == Route.UNREACHABLE && r.protocol() == Marks.PROTOCOL)
                .toList();
    }

    private void flushTable(int table) throws IOException {
        for (boolean family : families()) {
            host.ensureGone(host.routes(family, table).stream().map(Route::delete).toList());
        }
    }

    private boolean[] families() {
        return ipv6 ? new boolean[] {false, true} : new boolean[] {false};
    }

    /** Reads interfaces from rules, tables and links, blocks from the metrics of their routes. */
    private void recover() throws IOException {
        for (boolean family : families()) {
            for (Route route : blockRoutes(family)) {
                int number = numberOf(route.metric(), Marks.UNREACHABLE_METRIC);
                if (number > 0) {
                    recoveredBlocks
                            .computeIfAbsent(number, _ -> new TreeSet<>())
                            .add(route.destination());
                }
            }
            for (Rule rule : allOurRules(family)) {
                int number = numberOf(rule.priority(), Marks.OWN_ADDRESS_RULE_BASE);
                if (number > Marks.PRIMARY_INTERFACE && rule.source().isPresent()) {
                    recoverInterface(number, rule);
                }
            }
        }
        recoveredBlocks
                .keySet()
                .removeIf(n -> n != Marks.PRIMARY_INTERFACE && !recoveredInterfaces.containsKey(n));
    }

    /**
     * A list may miss one while others change theirs ({@link RouteSocket#rules}), and what is not
     * recovered is deleted: read until another list brings nothing new.
     */
    private Set<Rule> allOurRules(boolean family) throws IOException {
        Set<Rule> all = new LinkedHashSet<>(ourRules(family));
        while (all.addAll(ourRules(family))) {
            // One was missed before.
        }
        return all;
    }

    private void recoverInterface(int number, Rule ownAddress) throws IOException {
        Optional<Route> toGateway =
                host.routes(ownAddress.ipv6(), Marks.INTERFACE_TABLE_BASE + number).stream()
                        .filter(r -> r.gateway().isPresent())
                        .findFirst();
        if (toGateway.isEmpty()) {
            return; // The link went and took its routes along.
        }
        int index = toGateway.get().link();
        Optional<Link> link = host.link(index);
        Optional<IpPrefix> own =
                host.addresses(index).stream()
                        .map(LinkAddress::address)
                        .filter(a -> a.address().equals(ownAddress.source().get().address()))
                        .findFirst();
        if (link.isEmpty() || own.isEmpty()) {
            return;
        }
        List<AttachedInterface.OwnAddress> addresses = new ArrayList<>();
        AttachedInterface known = recoveredInterfaces.get(number);
        if (known != null) {
            addresses.addAll(known.addresses());
        }
        addresses.add(new AttachedInterface.OwnAddress(own.get(), toGateway.get().gateway().get()));
        recoveredInterfaces.put(
                number, new AttachedInterface(number, index, link.get().mtuBytes(), addresses));
    }
}
