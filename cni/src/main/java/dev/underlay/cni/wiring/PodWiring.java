package dev.underlay.cni.wiring;

import dev.underlay.cni.linux.Errno;
import dev.underlay.cni.linux.Fd;
import dev.underlay.cni.linux.Linux;
import dev.underlay.cni.linux.LinuxException;
import dev.underlay.cni.netlink.IpPrefix;
import dev.underlay.cni.netlink.Link;
import dev.underlay.cni.netlink.LinkAddress;
import dev.underlay.cni.netlink.LinkChange;
import dev.underlay.cni.netlink.Links;
import dev.underlay.cni.netlink.Message;
import dev.underlay.cni.netlink.Neighbour;
import dev.underlay.cni.netlink.NetlinkException;
import dev.underlay.cni.netlink.Route;
import dev.underlay.cni.netlink.RouteSocket;
import dev.underlay.cni.routing.Marks;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Makes, takes down, checks and lists pods' links. All state is in the kernel: a new instance in a
 * new process goes on where the last one stopped. Methods block and may run on several threads at
 * once, for different pods.
 *
 * <pre>
 *   wire    veth in the pods' group, down -> pod's end configured -> alias, neighbours, up, routes
 *   unwire  routes gone (the block's "unreachable" answers), neighbours gone, both ends down, the
 *           pod's end renamed, the host's end in the trash group
 *   empty   the trash group deleted at the price of one grace period
 * </pre>
 */
public final class PodWiring {
    /** The gateway in the pod, IPv4 and IPv6: the host's end, by a permanent neighbour. */
    static final List<InetAddress> GATEWAYS =
            List.of(IpPrefix.literal("169.254.1.1"), IpPrefix.literal("fe80::1"));

    private static final int LOOPBACK = 1; // The first link of every namespace.
    private static final int MIN_IPV6_MTU_BYTES = 1280; // RFC 8200, section 5

    /** IPv6 settings of a pod's namespace, by the file's name below {@code net/ipv6/conf/*}. */
    private static final Map<String, String> IPV6_SETTINGS =
            Map.of("disable_ipv6", "0", "accept_dad", "0", "accept_ra", "0");

    /** How {@link #wire} hands messages over; another one in tests cuts it off between them. */
    @FunctionalInterface
    interface Sender {
        List<RouteSocket.Reply> send(RouteSocket socket, List<Message> messages) throws IOException;
    }

    private final RouteSocket host;
    private final Sender sender;

    /**
     * Works on the namespace of that socket.
     *
     * @param host stays open as long as this is used
     */
    public PodWiring(RouteSocket host) {
        this(host, RouteSocket::send);
    }

    PodWiring(RouteSocket host, Sender sender) {
        this.host = host;
        this.sender = sender;
    }

    /**
     * Wires a pod. When it fails, nothing of it is left, except that the pod's loopback link is up,
     * or {@link WiringException#linkRemains()} says otherwise.
     *
     * @param pod a route socket in the pod's namespace
     * @param podNamespace the pod's namespace
     * @param sysctls open files by their path below {@code /proc/sys}; the IPv6 settings among them
     *     are written, which happens before the pod's link exists
     * @throws WiringException when the name is taken in the pod, or the kernel refuses a step
     */
    public WiredPod wire(RouteSocket pod, Fd podNamespace, Map<String, Fd> sysctls, PodSpec spec)
            throws IOException {
        String alias = spec.attachment().toAlias();
        if (spec.hasIpv6()) {
            writeIpv6Settings(sysctls);
        }
        Optional<Link> made = Optional.empty();
        try {
            Link link = createVeth(pod, podNamespace, spec);
            made = Optional.of(link);
            RouteSocket.requireAll(sender.send(pod, podMessages(link, spec)));
            RouteSocket.requireAll(sender.send(host, hostMessages(link, alias, spec)));
            // The pod's end came up before it had a carrier, and sends nothing until the kernel
            // gets to that in the background; being asked for the link, Linux 6.8 does it at once.
            RouteSocket.requireAll(sender.send(pod, List.of(Links.get(link.peerIndex()))));
            return new WiredPod(
                    new PodLink(
                            link.index(),
                            link.name(),
                            link.mac(),
                            link.peerIndex(),
                            Optional.of(spec.attachment()),
                            spec.addresses()),
                    podMac(spec));
        } catch (IOException | RuntimeException e) {
            throw undone(made, spec, e);
        }
    }

    /**
     * Takes a pod down: when it returns, its addresses are unreachable and the interface name in
     * the pod is free. What is gone already is fine, also the whole namespace. The link itself
     * waits for {@link #emptyTrash()}.
     *
     * @param pod a route socket in the pod's namespace, if it still lives
     * @param link from {@link #wire} or {@link #list}
     */
    public void unwire(Optional<RouteSocket> pod, PodLink link) throws IOException {
        if (host.link(link.index()).filter(l -> isStill(l, link)).isEmpty()) {
            return;
        }
        host.ensureGone(
                List.of(
                        // Down first: in the trash group nothing checks what the pod sends.
                        new LinkChange(link.index()).down().message(),
                        new LinkChange(link.index()).group(Marks.TRASH_LINK_GROUP).message()));
        if (pod.isPresent()) {
            freeName(pod.get(), link);
        }
    }

    /**
     * Compares a pod's wiring with what {@link #wire} promised.
     *
     * @throws WiringException naming the first thing that is missing or wrong
     */
    public void check(RouteSocket pod, PodLink link, PodSpec spec) throws IOException {
        WiringCheck.run(host, pod, link, spec);
    }

    /** All pod links that stand, by index, with the addresses that are routed to them. */
    public List<PodLink> list() throws IOException {
        Map<Integer, List<InetAddress>> addresses = new HashMap<>();
        for (boolean ipv6 : new boolean[] {false, true}) {
            for (Route route : host.routes(ipv6, Marks.TO_POD_TABLE)) {
                if (route.link() != 0 && route.destination().isHost()) {
                    addresses
                            .computeIfAbsent(route.link(), _ -> new ArrayList<>())
                            .add(route.destination().address());
                }
            }
        }
        return host.links().stream()
                .filter(l -> l.group() == Marks.POD_LINK_GROUP && isOurs(l))
                .map(l ->
                        new PodLink(
                                l.index(),
                                l.name(),
                                l.mac(),
                                l.peerIndex(),
                                Attachment.fromAlias(l.alias()),
                                addresses.getOrDefault(l.index(), List.of())))
                .toList();
    }

    /** All pod links that stand, with what hangs on their host ends. */
    public List<HostEnd> hostEnds() throws IOException {
        Map<Integer, Link> links = new HashMap<>();
        host.links().forEach(l -> links.put(l.index(), l));
        List<Neighbour> neighbours = host.neighbours(0);
        List<LinkAddress> addresses = host.addresses(0);
        List<HostEnd> ends = new ArrayList<>();
        for (PodLink pod : list()) {
            Link link = links.get(pod.index());
            if (link != null) {
                ends.add(
                        new HostEnd(
                                pod,
                                link.mtuBytes(),
                                link.up(),
                                neighbours.stream()
                                        .filter(n -> n.link() == pod.index() && n.permanent())
                                        .toList(),
                                addresses.stream()
                                        .filter(a -> a.link() == pod.index())
                                        .map(a -> a.address().address())
                                        .toList()));
            }
        }
        return ends;
    }

    /**
     * Puts back what is missing on the host's end: neighbours, "up", routes. Nothing is taken away:
     * a route to the same address by another link stays. The pod's own end is not looked at.
     *
     * @param link from {@link #list}; when it is being taken down meanwhile, it is down afterwards
     * @param spec with the addresses that are to be looked after, which may be some of the pod's
     */
    public void restore(PodLink link, PodSpec spec) throws IOException {
        String mac = Names.podMacBehind(link.mac());
        List<Message> messages = new ArrayList<>();
        for (InetAddress address : spec.addresses()) {
            messages.add(
                    spec.macMayChange()
                            ? gatewayAddress(link.index(), address).add()
                            : Neighbour.permanent(link.index(), address, mac).replace());
        }
        messages.add(new LinkChange(link.index()).up().message());
        for (InetAddress address : spec.addresses()) {
            messages.add(toPod(address, link.index(), spec.nodeAddress(address)).add());
        }
        if (!isPods(link)) {
            throw new WiringException(link.name() + " is not the link of a pod any more", null);
        }
        try {
            host.ensurePresent(messages);
        } finally {
            if (!isPods(link)) {
                host.ensureGone(List.of(new LinkChange(link.index()).down().message()));
            }
        }
    }

    private boolean isPods(PodLink link) throws IOException {
        return host.link(link.index())
                .filter(l -> l.group() == Marks.POD_LINK_GROUP && isStill(l, link))
                .isPresent();
    }

    /**
     * Deletes what {@link #unwire} left. Blocks for a grace period (about 20 ms, one for all); call
     * it in the background.
     *
     * @return names of links in the trash group that are not ours; they are left alone
     */
    public List<String> emptyTrash() throws IOException {
        List<Link> trash = new ArrayList<>();
        List<String> foreign = new ArrayList<>();
        for (Link link : host.links()) {
            if (link.group() == Marks.TRASH_LINK_GROUP) {
                if (isOurs(link)) {
                    trash.add(link);
                } else {
                    foreign.add(link.name());
                }
            }
        }
        if (!trash.isEmpty()) {
            host.ensureGone(
                    foreign.isEmpty()
                            ? List.of(Links.deleteGroup(Marks.TRASH_LINK_GROUP))
                            : trash.stream().map(l -> Links.delete(l.index())).toList());
        }
        return foreign;
    }

    private Link createVeth(RouteSocket pod, Fd podNamespace, PodSpec spec) throws IOException {
        Attachment attachment = spec.attachment();
        for (String name : Names.hostLink(attachment)) {
            Links.Veth veth =
                    new Links.Veth(
                            name,
                            hostMac(spec),
                            Marks.POD_LINK_GROUP,
                            attachment.interfaceName(),
                            podMac(spec),
                            spec.mtuBytes(),
                            podNamespace);
            List<RouteSocket.Reply> replies =
                    sender.send(host, List.of(Links.create(veth), Links.get(name)));
            NetlinkException refused = replies.getFirst().error().orElse(null);
            if (refused == null) {
                return made(replies.getLast(), veth.mac());
            }
            if (refused.errno() != Errno.EEXIST) {
                throw refused;
            }
            if (pod.link(attachment.interfaceName()).isPresent()) {
                throw new IOException(
                        "its namespace already has an interface "
                                + attachment.interfaceName()
                                + " that is left untouched; remove it or choose another CNI_IFNAME",
                        refused);
            }
        }
        throw new IOException(
                "the link names "
                        + Names.hostLink(attachment)
                        + " are taken on the node; is this sandbox wired already?");
    }

    /** Where the link was renamed as soon as it stood, its address and group still tell it. */
    private Link made(RouteSocket.Reply byName, String mac) throws IOException {
        return byName.links().isEmpty()
                ? unfinished(mac).stream()
                        .findFirst()
                        .orElseThrow(() -> new IOException("a new link vanished"))
                : byName.links().getFirst();
    }

    /** Links for the address of that Ethernet address that were made and got no alias yet. */
    private List<Link> unfinished(String mac) throws IOException {
        return host.links().stream()
                .filter(l -> l.mac().equals(mac) && l.alias().isEmpty() && isOurs(l))
                .filter(l -> l.group() == Marks.POD_LINK_GROUP)
                .toList();
    }

    private static List<Message> podMessages(Link link, PodSpec spec) {
        int own = link.peerIndex();
        List<Message> messages = new ArrayList<>();
        messages.add(new LinkChange(LOOPBACK).up().message());
        if (!spec.hasIpv6() && hasIpv6(spec)) {
            messages.add(new LinkChange(own).noIpv6Addresses().message());
        }
        messages.add(new LinkChange(own).up().message());
        for (InetAddress address : spec.addresses()) {
            messages.add(podAddress(own, address).add());
            messages.add(Neighbour.permanent(own, gateway(address), link.mac()).add());
            podRoutes(own, address).forEach(r -> messages.add(r.add()));
        }
        return messages;
    }

    private static List<Message> hostMessages(Link link, String alias, PodSpec spec) {
        List<Message> messages = new ArrayList<>();
        LinkChange settings =
                new LinkChange(link.index()).alias(alias).ipv4Conf(LinkChange.SEND_REDIRECTS, 0);
        messages.add((hasIpv6(spec) ? settings.noIpv6Addresses() : settings).message());
        for (InetAddress address : spec.addresses()) {
            messages.add(
                    spec.macMayChange()
                            ? gatewayAddress(link.index(), address).add()
                            : Neighbour.permanent(link.index(), address, podMac(spec)).add());
        }
        messages.add(new LinkChange(link.index()).up().message());
        for (InetAddress address : spec.addresses()) {
            messages.add(toPod(address, link.index(), spec.nodeAddress(address)).add());
        }
        return messages;
    }

    /**
     * Everything but the loopback link's state hangs on the pair and goes with it.
     *
     * @param made empty when it is unknown whether there is one: the answer did not come
     */
    private WiringException undone(Optional<Link> made, PodSpec spec, Exception cause) {
        String name = made.map(l -> " on " + l.name()).orElse("");
        String problem = "cannot wire " + spec.attachment() + name + ": " + cause.getMessage();
        try {
            List<Link> links = made.isPresent() ? List.of(made.get()) : unfinished(hostMac(spec));
            host.ensureGone(links.stream().map(l -> Links.delete(l.index())).toList());
            return new WiringException(problem, cause);
        } catch (IOException | RuntimeException e) {
            cause.addSuppressed(e);
            return new WiringException(
                    problem + "; nor can its link be deleted: " + e.getMessage(), cause, true);
        }
    }

    /** Takes the pod's end down and renames it, if it is still the other end of that link. */
    private static void freeName(RouteSocket pod, PodLink link) throws IOException {
        boolean same =
                pod.link(link.peerIndex())
                        .filter(l -> l.kind().equals("veth") && l.peerIndex() == link.index())
                        .isPresent();
        if (same) {
            pod.ensureGone(
                    List.of(
                            new LinkChange(link.peerIndex()).down().message(),
                            new LinkChange(link.peerIndex()).name("ul" + link.index()).message()));
        }
    }

    /** The kernel may have given the index to another link. */
    private static boolean isStill(Link now, PodLink then) {
        boolean inGroup =
                now.group() == Marks.POD_LINK_GROUP || now.group() == Marks.TRASH_LINK_GROUP;
        Optional<Attachment> owner = Attachment.fromAlias(now.alias());
        return inGroup
                && isOurs(now)
                && (then.attachment().isEmpty()
                        ? owner.isEmpty()
                        : owner.filter(then.attachment().get()::isSameSandbox).isPresent());
    }

    private static boolean isOurs(Link link) {
        return link.kind().equals("veth")
                && (Attachment.fromAlias(link.alias()).isPresent()
                        || (link.alias().isEmpty() && link.mac().startsWith(Names.HOST_MAC_START)));
    }

    /** The gateway that a pod with this address has: the host's end of its link. */
    public static InetAddress gateway(InetAddress pod) {
        return pod.getClass() == GATEWAYS.getFirst().getClass()
                ? GATEWAYS.getFirst()
                : GATEWAYS.getLast();
    }

    private static String hostMac(PodSpec spec) {
        return Names.hostMac(spec.addresses().getFirst());
    }

    private static String podMac(PodSpec spec) {
        return Names.podMac(spec.addresses().getFirst());
    }

    /**
     * Where the pod's Ethernet address may change, both ends ask for each other: the change makes
     * the kernel forget all neighbours of that link, and the host's end needs an address to be
     * asked for and to ask from.
     */
    private static LinkAddress gatewayAddress(int link, InetAddress pod) {
        return podAddress(link, gateway(pod));
    }

    static LinkAddress podAddress(int own, InetAddress address) {
        IpPrefix host = IpPrefix.host(address);
        int flags = LinkAddress.NOPREFIXROUTE | (host.isIpv6() ? LinkAddress.NODAD : 0);
        return new LinkAddress(own, host, flags);
    }

    /** IPv4 must know how to reach the gateway first; an IPv6 gateway is link-local. */
    static List<Route> podRoutes(int own, InetAddress address) {
        InetAddress gateway = gateway(address);
        boolean ipv6 = IpPrefix.host(address).isIpv6();
        Route fallback =
                Route.via(IpPrefix.everything(ipv6), gateway, own, Route.TABLE_MAIN, Route.BOOT);
        Route toGateway =
                Route.onLink(
                        IpPrefix.host(gateway),
                        own,
                        Optional.empty(),
                        Route.TABLE_MAIN,
                        Route.BOOT);
        return ipv6 ? List.of(fallback) : List.of(toGateway, fallback);
    }

    static Route toPod(InetAddress address, int link, Optional<InetAddress> source) {
        return Route.onLink(
                IpPrefix.host(address), link, source, Marks.TO_POD_TABLE, Marks.PROTOCOL);
    }

    /** Whether a link of that size has IPv6 settings at all. */
    static boolean hasIpv6(PodSpec spec) {
        return spec.mtuBytes() >= MIN_IPV6_MTU_BYTES && Files.exists(Path.of("/proc/sys/net/ipv6"));
    }

    private static void writeIpv6Settings(Map<String, Fd> sysctls) throws LinuxException {
        for (Map.Entry<String, Fd> file : sysctls.entrySet()) {
            String path = file.getKey();
            String value = IPV6_SETTINGS.get(path.substring(path.lastIndexOf('/') + 1));
            if (path.contains("ipv6") && value != null) {
                ByteBuffer text = Linux.buffer(value.length());
                text.put(value.getBytes(StandardCharsets.US_ASCII)).flip();
                Linux.check(
                        "write " + value + " to " + path,
                        c -> c.write(file.getValue().number(), text, text.limit()));
            }
        }
    }
}
