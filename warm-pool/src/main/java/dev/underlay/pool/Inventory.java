package dev.underlay.pool;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What the pool holds: interfaces, their blocks, and which address each pod has. Blocks never
 * overlap, so an address is in one place and has one state.
 */
final class Inventory {
    private final TreeMap<String, PooledInterface> interfaces = new TreeMap<>();
    private final TreeMap<Cidr, Block> blocks = new TreeMap<>();

    /** The same blocks again, by interface: a lease must not look at all of them. */
    private final TreeMap<String, TreeMap<Cidr, Block>> byInterface = new TreeMap<>();

    private final TreeMap<AttachmentKey, TreeSet<IpAddress>> owners = new TreeMap<>();

    /** What the kernel has, whatever the cloud says; the daemon adds and removes. */
    private final TreeSet<String> readyLinks = new TreeSet<>();

    /**
     * When each block left which interface. A block that has come to another one since is in here
     * all the same: a description may still show it where it was.
     */
    private final TreeMap<String, TreeMap<Cidr, Long>> goneBlocks = new TreeMap<>();

    /** When each interface was deleted. */
    private final TreeMap<String, Long> goneInterfaces = new TreeMap<>();

    /** What a pod gets. */
    Families families = Families.IPV4;

    /** Without an IPv6 address of its own a node cannot serve pods that need one. */
    boolean nodeHasIpv6 = true;

    /** The interfaces of others on this node. */
    List<CloudInterface> excluded = List.of();

    /** The primary first, then by id. */
    List<PooledInterface> interfaces() {
        List<PooledInterface> all = new ArrayList<>(interfaces.values());
        all.sort(Comparator.comparing(PooledInterface::primary).reversed()); // stable
        return all;
    }

    Optional<PooledInterface> find(String interfaceId) {
        return Optional.ofNullable(interfaces.get(interfaceId));
    }

    PooledInterface add(PooledInterface added) {
        interfaces.put(added.id, added);
        return added;
    }

    /** Ordered by address. */
    List<Block> blocks() {
        return List.copyOf(blocks.values());
    }

    List<Block> blocksOf(String interfaceId) {
        TreeMap<Cidr, Block> own = byInterface.get(interfaceId);
        return own == null ? List.of() : List.copyOf(own.values());
    }

    /** How many slots for IPv4 addresses and prefixes are taken. */
    int ipv4Blocks(String interfaceId) {
        int count = 0;
        for (Block block : blocksOf(interfaceId)) {
            count += block.family() == IpAddress.Family.IPV4 ? 1 : 0;
        }
        return count;
    }

    Optional<Block> find(IpAddress address) {
        Map.Entry<Cidr, Block> floor = blocks.floorEntry(Cidr.of(address));
        return Optional.ofNullable(floor)
                .map(Map.Entry::getValue)
                .filter(block -> block.cidr.contains(address));
    }

    /**
     * The block on this interface, made or moved there if need be. Slots in use of others that
     * overlap it move into it; what does not fit stays as single addresses that the cloud misses.
     */
    Block put(Cidr cidr, String interfaceId, Standing standing, long nowNanos) {
        goneBlocks.getOrDefault(interfaceId, new TreeMap<>()).remove(cidr); // it is back
        Block known = blocks.get(cidr);
        if (known != null) {
            take(known);
            if (!known.interfaceId.equals(interfaceId)) {
                hasLeft(known, nowNanos);
                known.life = BlockLife.ASSIGNED;
                known.mayLeave = false;
            }
            known.interfaceId = interfaceId;
            known.standing = standing;
            return place(known);
        }
        Block made = new Block(cidr, interfaceId, standing, nowNanos);
        for (Block other : overlapping(cidr)) {
            take(other);
            hasLeft(other, nowNanos);
            other.touched()
                    .forEach((address, state) -> {
                        if (cidr.contains(address)) {
                            made.set(address, state);
                        } else if (!(AddressState.at(state, nowNanos)
                                instanceof AddressState.Free)) {
                            orphan(other.interfaceId, address, Standing.MISSING, nowNanos)
                                    .set(address, state);
                        }
                    });
        }
        return place(made);
    }

    /** Its addresses have come to another place: if it was to leave its own, it has. */
    private void hasLeft(Block block, long nowNanos) {
        if (block.life == BlockLife.DRAINING) {
            returned(block.cidr, block.interfaceId, nowNanos);
        }
    }

    private Block place(Block block) {
        blocks.put(block.cidr, block);
        byInterface.computeIfAbsent(block.interfaceId, _ -> new TreeMap<>()).put(block.cidr, block);
        return block;
    }

    private void take(Block block) {
        blocks.remove(block.cidr);
        byInterface.getOrDefault(block.interfaceId, new TreeMap<>()).remove(block.cidr);
    }

    /** A block of the one address, for a pod that uses it. */
    private Block orphan(String interfaceId, IpAddress address, Standing standing, long nowNanos) {
        return place(new Block(Cidr.of(address), interfaceId, standing, nowNanos));
    }

    /** The block that holds an address, made for it if there is none, with its interface. */
    Block findOrOrphan(String interfaceId, IpAddress address, long nowNanos) {
        if (!interfaces.containsKey(interfaceId)) {
            add(
                    new PooledInterface(
                            interfaceId, InterfaceLife.ATTACHED, Standing.UNCONFIRMED, nowNanos));
        }
        return find(address)
                .orElseGet(() -> orphan(interfaceId, address, Standing.UNCONFIRMED, nowNanos));
    }

    private List<Block> overlapping(Cidr cidr) {
        return blocks.values().stream()
                .filter(block ->
                        cidr.contains(block.cidr.network()) || block.cidr.contains(cidr.network()))
                .toList();
    }

    /** Drops a block that the cloud does not have, or keeps it as missing while it is in use. */
    void lost(Block block, long nowNanos) {
        if (block.inUse(nowNanos)) {
            block.standing = Standing.MISSING;
            block.life = BlockLife.ASSIGNED;
        } else {
            take(block);
        }
    }

    /** The same for an interface and all its blocks; the primary one is never dropped. */
    void lost(PooledInterface missing, long nowNanos) {
        blocksOf(missing.id).forEach(block -> lost(block, nowNanos));
        if (missing.primary() || !blocksOf(missing.id).isEmpty()) {
            missing.standing = Standing.MISSING;
        } else {
            interfaces.remove(missing.id);
            byInterface.remove(missing.id);
        }
    }

    boolean inUse(String interfaceId, long nowNanos) {
        return blocksOf(interfaceId).stream().anyMatch(block -> block.inUse(nowNanos));
    }

    /** How many interfaces of others take a place on this node. */
    long excludedAttached() {
        return excluded.stream()
                .filter(one -> one.attachment().isPresent() && !interfaces.containsKey(one.id()))
                .count();
    }

    int leased(PooledInterface one) {
        int count = 0;
        for (Block block : blocksOf(one.id)) {
            count += block.leased();
        }
        return count;
    }

    /** How many addresses of the family that is counted are leased or cool. */
    int inUse(long nowNanos) {
        int count = 0;
        for (Block block : blocks.values()) {
            count += counted(block) ? block.leased() + block.cooling(nowNanos) : 0;
        }
        return count;
    }

    /** Whether the node itself has what pods of these families need. */
    boolean nodeServes() {
        return nodeHasIpv6 || !families.has(IpAddress.Family.IPV6);
    }

    /** Whether a block is of the family whose addresses are counted. */
    boolean counted(Block block) {
        return block.family() == families.counted();
    }

    void returned(Cidr block, String interfaceId, long nowNanos) {
        goneBlocks.computeIfAbsent(interfaceId, _ -> new TreeMap<>()).put(block, nowNanos);
    }

    void deleted(String interfaceId, long nowNanos) {
        goneInterfaces.put(interfaceId, nowNanos);
    }

    /** Whether it left this interface so shortly before that a description may still list it. */
    boolean justReturned(Cidr block, String interfaceId, long askedAtNanos) {
        return fresh(
                goneBlocks.getOrDefault(interfaceId, new TreeMap<>()).get(block), askedAtNanos);
    }

    boolean justDeleted(String interfaceId, long askedAtNanos) {
        return fresh(goneInterfaces.get(interfaceId), askedAtNanos);
    }

    private static boolean fresh(@Nullable Long goneAtNanos, long askedAtNanos) {
        return goneAtNanos != null && askedAtNanos < goneAtNanos + Timing.SETTLE_NANOS;
    }

    void forgetGone(long askedAtNanos) {
        for (TreeMap<Cidr, Long> ofOne : goneBlocks.values()) {
            ofOne.values().removeIf(gone -> !fresh(gone, askedAtNanos));
        }
        goneBlocks.values().removeIf(TreeMap::isEmpty);
        goneInterfaces.values().removeIf(gone -> !fresh(gone, askedAtNanos));
    }

    /** The blocks of this interface that are on their way out or have just gone. */
    List<Cidr> leavingOf(String interfaceId) {
        List<Cidr> leaving = new ArrayList<>();
        for (Block block : blocksOf(interfaceId)) {
            if (block.life == BlockLife.DRAINING) {
                leaving.add(block.cidr);
            }
        }
        leaving.addAll(goneBlocks.getOrDefault(interfaceId, new TreeMap<>()).keySet());
        return leaving;
    }

    /** The interfaces that have just gone. */
    Set<String> goneInterfaces() {
        return goneInterfaces.keySet();
    }

    /** Everybody who has an address, and which; IPv4 first. */
    NavigableMap<AttachmentKey, ? extends SortedSet<IpAddress>> owners() {
        return owners;
    }

    void own(AttachmentKey owner, IpAddress address) {
        owners.computeIfAbsent(owner, _ -> new TreeSet<>()).add(address);
    }

    void disown(AttachmentKey owner, IpAddress address) {
        owners.computeIfPresent(
                owner,
                (_, own) -> {
                    own.remove(address);
                    return own.isEmpty() ? null : own;
                });
    }

    Set<String> readyLinks() {
        return readyLinks;
    }

    /** Whether addresses of this interface may be leased. */
    boolean open(PooledInterface one) {
        return one.life == InterfaceLife.ATTACHED && readyLinks.contains(one.id);
    }
}
