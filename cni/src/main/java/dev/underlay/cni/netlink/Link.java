package dev.underlay.cni.netlink;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * A link as a dump shows it.
 *
 * @param index its identity in its namespace
 * @param name may change at any time
 * @param mac lower case with colons, empty where the link has none
 * @param mtuBytes {@code IFLA_MTU}
 * @param group {@code IFLA_GROUP}, 0 is the default
 * @param alias {@code IFLA_IFALIAS}, empty when there is none
 * @param kind {@code veth}, {@code vlan}, ...; empty for hardware
 * @param peerIndex {@code IFLA_LINK}: the other end of a veth, the parent of a VLAN; 0 for none
 * @param peerNamespace {@code IFLA_LINK_NETNSID}: this namespace's number for the one that holds
 *     the peer, -1 when that is here
 * @param master the index of the bridge or bond that enslaved it, 0 for none
 * @param up whether it is administratively up
 * @param ipv4Settings {@code IPV4_DEVCONF_*} of linux/ip.h from 1 on; see {@link #ipv4Conf}
 */
public record Link(
        int index,
        String name,
        String mac,
        int mtuBytes,
        int group,
        String alias,
        String kind,
        int peerIndex,
        int peerNamespace,
        int master,
        boolean up,
        List<Integer> ipv4Settings) {
    /** Keeps its own copy of the settings. */
    public Link {
        ipv4Settings = List.copyOf(ipv4Settings);
    }

    /** One of its IPv4 settings, such as {@link LinkChange#RP_FILTER}; -1 when it is not told. */
    public int ipv4Conf(int setting) {
        return setting <= ipv4Settings.size() ? ipv4Settings.get(setting - 1) : -1;
    }

    /** Reads the body of {@code RTM_NEWLINK} or {@code RTM_DELLINK}: ifinfomsg and attributes. */
    static Link parse(ByteBuffer body) {
        int start = body.position();
        int index = body.getInt(start + 4);
        int flags = body.getInt(start + 8);
        body.position(start + Links.INFO_BYTES);
        Attributes attributes = Attributes.of(body);
        return new Link(
                index,
                attributes.text(Links.IFLA_IFNAME),
                attributes.mac(Links.IFLA_ADDRESS),
                attributes.u32(Links.IFLA_MTU, 0),
                attributes.u32(Links.IFLA_GROUP, 0),
                attributes.text(Links.IFLA_IFALIAS),
                attributes.nested(Links.IFLA_LINKINFO).text(Links.IFLA_INFO_KIND),
                attributes.u32(Links.IFLA_LINK, 0),
                attributes.u32(Links.IFLA_LINK_NETNSID, -1),
                attributes.u32(Links.IFLA_MASTER, 0),
                (flags & Links.IFF_UP) != 0,
                attributes
                        .nested(Links.IFLA_AF_SPEC)
                        .nested(Message.family(false))
                        .u32s(LinkChange.IFLA_INET_CONF));
    }
}
