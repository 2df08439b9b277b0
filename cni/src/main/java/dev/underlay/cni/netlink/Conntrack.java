package dev.underlay.cni.netlink;

import dev.underlay.cni.linux.Fd;
import dev.underlay.cni.linux.LinuxException;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * The connections that the kernel tracks in the network namespace it was opened in. Calls block,
 * for as long as the kernel takes to list its table, and come one at a time.
 *
 * <p>The table is listed by address family and matched here. The kernel can filter by address
 * (CTA_FILTER, since Linux 5.8), but one address in one place per listing, each of which visits the
 * whole table again, and its comparison of IPv6 addresses is inverted.
 */
public final class Conntrack implements AutoCloseable {
    private static final int NETLINK_NETFILTER = 12; // linux/netlink.h
    private static final int CTNETLINK = 1 << 8; // linux/netfilter/nfnetlink.h, the subsystem

    // linux/netfilter/nfnetlink_conntrack.h, enum cntl_msg_types
    private static final int CT_NEW = CTNETLINK;
    private static final int CT_GET = CTNETLINK | 1;
    private static final int CT_DELETE = CTNETLINK | 2;

    // The same file, enum ctattr_type
    private static final int CTA_TUPLE_ORIG = 1;
    private static final int CTA_TUPLE_REPLY = 2;
    private static final int CTA_ID = 12; // of this entry, not of a later one with the same tuple
    private static final int CTA_ZONE = 18;

    private static final int CTA_TUPLE_IP = 1; // enum ctattr_tuple; source and destination

    private static final int GENERIC_BYTES = 4; // struct nfgenmsg: family, version, resource

    /** Deletions in memory at once; an address may have a hundred thousand entries. */
    private static final int DELETED_AT_ONCE = 256;

    private final RouteSocket socket;

    private Conntrack(RouteSocket socket) {
        this.socket = socket;
    }

    /**
     * Opens a socket in the calling thread's network namespace.
     *
     * @throws LinuxException when the kernel has no nfnetlink
     */
    public static Conntrack open() throws LinuxException {
        Fd fd = NetlinkSocket.create(NETLINK_NETFILTER);
        try {
            return new Conntrack(RouteSocket.over(fd));
        } catch (LinuxException e) {
            fd.close();
            throw e;
        }
    }

    /**
     * Deletes every entry that names an address inside one of these prefixes, in any of its four
     * places: source and destination as the first packet had them, and as the answer has them. So
     * flows to a translated destination or from a translated source are found as well.
     *
     * @param gone whose entries go
     * @param living addresses inside the prefixes that do not count
     * @return how many entries went
     * @throws IOException when the table could not be listed or an entry did not go; all others
     *     have gone then
     */
    public int forget(Collection<IpPrefix> gone, Collection<InetAddress> living)
            throws IOException {
        int count = 0;
        for (boolean ipv6 : new boolean[] {false, true}) {
            List<IpPrefix> same = gone.stream().filter(one -> one.isIpv6() == ipv6).toList();
            if (!same.isEmpty()) {
                count += forget(new AddressSet(same, living), Message.family(ipv6));
            }
        }
        return count;
    }

    private int forget(AddressSet named, int family) throws IOException {
        Message list = generic("list the tracked connections", CT_GET, Message.DUMP, family);
        List<byte[]> entries = socket.dump(list, CT_NEW, entry -> ifNamed(named, entry));
        List<NetlinkException> refusals = new ArrayList<>();
        for (int from = 0; from < entries.size(); from += DELETED_AT_ONCE) {
            List<Message> deletions =
                    entries.subList(from, Math.min(entries.size(), from + DELETED_AT_ONCE)).stream()
                            .map(entry ->
                                    generic("delete a tracked connection", CT_DELETE, 0, family)
                                            .raw(entry))
                            .toList();
            socket.send(deletions).stream()
                    .flatMap(reply -> reply.error().stream())
                    .filter(error -> !error.isGone()) // it ended by itself meanwhile
                    .forEach(refusals::add);
        }
        if (!refusals.isEmpty()) {
            throw refusals.getFirst();
        }
        return entries.size();
    }

    private static Message generic(String what, int type, int flags, int family) {
        return new Message(what, type, flags).u8(family).u8(0).u16(0);
    }

    /** What a deletion needs of an entry to be deleted: its first tuple, its zone and its id. */
    private static Optional<byte[]> ifNamed(AddressSet named, ByteBuffer entry) {
        int from = entry.position() + GENERIC_BYTES;
        int to = entry.limit();
        boolean names =
                names(named, entry, attribute(entry, from, to, CTA_TUPLE_ORIG))
                        || names(named, entry, attribute(entry, from, to, CTA_TUPLE_REPLY));
        if (!names) {
            return Optional.empty();
        }
        ByteBuffer wanted = ByteBuffer.allocate(to - from);
        for (int type : new int[] {CTA_TUPLE_ORIG, CTA_ZONE, CTA_ID}) {
            int at = attribute(entry, from, to, type);
            if (at >= 0) {
                wanted.put(entry.duplicate().limit(at + padded(entry, at)).position(at));
            }
        }
        byte[] attributes = new byte[wanted.position()];
        wanted.get(0, attributes);
        return Optional.of(attributes);
    }

    private static boolean names(AddressSet named, ByteBuffer entry, int tuple) {
        if (tuple < 0) {
            return false;
        }
        int ip = attribute(entry, tuple + 4, tuple + length(entry, tuple), CTA_TUPLE_IP);
        if (ip < 0) {
            return false;
        }
        int end = ip + length(entry, ip);
        for (int at = ip + 4; at + 4 <= end && length(entry, at) >= 4; at += padded(entry, at)) {
            if (named.contains(entry, at + 4, length(entry, at) - 4)) {
                return true;
            }
        }
        return false;
    }

    /**
     * Where the first attribute of a type begins, or -1. Without objects of its own: a table may
     * have a million entries.
     */
    private static int attribute(ByteBuffer bytes, int from, int to, int type) {
        for (int at = from; at + 4 <= to && length(bytes, at) >= 4; at += padded(bytes, at)) {
            if ((bytes.getShort(at + 2) & 0x3fff) == type) { // without NLA_F_NESTED
                return at;
            }
        }
        return -1;
    }

    private static int length(ByteBuffer bytes, int attribute) {
        return bytes.getShort(attribute) & 0xffff;
    }

    private static int padded(ByteBuffer bytes, int attribute) {
        return (length(bytes, attribute) + 3) / 4 * 4;
    }

    /** Closes the descriptor; idempotent. */
    @Override
    public void close() {
        socket.close();
    }
}
