package dev.underlay.localvpc.state;

import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * The IPv4 addresses of one subnet: which are taken, and which to give next. Belongs to the VPC's
 * lock.
 *
 * <p>The first four addresses and the last are never given, so neither is a prefix that holds one
 * of them. Addresses are drawn at random from all that are free, which is what fragments a subnet
 * until no whole prefix is left.
 */
final class AddressSpace {
    private static final int PREFIX_SIZE = 1 << (32 - Cidr.IPV4_PREFIX);
    private static final int RANDOM_TRIES = 64;

    /** A reserved range; automatic single addresses never come from one. */
    private record Reservation(int from, int to, boolean forPrefixes) {}

    private final Cidr subnet;
    private final int size;
    private final SplittableRandom random;
    private final List<Reservation> reservations = new ArrayList<>();
    private final TreeMap<Integer, Instant> restingUntil = new TreeMap<>();
    private BitSet taken = new BitSet();

    AddressSpace(Cidr subnet, SplittableRandom random) {
        if (!subnet.isIpv4() || subnet.prefixLength() < 16 || subnet.prefixLength() > 28) {
            throw new IllegalArgumentException(
                    "a subnet is an IPv4 block between /16 and /28, not " + subnet);
        }
        this.subnet = subnet;
        this.random = random;
        size = subnet.size().intValueExact();
        taken.set(0, 4);
        taken.set(size - 1);
    }

    /** How many addresses are neither taken nor EC2's own. A prefix takes 16. */
    int free() {
        return size - taken.cardinality();
    }

    /** Runs the body; whatever it took is given back if it is refused. */
    <T> T allOrNothing(Supplier<T> body) {
        BitSet before = (BitSet) taken.clone();
        try {
            return body.get();
        } catch (Ec2Refusal refused) {
            taken = before;
            throw refused;
        }
    }

    /** Whether EC2 would give the block at all: an address or a /28, inside and not its own. */
    boolean isGrantable(Cidr block) {
        if (!subnet.contains(block)) {
            return false;
        }
        int from = (int) subnet.offsetOf(block);
        int to = from + (block.isAddress() ? 1 : PREFIX_SIZE);
        boolean rightSize = block.isAddress() || block.prefixLength() == Cidr.IPV4_PREFIX;
        return rightSize && from >= 4 && to < size;
    }

    /** Whether every address of the block is untaken; one that rests can be asked for by name. */
    boolean isFree(Cidr block) {
        int from = (int) subnet.offsetOf(block);
        int next = taken.nextSetBit(from);
        return next < 0 || next >= from + block.size().intValueExact();
    }

    /** Takes a block. */
    void take(Cidr block) {
        int from = (int) subnet.offsetOf(block);
        taken.set(from, from + block.size().intValueExact());
    }

    /** Gives a block back; it is not drawn again before the instant. */
    void give(Cidr block, Instant drawableFrom) {
        int from = (int) subnet.offsetOf(block);
        int to = from + block.size().intValueExact();
        taken.clear(from, to);
        for (int offset = from; offset < to; offset++) {
            restingUntil.put(offset, drawableFrom);
        }
    }

    /**
     * Draws and takes single addresses.
     *
     * @throws Ec2Refusal if not so many are free
     */
    List<Cidr> drawAddresses(int count, boolean lowestFirst, Instant now) {
        BitSet blocked = blocked(now);
        for (Reservation reservation : reservations) {
            blocked.set(reservation.from, reservation.to);
        }
        if (size - blocked.cardinality() < count) {
            throw Ec2Refusal.noFreeAddress();
        }
        List<Cidr> drawn = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            int offset = lowestFirst ? blocked.nextClearBit(0) : randomClear(blocked, size);
            blocked.set(offset);
            drawn.add(subnet.at(offset, subnet.bits()));
        }
        drawn.forEach(this::take);
        return drawn;
    }

    /**
     * Draws and takes /28 prefixes, from ranges reserved for them first.
     *
     * @throws Ec2Refusal if not so many whole ones are free
     */
    List<Cidr> drawPrefixes(int count, boolean lowestFirst, Instant now) {
        BitSet blocked = blocked(now);
        BitSet outside = new BitSet();
        outside.set(0, size);
        boolean reservedForPrefixes = false;
        for (Reservation reservation : reservations) {
            if (reservation.forPrefixes) {
                outside.clear(reservation.from, reservation.to);
                reservedForPrefixes = true;
            } else {
                blocked.set(reservation.from, reservation.to);
            }
        }
        List<Cidr> drawn = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            OptionalInt index = OptionalInt.empty();
            if (reservedForPrefixes) {
                BitSet preferred = (BitSet) blocked.clone();
                preferred.or(outside);
                index = prefixIndex(preferred, lowestFirst);
            }
            if (index.isEmpty()) {
                index = prefixIndex(blocked, lowestFirst);
            }
            int offset = index.orElseThrow(Ec2Refusal::noFreePrefix) * PREFIX_SIZE;
            blocked.set(offset, offset + PREFIX_SIZE);
            drawn.add(subnet.at(offset, Cidr.IPV4_PREFIX));
        }
        drawn.forEach(this::take);
        return drawn;
    }

    /** Reserves a range, for prefixes or for addresses that are asked for by name. */
    void reserve(Cidr range, boolean forPrefixes) {
        int from = (int) subnet.offsetOf(range);
        int to = from + range.size().intValueExact();
        if (reservations.stream().anyMatch(other -> from < other.to && other.from < to)) {
            throw Ec2Refusal.parameterValue("The CIDR reservation " + range + " overlaps another");
        }
        reservations.add(new Reservation(from, to, forPrefixes));
    }

    private BitSet blocked(Instant now) {
        BitSet blocked = (BitSet) taken.clone();
        Iterator<Map.Entry<Integer, Instant>> resting = restingUntil.entrySet().iterator();
        while (resting.hasNext()) {
            Map.Entry<Integer, Instant> entry = resting.next();
            if (entry.getValue().isAfter(now)) {
                blocked.set(entry.getKey());
            } else {
                resting.remove();
            }
        }
        return blocked;
    }

    private OptionalInt prefixIndex(BitSet blocked, boolean lowestFirst) {
        BitSet spoilt = new BitSet();
        for (int bit = blocked.nextSetBit(0); bit >= 0; ) {
            spoilt.set(bit / PREFIX_SIZE);
            bit = blocked.nextSetBit((bit / PREFIX_SIZE + 1) * PREFIX_SIZE);
        }
        int whole = size / PREFIX_SIZE;
        int clear = whole - spoilt.cardinality();
        if (clear == 0) {
            return OptionalInt.empty();
        }
        return OptionalInt.of(lowestFirst ? spoilt.nextClearBit(0) : randomClear(spoilt, whole));
    }

    /** A clear bit below the limit, each with the same chance; there is at least one. */
    private int randomClear(BitSet bits, int limit) {
        for (int i = 0; i < RANDOM_TRIES; i++) {
            int offset = random.nextInt(limit);
            if (!bits.get(offset)) {
                return offset;
            }
        }
        int clear = limit - bits.get(0, limit).cardinality();
        int skip = random.nextInt(clear);
        int offset = bits.nextClearBit(0);
        for (; skip > 0; skip--) {
            offset = bits.nextClearBit(offset + 1);
        }
        return offset;
    }
}
