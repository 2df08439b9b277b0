package dev.underlay.cni.netlink;

import dev.underlay.cni.linux.Fd;

/** Requests that make and remove links; {@link LinkChange} alters one. linux/if_link.h. */
public final class Links {
    static final int RTM_NEWLINK = 16;
    static final int RTM_DELLINK = 17;
    static final int RTM_GETLINK = 18;
    static final int RTM_SETLINK = 19;

    static final int INFO_BYTES = 16; // struct ifinfomsg
    static final int IFF_UP = 1;

    static final int IFLA_ADDRESS = 1;
    static final int IFLA_IFNAME = 3;
    static final int IFLA_MTU = 4;
    static final int IFLA_LINK = 5;
    static final int IFLA_MASTER = 10;
    static final int IFLA_LINKINFO = 18;
    static final int IFLA_IFALIAS = 20;
    static final int IFLA_AF_SPEC = 26;
    static final int IFLA_GROUP = 27;
    static final int IFLA_NET_NS_FD = 28;
    static final int IFLA_EXT_MASK = 29;
    static final int IFLA_LINK_NETNSID = 37;
    static final int IFLA_INFO_KIND = 1;
    static final int IFLA_INFO_DATA = 2;
    static final int VETH_INFO_PEER = 1; // linux/veth.h
    static final int SKIP_STATS = 8; // linux/rtnetlink.h, RTEXT_FILTER_SKIP_STATS

    private Links() {}

    /**
     * A veth pair to be made, both ends down.
     *
     * @param name this end's name, at most 15 bytes
     * @param mac this end's address
     * @param group this end's link group
     * @param peerName the other end's name in its own namespace, taken at birth
     * @param peerMac the other end's address
     * @param mtuBytes of both ends
     * @param peerNamespace where the other end is born
     */
    public record Veth(
            String name,
            String mac,
            int group,
            String peerName,
            String peerMac,
            int mtuBytes,
            Fd peerNamespace) {}

    /**
     * Makes a veth pair whose other end is born in another namespace under its final name. EEXIST
     * does not tell which of the two names is taken.
     */
    public static Message create(Veth veth) {
        Message message =
                new Message(
                        "create veth " + veth.name + " with peer " + veth.peerName,
                        RTM_NEWLINK,
                        Message.CREATE | Message.EXCL);
        info(message, 0, 0, 0);
        message.attribute(IFLA_IFNAME, veth.name)
                .attribute(IFLA_ADDRESS, Message.mac(veth.mac))
                .attributeU32(IFLA_MTU, veth.mtuBytes)
                .attributeU32(IFLA_GROUP, veth.group);
        Runnable peer =
                () ->
                        info(message, 0, 0, 0)
                                .attribute(IFLA_IFNAME, veth.peerName)
                                .attribute(IFLA_ADDRESS, Message.mac(veth.peerMac))
                                .attributeU32(IFLA_MTU, veth.mtuBytes)
                                .attributeU32(IFLA_NET_NS_FD, veth.peerNamespace.number());
        Runnable data = () -> message.nested(VETH_INFO_PEER, peer);
        return message.nested(
                IFLA_LINKINFO,
                () -> message.attribute(IFLA_INFO_KIND, "veth").nested(IFLA_INFO_DATA, data));
    }

    /** Deletes one link; a veth takes its peer along. Waits for an RCU grace period. */
    public static Message delete(int index) {
        return info(new Message("delete link " + index, RTM_DELLINK, 0), index, 0, 0);
    }

    /** Deletes every link of a group at the price of one grace period; ENODEV when it is empty. */
    public static Message deleteGroup(int group) {
        return info(new Message("delete link group " + group, RTM_DELLINK, 0), 0, 0, 0)
                .attributeU32(IFLA_GROUP, group);
    }

    /** Asks for one link; the reply is {@link RouteSocket.Reply#links()}. */
    public static Message get(int index) {
        return info(new Message("get link " + index, RTM_GETLINK, 0), index, 0, 0)
                .attributeU32(IFLA_EXT_MASK, SKIP_STATS);
    }

    /** Asks for one link by its name of the moment. */
    public static Message get(String name) {
        return info(new Message("get link " + name, RTM_GETLINK, 0), 0, 0, 0)
                .attribute(IFLA_IFNAME, name)
                .attributeU32(IFLA_EXT_MASK, SKIP_STATS);
    }

    static Message dump() {
        return info(new Message("list links", RTM_GETLINK, Message.DUMP), 0, 0, 0)
                .attributeU32(IFLA_EXT_MASK, SKIP_STATS);
    }

    /** Appends struct ifinfomsg: family, padding, type, index, flags, mask of changed flags. */
    static Message info(Message message, int index, int flags, int changed) {
        return message.u8(0).u8(0).u16(0).u32(index).u32(flags).u32(changed);
    }
}
