package dev.underlay.localvpc.state;

import dev.underlay.cni.netlink.IpPrefix;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;

/**
 * A block of addresses, IPv4 or IPv6. A single address is a /32 or /128.
 *
 * @param first the lowest address as a number
 * @param bits 32 or 128
 * @param prefixLength of the block
 */
public record Cidr(BigInteger first, int bits, int prefixLength) {
    /** The prefix length of an IPv4 prefix that EC2 delegates. */
    public static final int IPV4_PREFIX = 28;

    /** The prefix length of an IPv6 prefix that EC2 delegates. */
    public static final int IPV6_PREFIX = 80;

    /** Checks that no bit is set behind the prefix. */
    public Cidr {
        if (prefixLength < 0 || prefixLength > bits || first.bitLength() > bits) {
            throw new IllegalArgumentException("no /" + prefixLength + " of " + bits + " bits");
        }
        if (first.signum() != 0 && first.getLowestSetBit() < bits - prefixLength) {
            throw new IllegalArgumentException(
                    address(first, bits) + "/" + prefixLength + " has bits behind its prefix");
        }
    }

    /**
     * Reads {@code 10.0.0.0/24}, {@code 2001:db8::/64}, or a single address.
     *
     * @throws IllegalArgumentException when the text is neither, or has bits behind the prefix
     */
    public static Cidr parse(String text) {
        int slash = text.indexOf('/');
        String literal = slash < 0 ? text : text.substring(0, slash);
        try {
            InetAddress address = InetAddress.ofLiteral(literal);
            int bits = address.getAddress().length * 8;
            int length = slash < 0 ? bits : Integer.parseInt(text, slash + 1, text.length(), 10);
            return new Cidr(new BigInteger(1, address.getAddress()), bits, length);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'" + text + "' is not a CIDR", e);
        }
    }

    /** The single address. */
    public static Cidr of(InetAddress address) {
        byte[] bytes = address.getAddress();
        return new Cidr(new BigInteger(1, bytes), bytes.length * 8, bytes.length * 8);
    }

    /** The block of the given length at an offset of so many addresses. */
    public Cidr at(long offset, int length) {
        return new Cidr(first.add(BigInteger.valueOf(offset)), bits, length);
    }

    /** How many addresses lie between this block's first and the other's. */
    public long offsetOf(Cidr inner) {
        return inner.first.subtract(first).longValueExact();
    }

    /** How many addresses it has. */
    public BigInteger size() {
        return BigInteger.ONE.shiftLeft(bits - prefixLength);
    }

    /** Whether the other block lies inside, or is the same. */
    public boolean contains(Cidr other) {
        return bits == other.bits
                && prefixLength <= other.prefixLength
                && first.xor(other.first).bitLength() <= bits - prefixLength;
    }

    /** Whether the blocks share an address. */
    public boolean overlaps(Cidr other) {
        return contains(other) || other.contains(this);
    }

    /** Whether it is a single address. */
    public boolean isAddress() {
        return prefixLength == bits;
    }

    /** Whether it is IPv4. */
    public boolean isIpv4() {
        return bits == 32;
    }

    /** The lowest address. */
    public InetAddress address() {
        return address(first, bits);
    }

    /** The lowest address's text without a length, IPv6 in its short form as EC2 writes it. */
    public String addressText() {
        return IpPrefix.text(address());
    }

    /** A single address as such, a block with its length. */
    @Override
    public String toString() {
        return isAddress() ? addressText() : addressText() + "/" + prefixLength;
    }

    private static InetAddress address(BigInteger value, int bits) {
        byte[] bytes = new byte[bits / 8];
        byte[] digits = value.toByteArray();
        int count = Math.min(digits.length, bytes.length);
        System.arraycopy(digits, digits.length - count, bytes, bytes.length - count, count);
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("no address: " + Arrays.toString(bytes), e);
        }
    }
}
