package dev.underlay.localvpc.state;

import java.math.BigInteger;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * The IPv6 addresses of one subnet: which are taken, and which to give next. Belongs to the VPC's
 * lock.
 *
 * <p>A subnet is a /64, which is 65,536 prefixes of /80: only what is taken is kept. The first four
 * addresses and the last are never given, so neither is a prefix that holds one of them.
 */
final class Ipv6Space {
    /** The prefix length of every subnet's IPv6 block. */
    static final int SUBNET_LENGTH = 64;

    private static final int PREFIXES = 1 << (Cidr.IPV6_PREFIX - SUBNET_LENGTH);
    private static final int HOST_BITS = 128 - SUBNET_LENGTH;
    private static final int PREFIX_HOST_BITS = 128 - Cidr.IPV6_PREFIX;
    private static final int FIRST_GIVEN = 4;
    private static final int RANDOM_TRIES = 64;

    private final Cidr subnet;
    private final SplittableRandom random;
    private final Map<Cidr, Instant> restingUntil = new HashMap<>();

    /** Blocks without overlaps, by their first address. */
    private TreeMap<BigInteger, Cidr> taken = new TreeMap<>();

    Ipv6Space(Cidr subnet, SplittableRandom random) {
        if (subnet.isIpv4() || subnet.prefixLength() != SUBNET_LENGTH) {
            throw new IllegalArgumentException(
                    "a subnet's IPv6 block is a /" + SUBNET_LENGTH + ", not " + subnet);
        }
        this.subnet = subnet;
        this.random = random;
    }

    /** Runs the body; whatever it took is given back if it is refused. */
    <T> T allOrNothing(Supplier<T> body) {
        TreeMap<BigInteger, Cidr> before = new TreeMap<>(taken);
        try {
            return body.get();
        } catch (Ec2Refusal refused) {
            taken = before;
            throw refused;
        }
    }

    /** Whether EC2 would give the block at all: an address or a /80, inside and not its own. */
    boolean isGrantable(Cidr block) {
        boolean rightSize = block.isAddress() || block.prefixLength() == Cidr.IPV6_PREFIX;
        return rightSize
                && subnet.contains(block)
                && !block.overlaps(firstFour())
                && !block.overlaps(last());
    }

    /** Whether every address of the block is untaken; one that rests can be asked for by name. */
    boolean isFree(Cidr block) {
        Map.Entry<BigInteger, Cidr> below = taken.floorEntry(block.first());
        Map.Entry<BigInteger, Cidr> above = taken.ceilingEntry(block.first());
        return (below == null || !below.getValue().overlaps(block))
                && (above == null || !above.getValue().overlaps(block));
    }

    /** Takes a block. */
    void take(Cidr block) {
        taken.put(block.first(), block);
    }

    /** Gives a block back; it is not drawn again before the instant. */
    void give(Cidr block, Instant drawableFrom) {
        taken.remove(block.first());
        restingUntil.put(block, drawableFrom);
    }

    /**
     * Draws and takes single addresses.
     *
     * @throws Ec2Refusal if so many are not found
     */
    List<Cidr> drawAddresses(int count, boolean lowestFirst, Instant now) {
        forgetRested(now);
        List<Cidr> drawn = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            Cidr address = lowestFirst ? lowestAddress() : randomAddress();
            take(address);
            drawn.add(address);
        }
        return drawn;
    }

    /**
     * Draws and takes /80 prefixes.
     *
     * @throws Ec2Refusal if not so many whole ones are free
     */
    List<Cidr> drawPrefixes(int count, boolean lowestFirst, Instant now) {
        forgetRested(now);
        List<Cidr> drawn = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            Cidr prefix = freePrefix(lowestFirst ? 0 : random.nextInt(PREFIXES));
            take(prefix);
            drawn.add(prefix);
        }
        return drawn;
    }

    private Cidr lowestAddress() {
        BigInteger offset = BigInteger.valueOf(FIRST_GIVEN);
        while (!isDrawable(address(offset))) {
            Map.Entry<BigInteger, Cidr> here = taken.floorEntry(address(offset).first());
            offset =
                    here != null && here.getValue().contains(address(offset))
                            ? here.getKey().add(here.getValue().size()).subtract(subnet.first())
                            : offset.add(BigInteger.ONE);
            if (offset.bitLength() > HOST_BITS) {
                throw Ec2Refusal.noFreeAddress();
            }
        }
        return address(offset);
    }

    /** Where so many draws in a row meet what is taken there is hardly anything left. */
    private Cidr randomAddress() {
        for (int i = 0; i < RANDOM_TRIES; i++) {
            Cidr address = address(new BigInteger(Long.toUnsignedString(random.nextLong())));
            if (isDrawable(address)) {
                return address;
            }
        }
        throw Ec2Refusal.noFreeAddress();
    }

    /** The first free prefix from an index on, and around. */
    private Cidr freePrefix(int start) {
        for (int i = 0; i < PREFIXES; i++) {
            BigInteger index = BigInteger.valueOf((start + i) % PREFIXES);
            Cidr prefix = block(index.shiftLeft(PREFIX_HOST_BITS), Cidr.IPV6_PREFIX);
            if (isDrawable(prefix)) {
                return prefix;
            }
        }
        throw Ec2Refusal.noFreePrefix();
    }

    private boolean isDrawable(Cidr block) {
        return isGrantable(block)
                && isFree(block)
                && restingUntil.keySet().stream().noneMatch(block::overlaps);
    }

    private void forgetRested(Instant now) {
        restingUntil.values().removeIf(until -> !until.isAfter(now));
    }

    private Cidr address(BigInteger offset) {
        return block(offset, subnet.bits());
    }

    private Cidr block(BigInteger offset, int prefixLength) {
        return new Cidr(subnet.first().add(offset), subnet.bits(), prefixLength);
    }

    private Cidr firstFour() {
        return block(BigInteger.ZERO, subnet.bits() - 2);
    }

    private Cidr last() {
        return address(subnet.size().subtract(BigInteger.ONE));
    }
}
