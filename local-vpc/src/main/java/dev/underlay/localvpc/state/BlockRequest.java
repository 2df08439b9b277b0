package dev.underlay.localvpc.state;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Which blocks of one family a caller wants: at most one of four ways. A null list or count was not
 * given.
 *
 * @param ipv6 whether IPv6 ones
 * @param addresses by name
 * @param addressCount so many, drawn
 * @param prefixes by name
 * @param prefixCount so many, drawn
 */
public record BlockRequest(
        boolean ipv6,
        @Nullable List<Cidr> addresses,
        @Nullable Integer addressCount,
        @Nullable List<Cidr> prefixes,
        @Nullable Integer prefixCount) {
    /** Nothing of either family. */
    public static final BlockRequest NOTHING = new BlockRequest(false, null, null, null, null);

    /** What an instance gets at launch in a subnet with IPv6. */
    static final BlockRequest ONE_IPV6_ADDRESS = new BlockRequest(true, null, 1, null, null);

    /** So many single IPv4 addresses. */
    public static BlockRequest addresses(int count) {
        return new BlockRequest(false, null, count, null, null);
    }

    /** How many of the four ways were given. */
    int ways() {
        return (addresses == null ? 0 : 1)
                + (addressCount == null ? 0 : 1)
                + (prefixes == null ? 0 : 1)
                + (prefixCount == null ? 0 : 1);
    }

    /** How many slots of an interface it takes if all of it is new. */
    int slots() {
        return (addresses == null ? 0 : addresses.size())
                + (addressCount == null ? 0 : addressCount)
                + (prefixes == null ? 0 : prefixes.size())
                + (prefixCount == null ? 0 : prefixCount);
    }

    /** Whether prefixes are wanted. */
    boolean wantsPrefixes() {
        return prefixes != null || prefixCount != null;
    }

    /** The blocks given by name. */
    List<Cidr> named() {
        return addresses != null ? addresses : prefixes != null ? prefixes : List.of();
    }

    void check() {
        if (ways() > 1) {
            throw Ec2Refusal.parameterCombination(
                    "Only one of addresses, address count, prefixes and prefix count may be given");
        }
        String family = ipv6 ? "IPv6" : "IPv4";
        if (named().stream().anyMatch(block -> block.isIpv4() == ipv6)) {
            throw Ec2Refusal.parameterValue("Not all are " + family + ": " + named());
        }
        if (addresses != null && !addresses.stream().allMatch(Cidr::isAddress)) {
            throw Ec2Refusal.parameterValue("Not all are single addresses: " + addresses);
        }
        int length = ipv6 ? Cidr.IPV6_PREFIX : Cidr.IPV4_PREFIX;
        if (prefixes != null && !prefixes.stream().allMatch(p -> p.prefixLength() == length)) {
            throw Ec2Refusal.parameterValue("Not all are /" + length + " prefixes: " + prefixes);
        }
        if ((addressCount != null && addressCount < 1)
                || (prefixCount != null && prefixCount < 1)) {
            throw Ec2Refusal.parameterValue("A count must be at least 1");
        }
    }
}
