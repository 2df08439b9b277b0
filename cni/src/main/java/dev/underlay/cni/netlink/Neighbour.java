package dev.underlay.cni.netlink;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * An entry of the neighbour table.
 *
 * @param link the link's index
 * @param address who is asked for
 * @param mac the answer
 * @param permanent whether the entry never ages; only such entries are made
 */
public record Neighbour(int link, InetAddress address, String mac, boolean permanent) {
    static final int RTM_NEWNEIGH = 28;
    static final int RTM_DELNEIGH = 29;
    static final int RTM_GETNEIGH = 30;

    private static final int NUD_PERMANENT = 0x80; // linux/neighbour.h
    private static final int NDA_DST = 1;
    private static final int NDA_LLADDR = 2;
    private static final int NDA_IFINDEX = 8;

    /** An entry that never ages. */
    public static Neighbour permanent(int link, InetAddress address, String mac) {
        return new Neighbour(link, address, mac, true);
    }

    /** Adds the entry; EEXIST when there is one for the address. */
    public Message add() {
        return message("add", RTM_NEWNEIGH, Message.CREATE | Message.EXCL);
    }

    /** Adds the entry or changes the one for the address. */
    public Message replace() {
        return message("replace", RTM_NEWNEIGH, Message.CREATE | Message.REPLACE);
    }

    /** Deletes the entry for the address. */
    public Message delete() {
        return message("delete", RTM_DELNEIGH, 0);
    }

    static Message dump(int link) {
        Message message =
                new Message("list neighbours of link " + link, RTM_GETNEIGH, Message.DUMP)
                        .u32(0)
                        .u32(0)
                        .u32(0);
        return link == 0 ? message : message.attributeU32(NDA_IFINDEX, link);
    }

    static Optional<Neighbour> parse(ByteBuffer body) {
        int start = body.position();
        int link = body.getInt(start + 4);
        int state = body.getShort(start + 8) & 0xffff;
        body.position(start + 12);
        Attributes attributes = Attributes.of(body);
        return attributes
                .address(NDA_DST)
                .map(a ->
                        new Neighbour(
                                link, a, attributes.mac(NDA_LLADDR), (state & NUD_PERMANENT) != 0));
    }

    private Message message(String verb, int type, int messageFlags) {
        return new Message(
                        verb + " neighbour " + IpPrefix.text(address) + " dev " + link,
                        type,
                        messageFlags)
                .u8(Message.family(address)) // struct ndmsg
                .u8(0)
                .u16(0)
                .u32(link)
                .u16(permanent ? NUD_PERMANENT : 0)
                .u8(0)
                .u8(0)
                .attribute(NDA_DST, address)
                .attribute(NDA_LLADDR, Message.mac(mac));
    }
}
