package dev.underlay.cni.netlink;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collection;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The addresses inside some prefixes of one family but for some, asked often and by their bytes in
 * a message.
 */
final class AddressSet {
    private static final int IPV4_SHIFT = 96; // an IPv4 address is the last 32 of 128 bits

    private record Bits(long high, long low) {
        static Bits of(ByteBuffer bytes, int at, int length) {
            boolean swap = bytes.order() == ByteOrder.LITTLE_ENDIAN; // addresses are big-endian
            if (length == 4) {
                int value = bytes.getInt(at);
                return new Bits(0, (swap ? Integer.reverseBytes(value) : value) & 0xffff_ffffL);
            }
            long high = bytes.getLong(at);
            long low = bytes.getLong(at + 8);
            return swap
                    ? new Bits(Long.reverseBytes(high), Long.reverseBytes(low))
                    : new Bits(high, low);
        }

        static Bits of(InetAddress address) {
            byte[] bytes = address.getAddress();
            return of(ByteBuffer.wrap(bytes), 0, bytes.length);
        }

        /** Only the first bits. */
        Bits first(int count) {
            return new Bits(high & mask(count), low & mask(count - 64));
        }

        private static long mask(int count) {
            return count <= 0 ? 0 : count >= 64 ? -1 : -1L << (64 - count);
        }
    }

    private final Map<Integer, Set<Bits>> networks = new TreeMap<>();
    private final Set<Bits> except = new HashSet<>();

    AddressSet(Collection<IpPrefix> prefixes, Collection<InetAddress> except) {
        for (IpPrefix prefix : prefixes) {
            int length = prefix.length() + (prefix.isIpv6() ? 0 : IPV4_SHIFT);
            networks.computeIfAbsent(length, _ -> new HashSet<>())
                    .add(Bits.of(prefix.address()).first(length));
        }
        except.forEach(address -> this.except.add(Bits.of(address)));
    }

    /** Whether the 4 or 16 bytes at a place are one of the addresses; nothing else is. */
    boolean contains(ByteBuffer bytes, int at, int length) {
        if (length != 4 && length != 16) {
            return false;
        }
        Bits address = Bits.of(bytes, at, length);
        for (var same : networks.entrySet()) {
            if (same.getValue().contains(address.first(same.getKey()))) {
                return !except.contains(address);
            }
        }
        return false;
    }
}
