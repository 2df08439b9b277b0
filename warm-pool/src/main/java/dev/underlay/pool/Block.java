package dev.underlay.pool;

import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.LongStream;

/** A block of addresses on an interface, and the state of each address. */
final class Block {
    /** When the cloud granted it to us in an answer of its own; else this. */
    static final long NOT_GRANTED = Long.MIN_VALUE / 2;

    /** A free address and since when it has been idle. */
    record Idle(IpAddress address, long idleSinceNanos) {}

    /**
     * The addresses of a /80 that are used, its first 2^16 but the very first: more than a node has
     * pods, and few enough to remember each. The first is the anycast address of the routers to a
     * host that takes the prefix for a subnet (RFC 4291, section 2.6.1).
     */
    private static final int MOST_USED = 1 << 16;

    final Cidr cidr;
    final long knownSinceNanos;
    String interfaceId;
    BlockLife life = BlockLife.ASSIGNED;
    Standing standing;
    long grantedAtNanos = NOT_GRANTED;

    /** Whether the cloud was asked to take it back and did not say whether it will: it must go. */
    boolean mayLeave;

    /** In a /80, the number of the address that was leased last. */
    private long last;

    /** In a /80, the last instant at which none of its addresses is leased. */
    private long restUntilNanos = Long.MIN_VALUE / 2;

    /**
     * Those that are or were in use; every other address was never used. In a /80 those that are:
     * they are used in a round, so that the one after the last has been idle longest.
     */
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
        if (large() && state instanceof AddressState.Free) {
            touched.remove(address);
        } else {
            touched.put(address, state);
        }
        if (large() && state instanceof AddressState.Leased) {
            last = address.low() - cidr.network().low();
        }
    }

    IpAddress.Family family() {
        return cidr.network().family();
    }

    /** Whoever may have had them: its addresses without a pod are not leased before then. */
    void rest(long untilNanos) {
        if (large()) {
            restUntilNanos = Math.max(restUntilNanos, untilNanos);
            return;
        }
        for (long i = 0; i < cidr.size(); i++) {
            IpAddress address = cidr.address(i);
            if (!(state(address) instanceof AddressState.Leased)) {
                set(address, new AddressState.Cooling(untilNanos));
            }
        }
    }

    /** Until when addresses of it rest, each by itself or all of them. */
    LongStream restsUntilNanos(long nowNanos) {
        LongStream each =
                touched.values().stream()
                        .flatMapToLong(state ->
                                state instanceof AddressState.Cooling(long until)
                                        ? LongStream.of(until)
                                        : LongStream.empty());
        return rests(nowNanos) ? LongStream.concat(each, LongStream.of(restUntilNanos)) : each;
    }

    private boolean rests(long nowNanos) {
        return restUntilNanos >= nowNanos;
    }

    private boolean large() {
        return cidr.size() > MOST_USED;
    }

    /** How many addresses of a block pods can have. */
    static int usable(Cidr cidr) {
        return cidr.size() > MOST_USED ? MOST_USED - 1 : (int) cidr.size();
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
        return leased() > 0 || cooling(nowNanos) > 0 || rests(nowNanos);
    }

    int free(long nowNanos) {
        return rests(nowNanos) ? 0 : Math.max(0, usable(cidr) - leased() - cooling(nowNanos));
    }

    /** The address to lease next: the lowest never used, else the one idle longest. */
    Optional<Idle> choice(long nowNanos) {
        if (large()) {
            return nextInTurn(nowNanos);
        }
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

    private Optional<Idle> nextInTurn(long nowNanos) {
        if (rests(nowNanos)) {
            return Optional.empty();
        }
        for (long i = 0; i < MOST_USED - 1; i++) {
            IpAddress address = cidr.address(1 + (last + i) % (MOST_USED - 1));
            if (AddressState.at(state(address), nowNanos) instanceof AddressState.Free) {
                return Optional.of(new Idle(address, AddressState.NEVER_USED));
            }
        }
        return Optional.empty();
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
