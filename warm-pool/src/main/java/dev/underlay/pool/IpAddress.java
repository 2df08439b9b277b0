package dev.underlay.pool;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;

/**
 * An IPv4 or IPv6 address as a number, without scope, name or look-up.
 *
 * @param family which of the two
 * @param high the upper 64 bits; 0 for IPv4
 * @param low the lower 64 bits; the 32 bits of an IPv4 address, unsigned
 */
public record IpAddress(Family family, long high, long low) implements Comparable<IpAddress> {
    /** The address family; its {@link #bits()} is the length of an address. */
    public enum Family {
        IPV4(32),
        IPV6(128);

        private final int bits;

        Family(int bits) {
            this.bits = bits;
        }

        /** The number of bits of an address: 32 or 128. */
        public int bits() {
            return bits;
        }
    }

    /** Refuses bits that the family does not have. */
    public IpAddress {
        if (family == Family.IPV4 && (high != 0 || low >>> 32 != 0)) {
            throw new IllegalArgumentException("not 32 bits: " + high + ":" + low);
        }
    }

    /**
     * Reads the usual text form, such as {@code 10.0.3.17} or {@code 2001:db8::1}.
     *
     * @throws IllegalArgumentException when the text is anything else; names are never looked up
     */
    public static IpAddress parse(String text) {
        boolean short4 = !text.contains(":") && text.chars().filter(c -> c == '.').count() != 3;
        if (short4 || text.startsWith("[")) {
            throw new IllegalArgumentException("not an address: " + text); // the JDK takes "10.1"
        }
        InetAddress literal = InetAddress.ofLiteral(text);
        if (literal instanceof Inet6Address v6 && v6.getScopeId() != 0) {
            throw new IllegalArgumentException("an address with a scope: " + text);
        }
        return ofBytes(literal.getAddress());
    }

    /**
     * From 4 or 16 bytes in network order.
     *
     * @throws IllegalArgumentException for any other length
     */
    public static IpAddress ofBytes(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        return switch (bytes.length) {
            case 4 -> new IpAddress(Family.IPV4, 0, Integer.toUnsignedLong(buffer.getInt()));
            case 16 -> new IpAddress(Family.IPV6, buffer.getLong(), buffer.getLong());
            default -> throw new IllegalArgumentException(bytes.length + " bytes");
        };
    }

    /** The 4 or 16 bytes in network order. */
    public byte[] toBytes() {
        ByteBuffer buffer = ByteBuffer.allocate(family.bits() / 8);
        if (family == Family.IPV4) {
            buffer.putInt((int) low);
        } else {
            buffer.putLong(high).putLong(low);
        }
        return buffer.array();
    }

    /**
     * The address {@code offset} numbers further on.
     *
     * @param offset 0 or more
     * @throws IllegalArgumentException when the family has no such address
     */
    public IpAddress plus(long offset) {
        long sum = low + offset;
        boolean carry = Long.compareUnsigned(sum, low) < 0;
        if (carry && high == -1) {
            throw new IllegalArgumentException(this + " plus " + offset + " is beyond the last");
        }
        return new IpAddress(family, carry ? high + 1 : high, sum);
    }

    @Override
    public int compareTo(IpAddress other) {
        int byFamily = family.compareTo(other.family);
        if (byFamily != 0) {
            return byFamily;
        }
        int byHigh = Long.compareUnsigned(high, other.high);
        return byHigh != 0 ? byHigh : Long.compareUnsigned(low, other.low);
    }

    /** The text form of RFC 5952 for IPv6 and dotted decimal for IPv4. */
    @Override
    public String toString() {
        if (family == Family.IPV4) {
            return String.format(
                    "%d.%d.%d.%d", low >>> 24, (low >>> 16) & 255, (low >>> 8) & 255, low & 255);
        }
        return Ipv6Text.format(high, low);
    }
}
