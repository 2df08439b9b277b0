package dev.underlay.ipamd.kernel;

import dev.underlay.cni.netlink.IpPrefix;
import dev.underlay.cni.netlink.Link;
import dev.underlay.cni.netlink.RouteSocket;
import dev.underlay.cni.routing.AttachedInterface;
import dev.underlay.cni.routing.Marks;
import dev.underlay.cni.routing.NodeRouting;
import dev.underlay.cni.routing.Primary;
import dev.underlay.cni.routing.RoutingDifference;
import dev.underlay.ipamd.observe.Events;
import dev.underlay.ipamd.owner.NodeNetwork;
import dev.underlay.ipamd.serve.LinkFacts;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.IpAddress;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The node's routing on one thread of its own, so that changes come in the order in which they were
 * asked for. What an earlier process left in the kernel is taken over.
 */
public final class KernelNode implements NodeNetwork, LinkFacts, AutoCloseable {
    /** How long the kernel may take to show a link after the cloud calls it attached. */
    private static final Duration LINK_LIMIT = Duration.ofSeconds(30);

    /** How long a rule that somebody deletes may be missing. */
    private static final long REPAIR_SECONDS = 15;

    private record Known(int number, int linkIndex, int mtuBytes) {}

    private final LinkWatch links;
    private final Flows flows = new Flows();
    private final ScheduledExecutorService thread =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().name("routing").daemon(true).factory());
    private final Map<String, Known> known = new ConcurrentHashMap<>();
    private volatile List<InetAddress> nodeAddresses = List.of();
    private volatile int primaryMtuBytes;

    // On the routing thread only.
    private List<IpPrefix> networkCidrs = List.of();
    private Optional<InetAddress> ownIpv6 = Optional.empty();
    private @Nullable NodeRouting routing;
    private @Nullable Primary primary;

    /**
     * @param links where the kernel announces new links
     */
    public KernelNode(LinkWatch links) {
        this.links = links;
    }

    @FunctionalInterface
    private interface Step {
        void run(NodeRouting routing) throws IOException;
    }

    @Override
    public CompletionStage<Void> configure(CloudInterface attached, List<Cidr> blocks) {
        return links.await(NodeRouting.isInterface(attached.mac()), LINK_LIMIT)
                .handle((link, failure) -> requireLink(attached, link, failure))
                .thenCompose(link -> run(routing -> configure(routing, attached, link, blocks)));
    }

    private static Link requireLink(
            CloudInterface attached, @Nullable Link link, @Nullable Throwable failure) {
        if (link != null) {
            return link;
        }
        boolean late = failure instanceof TimeoutException;
        throw new CompletionException(
                new IOException(
                        "no link with address "
                                + attached.mac()
                                + (late ? " within " + LINK_LIMIT.toSeconds() + " s" : "")
                                + "; is the interface attached to this machine?",
                        failure));
    }

    private void configure(
            NodeRouting routing, CloudInterface attached, Link link, List<Cidr> blocks)
            throws IOException {
        int number = number(attached);
        if (attached.primary()) {
            if (networkCidrs.isEmpty()) {
                throw new IOException("metadata has not said yet which CIDRs the network has");
            }
            setUp(routing, link.index(), inet(attached.primaryAddress()));
            primaryMtuBytes = link.mtuBytes();
        } else {
            if (primary == null) {
                throw new IOException("the primary interface comes first");
            }
            routing.attachInterface(
                    new AttachedInterface(
                            number, link.index(), primaryMtuBytes, List.of(ownAddress(attached))));
        }
        routing.setBlocks(number, prefixes(blocks));
        known.put(attached.id(), new Known(number, link.index(), primaryMtuBytes));
    }

    private void setUp(NodeRouting routing, int linkIndex, InetAddress ipv4) throws IOException {
        List<InetAddress> own = Stream.concat(Stream.of(ipv4), ownIpv6.stream()).toList();
        Primary wanted = new Primary(linkIndex, own);
        routing.setup(wanted, networkCidrs);
        primary = wanted;
        nodeAddresses = own;
    }

    @Override
    public CompletionStage<Void> ownIpv6(Optional<IpAddress> address) {
        return run(routing -> {
            ownIpv6 = address.map(KernelNode::inet);
            Primary before = primary;
            if (before != null) {
                setUp(routing, before.linkIndex(), before.addresses().getFirst());
            }
        });
    }

    /** The subnet's router has the first address after the network's own, on AWS and Azure. */
    private static AttachedInterface.OwnAddress ownAddress(CloudInterface attached) {
        return new AttachedInterface.OwnAddress(
                new IpPrefix(inet(attached.primaryAddress()), attached.subnet().prefixLength()),
                inet(attached.subnet().address(1)));
    }

    @Override
    public CompletionStage<Void> setBlocks(CloudInterface configured, List<Cidr> blocks) {
        return run(routing -> routing.setBlocks(number(configured), prefixes(blocks)));
    }

    @Override
    public CompletionStage<Void> remove(CloudInterface configured) {
        known.remove(configured.id());
        return run(routing -> routing.detachInterface(number(configured)));
    }

    @Override
    public CompletionStage<Void> networkCidrs(List<Cidr> cidrs) {
        return run(routing -> {
            networkCidrs = prefixes(cidrs);
            if (primary != null) {
                routing.setNetworkCidrs(networkCidrs);
            }
        });
    }

    @Override
    public CompletionStage<Void> forgetFlows(List<Cidr> blocks, Set<IpAddress> living) {
        return blocks.isEmpty()
                ? CompletableFuture.completedStage(null)
                : flows.forget(prefixes(blocks), living.stream().map(KernelNode::inet).toList());
    }

    @Override
    public CompletionStage<Void> keepOnly(List<CloudInterface> attached) {
        return run(routing -> {
            Set<Integer> numbers = new HashSet<>();
            attached.forEach(one -> numbers.add(number(one)));
            for (AttachedInterface left : routing.attachedInterfaces()) {
                if (!numbers.contains(left.number())) {
                    routing.detachInterface(left.number());
                }
            }
        });
    }

    /** Puts back, every so often, what somebody else deleted. */
    public void startRepairing() {
        var _ =
                thread.scheduleWithFixedDelay(
                        this::repair, REPAIR_SECONDS, REPAIR_SECONDS, TimeUnit.SECONDS);
    }

    private void repair() {
        NodeRouting open = routing;
        if (open == null || primary == null) {
            return;
        }
        try {
            open.repair();
        } catch (IOException | RuntimeException e) {
            Events.warn("routing.unrepaired", "error", e.getMessage());
        }
    }

    /**
     * The node's routing at one moment.
     *
     * @param differences what the kernel has otherwise than it should
     * @param blocks the blocks that are routed, by interface number; an interface that is not
     *     configured has no entry
     */
    public record RoutingLook(
            List<RoutingDifference> differences, Map<Integer, List<IpPrefix>> blocks) {
        /** Keeps its own copies. */
        public RoutingLook {
            differences = List.copyOf(differences);
            blocks = Map.copyOf(blocks);
        }
    }

    /** Compares the kernel with what was configured; nothing is changed. */
    public CompletionStage<RoutingLook> look() {
        CompletableFuture<RoutingLook> looked = new CompletableFuture<>();
        return run(routing -> looked.complete(look(routing))).thenCompose(_ -> looked);
    }

    private RoutingLook look(NodeRouting routing) throws IOException {
        if (primary == null) {
            return new RoutingLook(List.of(), Map.of());
        }
        Map<Integer, List<IpPrefix>> blocks = new HashMap<>();
        blocks.put(Marks.PRIMARY_INTERFACE, routing.blocks(Marks.PRIMARY_INTERFACE));
        for (AttachedInterface one : routing.attachedInterfaces()) {
            blocks.put(one.number(), routing.blocks(one.number()));
        }
        return new RoutingLook(routing.check(), blocks);
    }

    /** Puts back now what {@link #startRepairing} would put back in a while. */
    public CompletionStage<Void> repairNow() {
        return run(routing -> {
            if (primary != null) {
                routing.repair();
            }
        });
    }

    private CompletionStage<Void> run(Step step) {
        return CompletableFuture.runAsync(
                () -> {
                    try {
                        step.run(routing());
                    } catch (IOException e) {
                        throw new UncheckedIOException(e.getMessage(), e);
                    }
                },
                thread);
    }

    /** Opened at the first use, so that nothing of it delays the socket. */
    private NodeRouting routing() throws IOException {
        NodeRouting open = routing;
        if (open == null) {
            RouteSocket socket = RouteSocket.open();
            try {
                open = NodeRouting.open(socket);
            } catch (IOException e) {
                socket.close();
                throw e;
            }
            routing = open;
        }
        return open;
    }

    /** The interface that has this link. */
    public Optional<String> interfaceOf(int linkIndex) {
        return known.entrySet().stream()
                .filter(one -> one.getValue().linkIndex() == linkIndex)
                .map(Map.Entry::getKey)
                .findFirst();
    }

    /** The links of all interfaces that are configured. */
    public Set<Integer> linkIndexes() {
        return known.values().stream()
                .map(Known::linkIndex)
                .collect(Collectors.toUnmodifiableSet());
    }

    @Override
    public int mtuBytes(String interfaceId) {
        Known one = known.get(interfaceId);
        return one == null ? primaryMtuBytes : one.mtuBytes();
    }

    @Override
    public List<InetAddress> nodeAddresses() {
        return nodeAddresses;
    }

    /** Frees sockets; what stands in the kernel stays, living pods need it. */
    @Override
    public void close() {
        thread.shutdownNow();
        flows.close();
    }

    private static int number(CloudInterface attached) {
        return attached.attachment().map(CloudInterface.Attachment::deviceIndex).orElse(0)
                + Marks.PRIMARY_INTERFACE;
    }

    private static List<IpPrefix> prefixes(List<Cidr> cidrs) {
        return cidrs.stream()
                .map(cidr -> new IpPrefix(inet(cidr.network()), cidr.prefixLength()))
                .toList();
    }

    private static InetAddress inet(IpAddress address) {
        try {
            return InetAddress.getByAddress(address.toBytes());
        } catch (UnknownHostException e) {
            throw new IllegalStateException("4 and 16 bytes are always an address", e);
        }
    }
}
