package dev.underlay.pool;

import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/** A block of addresses on an interface, and the state of each address. */
final class Block {
    /** When the cloud granted it to us in an answer of its own; else this. */
    static final long NOT_GRANTED = Long.MIN_VALUE / 2;

    /** A free address and since when it has been idle. */
    record Idle(IpAddress address, long idleSinceNanos) {}

    final Cidr cidr;
    final long knownSinceNanos;
    String interfaceId;
    BlockLife life = BlockLife.ASSIGNED;
    Standing standing;
    long grantedAtNanos = NOT_GRANTED;

    /** Those that are or were in use; every other address was never used. */
    private final TreeMap<IpAddress, AddressState> touched = new TreeMap<>();

    Block(Cidr cidr, String interfaceId, Standing standing, long nowNanos) {
        this.cidr = cidr;
        this.interfaceId = interfaceId;
        this.standing = standing;
        this.knownSinceNanos = nowNanos;
    }

    AddressState state(IpAddress address) {
        return touched.getOrDefault(address, new AddressState.Free(AddressState.NEVER_USED));
    }

    void set(IpAddress address, AddressState state) {
        touched.put(address, state);
    }

    NavigableMap<IpAddress, AddressState> touched() {
        return touched;
    }

    int leased() {
        int count = 0;
        for (AddressState state : touched.values()) {
            count += state instanceof AddressState.Leased ? 1 : 0;
        }
        return count;
    }

    int cooling(long nowNanos) {
        int count = 0;
        for (AddressState state : touched.values()) {
            count += AddressState.cools(state, nowNanos) ? 1 : 0;
        }
        return count;
    }

    boolean inUse(long nowNanos) {
        return leased() > 0 || cooling(nowNanos) > 0;
    }

    int free(long nowNanos) {
        long size = Math.min(cidr.size(), 1 << 16); // more than a node has pods
        return (int) size - leased() - cooling(nowNanos);
    }

    /** The address to lease next: the lowest never used, else the one idle longest. */
    Optional<Idle> choice(long nowNanos) {
        if (touched.size() < cidr.size()) {
            long index = 0;
            while (touched.containsKey(cidr.address(index))) {
                index++;
            }
            return Optional.of(new Idle(cidr.address(index), AddressState.NEVER_USED));
        }
        Idle best = null;
        for (var slot : touched.entrySet()) {
            if (AddressState.at(slot.getValue(), nowNanos) instanceof AddressState.Free(long idle)
                    && (best == null || idle < best.idleSinceNanos())) {
                best = new Idle(slot.getKey(), idle);
            }
        }
        return Optional.ofNullable(best);
    }

    /** From when on it counts as idle if nothing happens; only for one without leases. */
    long idleSinceNanos() {
        long since = knownSinceNanos;
        for (AddressState state : touched.values()) {
            long idle =
                    switch (state) {
                        case AddressState.Free(long from) -> from;
                        case AddressState.Cooling(long until) -> until;
                        case AddressState.Leased _ -> Long.MAX_VALUE;
                    };
            since = Math.max(since, idle);
        }
        return since;
    }
}
