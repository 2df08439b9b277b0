package dev.underlay.cni.protocol;

import java.net.Inet4Address;
import java.net.InetAddress;

/**
 * An address with a prefix length, host bits kept: {@code 10.0.3.17/32}, {@code ::/0}.
 *
 * @param length 0 to 32 (IPv4) or 128 (IPv6)
 */
public record Cidr(InetAddress address, int length) {
    public Cidr {
        int bits = address instanceof Inet4Address ? 32 : 128;
        if (length < 0 || length > bits) {
            throw new IllegalArgumentException(
                    "prefix length " + length + " is not in 0.." + bits + ": " + address);
        }
    }

    /** The address alone: {@code /32} or {@code /128}. */
    public static Cidr host(InetAddress address) {
        return new Cidr(address, address instanceof Inet4Address ? 32 : 128);
    }

    /**
     * Reads {@code address/length}.
     *
     * @throws IllegalArgumentException when it is anything else; names are never resolved
     */
    public static Cidr parse(String text) {
        int slash = text.indexOf('/');
        if (slash < 0) {
            throw new IllegalArgumentException("not address/length: " + text);
        }
        return new Cidr(
                InetAddress.ofLiteral(text.substring(0, slash)),
                Integer.parseInt(text, slash + 1, text.length(), 10));
    }

    @Override
    public String toString() {
        return text(address) + "/" + length;
    }

    /** The address as text, IPv6 in the form of RFC 5952 (longest run of zeros as {@code ::}). */
    static String text(InetAddress address) {
        if (address instanceof Inet4Address) {
            return address.getHostAddress();
        }
        byte[] bytes = address.getAddress();
        int[] groups = new int[8];
        for (int i = 0; i < 8; i++) {
            groups[i] = (bytes[2 * i] & 0xff) << 8 | (bytes[2 * i + 1] & 0xff);
        }
        int runStart = -1;
        int runLength = 1; // a single zero group is not shortened (RFC 5952, 4.2.2)
        for (int i = 0; i < 8; i++) {
            int end = i;
            while (end < 8 && groups[end] == 0) {
                end++;
            }
            if (end - i > runLength) {
                runStart = i;
                runLength = end - i;
            }
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            if (i == runStart) {
                text.append("::");
                i += runLength - 1;
                continue;
            }
            if (!text.isEmpty() && text.charAt(text.length() - 1) != ':') {
                text.append(':');
            }
            text.append(Integer.toHexString(groups[i]));
        }
        return text.toString();
    }
}
