package dev.underlay.pool;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * A cloud in memory with one subnet and one node: what it is asked takes effect at once. Latency,
 * refusals and lost answers are the driver's matter.
 */
final class SimulatedCloud implements CloudNetwork {
    static final Cidr SUBNET = Cidr.parse("10.0.0.0/20");
    static final String SUBNET_ID = "subnet-a";
    static final String PRIMARY = "eni-0000";

    private static final int PREFIX_SIZE = 16;

    private final NodeIdentity.Limits limits;
    private final TreeMap<String, CloudInterface> interfaces = new TreeMap<>();
    private final Map<String, String> byToken = new TreeMap<>();
    private final TreeSet<IpAddress> taken = new TreeSet<>();
    private int made;
    private int ipv6Prefixes;

    /** How many addresses the subnet has left for this node. */
    int subnetFree = 4000;

    /** Whether no /28 of the subnet is free. */
    boolean fragmented;

    /** How many calls changed something. */
    int mutations;

    SimulatedCloud(NodeIdentity.Limits limits) {
        this.limits = limits;
        addInterface(Optional.empty(), true, true, Optional.of(attached(0)), List.of());
    }

    /** An interface that somebody else put on the node. */
    void addUnmanaged(int deviceIndex) {
        addInterface(
                Optional.empty(), false, false, Optional.of(attached(deviceIndex)), addresses(2));
    }

    boolean assigned(String interfaceId, IpAddress address) {
        CloudInterface one = interfaces.get(interfaceId);
        return one != null
                && one.attachment().isPresent()
                && one.blocks().stream().anyMatch(block -> block.contains(address));
    }

    List<CloudInterface> all() {
        return List.copyOf(interfaces.values());
    }

    @Override
    public CloudAnswer<NodeIdentity> identify() {
        throw new UnsupportedOperationException();
    }

    @Override
    public CloudAnswer<List<Cidr>> networkCidrs() {
        throw new UnsupportedOperationException();
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
        Optional<Refusal> lack = lack(request.kind(), request.blocks(), 1);
        if (lack.isPresent()) {
            return refused(lack.get(), SUBNET_ID);
        }
        mutations++;
        return new CloudAnswer.Done<>(
                addInterface(
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
        List<CloudInterface.Attachment> all =
                interfaces.values().stream().flatMap(it -> it.attachment().stream()).toList();
        if (all.size() >= limits.interfaces()) {
            return refused(Refusal.ATTACHMENT_LIMIT, id);
        }
        if (all.stream().anyMatch(it -> it.deviceIndex() == deviceIndex)) {
            return refused(Refusal.DEVICE_INDEX_TAKEN, id);
        }
        mutations++;
        return put(one.with(Optional.of(attached(deviceIndex)), one.blocks()));
    }

    @Override
    public CloudAnswer<List<Cidr>> assignBlocks(String id, BlockKind kind, int count) {
        CloudInterface one = interfaces.get(id);
        if (one == null) {
            return refused(Refusal.GONE, id);
        }
        if (kind == BlockKind.PREFIX_80) {
            return assignIpv6(one, count);
        }
        long slots = one.blocks().stream().filter(SimulatedCloud::ipv4).count();
        if (slots + count > limits.addressesPerInterface() - 1) {
            return refused(Refusal.INTERFACE_FULL, id);
        }
        Optional<Refusal> lack = lack(kind, count, 0);
        if (lack.isPresent()) {
            return refused(lack.get(), SUBNET_ID);
        }
        mutations++;
        List<Cidr> fresh = fresh(kind, count);
        List<Cidr> blocks = new ArrayList<>(one.blocks());
        blocks.addAll(fresh);
        put(one.with(one.attachment(), blocks));
        return new CloudAnswer.Done<>(fresh);
    }

    /** The subnet's IPv6 addresses never end. */
    private CloudAnswer<List<Cidr>> assignIpv6(CloudInterface one, int count) {
        mutations++;
        List<Cidr> fresh = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            fresh.add(Cidr.parse("2001:db8:0:1:%x::/80".formatted(++ipv6Prefixes)));
        }
        List<Cidr> blocks = new ArrayList<>(one.blocks());
        blocks.addAll(fresh);
        put(one.with(one.attachment(), blocks));
        return new CloudAnswer.Done<>(fresh);
    }

    private static boolean ipv4(Cidr block) {
        return block.network().family() == IpAddress.Family.IPV4;
    }

    @Override
    public CloudAnswer<List<Cidr>> unassignBlocks(String id, List<Cidr> gone) {
        CloudInterface one = interfaces.get(id);
        if (one == null) {
            return refused(Refusal.GONE, id);
        }
        mutations++;
        List<Cidr> blocks = new ArrayList<>(one.blocks());
        for (Cidr block : gone) {
            if (blocks.remove(block)) {
                giveBack(block);
            }
        }
        put(one.with(one.attachment(), blocks));
        return new CloudAnswer.Done<>(gone);
    }

    @Override
    public CloudAnswer<CloudInterface> detachInterface(String id) {
        CloudInterface one = interfaces.get(id);
        if (one == null) {
            return refused(Refusal.GONE, id);
        }
        mutations++;
        return put(one.with(Optional.empty(), one.blocks()));
    }

    @Override
    public CloudAnswer<String> deleteInterface(String id) {
        CloudInterface one = interfaces.get(id);
        if (one != null && one.attachment().isPresent()) {
            return refused(Refusal.BUSY, id);
        }
        mutations++;
        if (one != null) {
            interfaces.remove(id);
            one.blocks().forEach(this::giveBack);
            giveBack(Cidr.of(one.primaryAddress()));
        }
        return new CloudAnswer.Done<>(id);
    }

    static <T> CloudAnswer<T> refused(Refusal refusal, String subject) {
        return new CloudAnswer.Refused<>(refusal, subject + ": " + refusal);
    }

    private static CloudInterface.Attachment attached(int deviceIndex) {
        return new CloudInterface.Attachment(deviceIndex, CloudInterface.State.ATTACHED);
    }

    private CloudInterface addInterface(
            Optional<String> token,
            boolean primary,
            boolean managed,
            Optional<CloudInterface.Attachment> attachment,
            List<Cidr> blocks) {
        String id = "eni-%04d".formatted(made++);
        token.ifPresent(it -> byToken.put(it, id));
        CloudInterface added =
                new CloudInterface(
                        id,
                        token,
                        "02:00:00:00:00:%02x".formatted(made),
                        SUBNET_ID,
                        SUBNET,
                        addresses(1).getFirst().network(),
                        primary,
                        attachment,
                        blocks,
                        managed);
        interfaces.put(id, added);
        return added;
    }

    private CloudAnswer<CloudInterface> put(CloudInterface one) {
        interfaces.put(one.id(), one);
        return new CloudAnswer.Done<>(one);
    }

    /** What the subnet lacks for so many blocks and single addresses. */
    private Optional<Refusal> lack(BlockKind kind, int blocks, int addresses) {
        if (kind == BlockKind.PREFIX_28
                && (fragmented || subnetFree < blocks * PREFIX_SIZE + addresses)) {
            return Optional.of(Refusal.NO_FREE_PREFIX);
        }
        return subnetFree < blocks + addresses
                ? Optional.of(Refusal.SUBNET_FULL)
                : Optional.empty();
    }

    private List<Cidr> fresh(BlockKind kind, int count) {
        return kind == BlockKind.PREFIX_28 ? prefixes(count) : addresses(count);
    }

    /** The lowest ones of which every address is free. */
    private List<Cidr> prefixes(int count) {
        List<Cidr> fresh = new ArrayList<>();
        for (long start = PREFIX_SIZE; fresh.size() < count; start += PREFIX_SIZE) {
            Cidr prefix = new Cidr(SUBNET.address(start), BlockKind.PREFIX_28.prefixLength());
            if (addressesOf(prefix).noneMatch(taken::contains)) {
                addressesOf(prefix).forEach(taken::add);
                fresh.add(prefix);
                subnetFree -= PREFIX_SIZE;
            }
        }
        return fresh;
    }

    private static Stream<IpAddress> addressesOf(Cidr block) {
        return LongStream.range(0, block.size()).mapToObj(block::address);
    }

    /** The lowest free ones, so that what is given back is soon somebody's again. */
    private List<Cidr> addresses(int count) {
        List<Cidr> fresh = new ArrayList<>();
        for (long index = 4; fresh.size() < count; index++) {
            if (taken.add(SUBNET.address(index))) {
                fresh.add(Cidr.of(SUBNET.address(index)));
                subnetFree--;
            }
        }
        return fresh;
    }

    private void giveBack(Cidr block) {
        if (!ipv4(block)) {
            return;
        }
        addressesOf(block).forEach(taken::remove);
        subnetFree += (int) block.size();
    }
}
