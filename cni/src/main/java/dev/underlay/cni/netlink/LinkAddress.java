package dev.underlay.cni.netlink;

import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * An address on a link.
 *
 * @param link the link's index
 * @param address the address with the length of its network
 * @param flags {@code IFA_F_*}; a dump also shows what the kernel added
 */
public record LinkAddress(int link, IpPrefix address, int flags) {
    static final int RTM_NEWADDR = 20;
    static final int RTM_DELADDR = 21;
    static final int RTM_GETADDR = 22;

    /** No duplicate address detection. linux/if_addr.h. */
    public static final int NODAD = 0x02;

    /** Duplicate detection still runs. */
    public static final int TENTATIVE = 0x40;

    /** No connected route comes with the address. */
    public static final int NOPREFIXROUTE = 0x200;

    private static final int IFA_ADDRESS = 1;
    private static final int IFA_LOCAL = 2;
    private static final int IFA_FLAGS = 8;

    /** Adds the address; EEXIST when the link has it. */
    public Message add() {
        return message("add", RTM_NEWADDR, Message.CREATE | Message.EXCL)
                .attributeU32(IFA_FLAGS, flags);
    }

    /** Deletes the address. */
    public Message delete() {
        return message("delete", RTM_DELADDR, 0);
    }

    /** Asks for all addresses of a link, or of all links with 0. */
    static Message dump(int link) {
        return new Message("list addresses of link " + link, RTM_GETADDR, Message.DUMP)
                .u32(0)
                .u32(link);
    }

    static Optional<LinkAddress> parse(ByteBuffer body) {
        int start = body.position();
        int length = body.get(start + 1) & 0xff;
        int shortFlags = body.get(start + 2) & 0xff;
        int link = body.getInt(start + 4);
        body.position(start + 8);
        Attributes attributes = Attributes.of(body);
        return attributes
                .address(IFA_LOCAL)
                .or(() -> attributes.address(IFA_ADDRESS))
                .map(a ->
                        new LinkAddress(
                                link,
                                new IpPrefix(a, length),
                                attributes.u32(IFA_FLAGS, shortFlags)));
    }

    private Message message(String verb, int type, int messageFlags) {
        return new Message(verb + " address " + address + " dev " + link, type, messageFlags)
                .u8(Message.family(address.isIpv6())) // struct ifaddrmsg
                .u8(address.length())
                .u8(0)
                .u8(0)
                .u32(link)
                .attribute(IFA_LOCAL, address.address())
                .attribute(IFA_ADDRESS, address.address());
    }
}
