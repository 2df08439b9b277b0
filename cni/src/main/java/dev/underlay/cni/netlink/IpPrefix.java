package dev.underlay.cni.netlink;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;

/**
 * An address with a prefix length, as the kernel and its tools write it: {@code 10.0.0.16/28}.
 *
 * @param address the address; bits beyond the length are kept as they are
 * @param length 0 to 32 or 128
 */
public record IpPrefix(InetAddress address, int length) implements Comparable<IpPrefix> {
    /** Checks the length against the address family. */
    public IpPrefix {
        if (length < 0 || length > address.getAddress().length * 8) {
            throw new IllegalArgumentException(
                    text(address) + "/" + length + ": the prefix length is out of range");
        }
    }

    /** The prefix that is one address: /32 or /128. */
    public static IpPrefix host(InetAddress address) {
        return new IpPrefix(address, address.getAddress().length * 8);
    }

    /** Everything of the address's family: 0.0.0.0/0 or ::/0. */
    public static IpPrefix everything(boolean ipv6) {
        return new IpPrefix(address(new byte[ipv6 ? 16 : 4]), 0);
    }

    /** Reads {@code 10.0.0.16/28}, or an address alone as a prefix of that one address. */
    public static IpPrefix parse(String text) {
        int slash = text.indexOf('/');
        InetAddress address = literal(slash < 0 ? text : text.substring(0, slash));
        return slash < 0
                ? host(address)
                : new IpPrefix(address, Integer.parseInt(text.substring(slash + 1)));
    }

    /** An address from its literal form; no name is ever looked up. */
    public static InetAddress literal(String text) {
        return InetAddress.ofLiteral(text);
    }

    /** Whether this is an IPv6 prefix. */
    public boolean isIpv6() {
        return address instanceof Inet6Address;
    }

    /** Whether it is one address only. */
    public boolean isHost() {
        return length == address.getAddress().length * 8;
    }

    /** The same prefix with all bits beyond its length zero. */
    public IpPrefix network() {
        byte[] bytes = address.getAddress();
        for (int bit = length; bit < bytes.length * 8; bit++) {
            bytes[bit / 8] &= (byte) ~(0x80 >> (bit % 8));
        }
        return new IpPrefix(address(bytes), length);
    }

    /** Whether all of the other prefix lies inside. */
    public boolean contains(IpPrefix other) {
        return other.length >= length && contains(other.address);
    }

    /** Whether the address lies inside. */
    public boolean contains(InetAddress other) {
        byte[] mine = address.getAddress();
        byte[] theirs = other.getAddress();
        if (mine.length != theirs.length) {
            return false;
        }
        for (int bit = 0; bit < length; bit++) {
            int mask = 0x80 >> (bit % 8);
            if (((mine[bit / 8] ^ theirs[bit / 8]) & mask) != 0) {
                return false;
            }
        }
        return true;
    }

    @Override
    public int compareTo(IpPrefix other) {
        int byAddress =
                java.util.Arrays.compareUnsigned(address.getAddress(), other.address.getAddress());
        if (isIpv6() != other.isIpv6()) {
            return isIpv6() ? 1 : -1;
        }
        return byAddress != 0 ? byAddress : Integer.compare(length, other.length);
    }

    @Override
    public String toString() {
        return text(address) + "/" + length;
    }

    /** The address as RFC 5952 and the kernel's tools write it: {@code fd00:10::11}. */
    public static String text(InetAddress address) {
        byte[] bytes = address.getAddress();
        if (bytes.length == 4) {
            return address.getHostAddress();
        }
        int[] groups = new int[8];
        for (int i = 0; i < 8; i++) {
            groups[i] = (bytes[2 * i] & 0xff) << 8 | (bytes[2 * i + 1] & 0xff);
        }
        int from = -1; // the longest run of two or more zero groups is written as "::"
        int run = 1;
        for (int i = 0; i < 8; i++) {
            int end = i;
            while (end < 8 && groups[end] == 0) {
                end++;
            }
            if (end - i > run) {
                from = i;
                run = end - i;
            }
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            if (i == from) {
                text.append("::");
                i += run - 1;
            } else {
                if (!text.isEmpty() && text.charAt(text.length() - 1) != ':') {
                    text.append(':');
                }
                text.append(Integer.toHexString(groups[i]));
            }
        }
        return text.toString();
    }

    static InetAddress address(byte[] bytes) {
        try {
            return InetAddress.getByAddress(bytes);
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("an address has 4 or 16 bytes", e);
        }
    }
}
