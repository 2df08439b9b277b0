package dev.underlay.ipamd.simulation;

import dev.underlay.pool.BlockKind;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudAnswer;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.CloudNetwork;
import dev.underlay.pool.Families;
import dev.underlay.pool.InterfaceRequest;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.NodeIdentity;
import dev.underlay.pool.Refusal;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** The truth about one node's interfaces and its subnet; every call takes effect at once. */
final class SimulatedCloud implements CloudNetwork {
    static final String PRIMARY = "eni-0000";
    static final Cidr NETWORK = Cidr.parse("10.0.0.0/16");
    private static final String SUBNET_ID = "subnet-a";

    /** The addresses of interfaces come from here, secondary ones from the start, prefixes last. */
    private static final IpAddress OWN = IpAddress.parse("10.0.255.0");

    private static final IpAddress SINGLES = IpAddress.parse("10.0.0.4");
    private static final IpAddress PREFIXES = IpAddress.parse("10.0.128.0");

    /** The subnet's IPv6 addresses: the node's own one, and behind it the /80 prefixes. */
    private static final IpAddress OWN_IPV6 = IpAddress.parse("2001:db8::10");

    private static final IpAddress IPV6_PREFIXES = IpAddress.parse("2001:db8:0:0:1::");

    private record Moment(long atNanos, Map<String, CloudInterface> all) {}

    private final Schedule schedule;
    private final NodeIdentity.Limits limits;
    private final Families families;
    private final TreeMap<String, CloudInterface> interfaces = new TreeMap<>();
    private final Map<String, String> byToken = new HashMap<>();
    private final TreeSet<Cidr> taken = new TreeSet<>();
    private final Deque<Moment> past = new ArrayDeque<>();
    private final Set<Cidr> attachedSingles = new HashSet<>();
    private final Set<Cidr> attachedPrefixes = new HashSet<>();
    private final Map<Cidr, Integer> grants = new HashMap<>();
    private int made;
    private int mutations;

    /** No block is free. */
    boolean subnetFull;

    /**
     * @param families what the node's pods get; its own IPv6 address is there if they need one
     */
    SimulatedCloud(Schedule schedule, NodeIdentity.Limits limits, Families families) {
        this.schedule = schedule;
        this.limits = limits;
        this.families = families;
        add(Optional.empty(), true, true, Optional.of(0), List.of());
    }

    /** An interface that somebody else put on the node. */
    void addForeign(int deviceIndex) {
        add(Optional.empty(), false, false, Optional.of(deviceIndex), List.of());
    }

    // ---- the truth

    boolean assigned(IpAddress address) {
        return attachedSingles.contains(Cidr.of(address))
                || attachedPrefixes.stream().anyMatch(block -> block.contains(address));
    }

    boolean holds(String id, Cidr block) {
        CloudInterface one = interfaces.get(id);
        return one != null && one.blocks().contains(block);
    }

    /** How many times it was granted. */
    int grants(Cidr block) {
        return grants.getOrDefault(block, 0);
    }

    boolean attached(String id) {
        CloudInterface one = interfaces.get(id);
        return one != null && one.attachment().isPresent();
    }

    List<CloudInterface> all() {
        return List.copyOf(interfaces.values());
    }

    /** How many blocks are on the node's interfaces. */
    int blocks() {
        return attachedSingles.size() + attachedPrefixes.size();
    }

    int mutations() {
        return mutations;
    }

    NodeIdentity node() {
        CloudInterface primary = interfaces.firstEntry().getValue();
        return new NodeIdentity(
                "i-0aa",
                "m5.large",
                "zone-a",
                PRIMARY,
                primary.mac(),
                primary.primaryAddress(),
                families.has(IpAddress.Family.IPV6) ? Optional.of(OWN_IPV6) : Optional.empty(),
                List.of(NETWORK),
                limits);
    }

    /** A description in which each interface but the primary one is as it was some time ago. */
    List<CloudInterface> stale(long mostNanos) {
        List<CloudInterface> seen = new ArrayList<>();
        TreeSet<String> ever = new TreeSet<>();
        past.forEach(moment -> ever.addAll(moment.all().keySet()));
        for (String id : ever) {
            long at = schedule.nowNanos() - schedule.between(0, mostNanos);
            CloudInterface then = at(at).get(id);
            if (then == null && id.equals(PRIMARY)) {
                then = interfaces.get(id);
            }
            if (then != null) {
                seen.add(then);
            }
        }
        return seen;
    }

    private Map<String, CloudInterface> at(long nanos) {
        Map<String, CloudInterface> all = past.getFirst().all();
        for (Moment moment : past) {
            if (moment.atNanos() <= nanos) {
                all = moment.all();
            }
        }
        return all;
    }

    // ---- the port

    @Override
    public CloudAnswer<NodeIdentity> identify() {
        return new CloudAnswer.Done<>(node());
    }

    @Override
    public CloudAnswer<List<Cidr>> networkCidrs() {
        return new CloudAnswer.Done<>(List.of(NETWORK));
    }

    @Override
    public CloudAnswer<List<CloudInterface>> describeInterfaces() {
        return new CloudAnswer.Done<>(all());
    }

    @Override
    public CloudAnswer<CloudInterface> createInterface(InterfaceRequest request) {
        String existing = byToken.get(request.token());
        if (existing != null) {
            CloudInterface one = interfaces.get(existing);
            return one == null ? refused(Refusal.GONE, existing) : new CloudAnswer.Done<>(one);
        }
        if (subnetFull || request.blocks() > limits.addressesPerInterface() - 1) {
            return refused(Refusal.SUBNET_FULL, SUBNET_ID);
        }
        return new CloudAnswer.Done<>(
                add(
                        Optional.of(request.token()),
                        false,
                        true,
                        Optional.empty(),
                        fresh(request.kind(), request.blocks())));
    }

    @Override
    public CloudAnswer<CloudInterface> attachInterface(String id, int deviceIndex) {
        CloudInterface one = interfaces.get(id);
        if (one == null) {
            return refused(Refusal.GONE, id);
        }
        if (one.attachment().isPresent()) {
            return new CloudAnswer.Done<>(one);
        }
        List<Integer> indexes =
                interfaces.values().stream()
                        .flatMap(it -> it.attachment().stream())
                        .map(CloudInterface.Attachment::deviceIndex)
                        .toList();
        if (indexes.size() >= limits.interfaces()) {
            return refused(Refusal.ATTACHMENT_LIMIT, id);
        }
        if (indexes.contains(deviceIndex)) {
            return refused(Refusal.DEVICE_INDEX_TAKEN, id);
        }
        return put(with(one, Optional.of(deviceIndex), one.blocks()));
    }

    @Override
    public CloudAnswer<List<Cidr>> assignBlocks(String id, BlockKind kind, int count) {
        CloudInterface one = interfaces.get(id);
        if (one == null) {
            return refused(Refusal.GONE, id);
        }
        long same =
                one.blocks().stream()
                        .filter(block -> block.network().family() == kind.family())
                        .count();
        if (same + count > limits.addressesPerInterface() - 1) {
            return refused(Refusal.INTERFACE_FULL, id);
        }
        if (subnetFull) {
            return refused(Refusal.SUBNET_FULL, SUBNET_ID);
        }
        List<Cidr> added = fresh(kind, count);
        List<Cidr> blocks = new ArrayList<>(one.blocks());
        blocks.addAll(added);
        put(with(one, index(one), blocks));
        return new CloudAnswer.Done<>(added);
    }

    @Override
    public CloudAnswer<List<Cidr>> unassignBlocks(String id, List<Cidr> gone) {
        CloudInterface one = interfaces.get(id);
        if (one == null) {
            return refused(Refusal.GONE, id);
        }
        List<Cidr> blocks = new ArrayList<>(one.blocks());
        gone.stream().filter(blocks::remove).forEach(taken::remove);
        put(with(one, index(one), blocks));
        return new CloudAnswer.Done<>(gone);
    }

    @Override
    public CloudAnswer<CloudInterface> detachInterface(String id) {
        CloudInterface one = interfaces.get(id);
        if (one == null) {
            return refused(Refusal.GONE, id);
        }
        return put(with(one, Optional.empty(), one.blocks()));
    }

    @Override
    public CloudAnswer<String> deleteInterface(String id) {
        CloudInterface one = interfaces.get(id);
        if (one != null && one.attachment().isPresent()) {
            return refused(Refusal.BUSY, id);
        }
        if (one != null) {
            interfaces.remove(id);
            one.blocks().forEach(taken::remove);
        }
        changed();
        return new CloudAnswer.Done<>(id);
    }

    static <T> CloudAnswer<T> refused(Refusal refusal, String subject) {
        return new CloudAnswer.Refused<>(refusal, subject + ": " + refusal);
    }

    private CloudInterface add(
            Optional<String> token,
            boolean primary,
            boolean managed,
            Optional<Integer> deviceIndex,
            List<Cidr> blocks) {
        int number = made++;
        String id = "eni-%04d".formatted(number);
        token.ifPresent(it -> byToken.put(it, id));
        CloudInterface added =
                new CloudInterface(
                        id,
                        token,
                        String.format("02:00:00:00:%02x:%02x", number >> 8, number & 255),
                        SUBNET_ID,
                        NETWORK,
                        OWN.plus(number & 255),
                        primary,
                        deviceIndex.map(SimulatedCloud::at),
                        blocks,
                        managed);
        put(added);
        return added;
    }

    private static CloudInterface.Attachment at(int deviceIndex) {
        return new CloudInterface.Attachment(deviceIndex, CloudInterface.State.ATTACHED);
    }

    private static Optional<Integer> index(CloudInterface one) {
        return one.attachment().map(CloudInterface.Attachment::deviceIndex);
    }

    private static CloudInterface with(
            CloudInterface one, Optional<Integer> deviceIndex, List<Cidr> blocks) {
        return new CloudInterface(
                one.id(),
                one.token(),
                one.mac(),
                one.subnetId(),
                one.subnet(),
                one.primaryAddress(),
                one.primary(),
                deviceIndex.map(SimulatedCloud::at),
                blocks,
                one.managed());
    }

    private CloudAnswer<CloudInterface> put(CloudInterface one) {
        interfaces.put(one.id(), one);
        changed();
        return new CloudAnswer.Done<>(one);
    }

    private void changed() {
        mutations++;
        attachedSingles.clear();
        attachedPrefixes.clear();
        for (CloudInterface one : interfaces.values()) {
            if (one.attachment().isPresent()) {
                one.blocks()
                        .forEach(block ->
                                (block.size() == 1 ? attachedSingles : attachedPrefixes)
                                        .add(block));
            }
        }
        past.addLast(new Moment(schedule.nowNanos(), new TreeMap<>(interfaces)));
        while (past.size() > 2
                && past.getFirst().atNanos() < schedule.nowNanos() - Schedule.MINUTE) {
            past.removeFirst();
        }
    }

    /** The lowest free ones, so that what is given back is soon somebody's again. */
    private List<Cidr> fresh(BlockKind kind, int count) {
        List<Cidr> fresh = new ArrayList<>();
        IpAddress next =
                switch (kind) {
                    case SECONDARY_ADDRESS -> SINGLES;
                    case PREFIX_28 -> PREFIXES;
                    case PREFIX_80 -> IPV6_PREFIXES;
                };
        for (Cidr block; fresh.size() < count; next = next.plus(block.size())) {
            block = new Cidr(next, kind.prefixLength());
            if (taken.add(block)) {
                fresh.add(block);
                grants.merge(block, 1, Integer::sum);
            }
        }
        return fresh;
    }
}
