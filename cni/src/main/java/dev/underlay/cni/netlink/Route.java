package dev.underlay.cni.netlink;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * A route. Equal to itself after a dump, so that what is there can be compared with what should be.
 *
 * @param destination where to
 * @param table the table's number; any 32-bit value but 0
 * @param type {@link #UNICAST} or {@link #UNREACHABLE}; a dump shows others
 * @param scope IPv4 only: {@link #SCOPE_GLOBAL} behind a gateway, {@link #SCOPE_LINK} without one
 * @param link the link's index, 0 for a route without one
 * @param gateway the next hop
 * @param preferredSource the source address of the node's own packets
 * @param metric unsigned, the smallest wins; IPv6 has no 0 and takes 1024 for it
 * @param protocol who made it, {@code rtm_protocol}
 */
public record Route(
        IpPrefix destination,
        int table,
        int type,
        int scope,
        int link,
        Optional<InetAddress> gateway,
        Optional<InetAddress> preferredSource,
        int metric,
        int protocol) {
    static final int RTM_NEWROUTE = 24;
    static final int RTM_DELROUTE = 25;
    static final int RTM_GETROUTE = 26;

    // linux/rtnetlink.h
    public static final int UNICAST = 1;
    public static final int UNREACHABLE = 7;
    public static final int SCOPE_GLOBAL = 0;
    public static final int SCOPE_LINK = 253;
    public static final int TABLE_MAIN = 254;

    /** {@code rtm_protocol} of the connected routes that come with an address. */
    public static final int KERNEL = 2;

    /** {@code rtm_protocol} of routes made by hand and by other plugins. */
    public static final int BOOT = 3;

    private static final int IPV6_DEFAULT_METRIC = 1024; // net/ipv6_route.h, IP6_RT_PRIO_USER

    private static final int RTA_DST = 1;
    private static final int RTA_OIF = 4;
    private static final int RTA_GATEWAY = 5;
    private static final int RTA_PRIORITY = 6;
    private static final int RTA_PREFSRC = 7;
    private static final int RTA_TABLE = 15;

    /** Writes IPv6's default metric and missing scopes as the kernel shows them. */
    public Route {
        if (destination.isIpv6()) {
            scope = SCOPE_GLOBAL;
            metric = metric == 0 ? IPV6_DEFAULT_METRIC : metric;
        }
        link = type == UNICAST ? link : 0; // IPv6 shows the loopback link for the others.
    }

    /** To neighbours on a link, with the default metric. */
    public static Route onLink(
            IpPrefix destination,
            int link,
            Optional<InetAddress> preferredSource,
            int table,
            int protocol) {
        return new Route(
                destination,
                table,
                UNICAST,
                SCOPE_LINK,
                link,
                Optional.empty(),
                preferredSource,
                0,
                protocol);
    }

    /** Through a gateway, with the default metric. */
    public static Route via(
            IpPrefix destination, InetAddress gateway, int link, int table, int protocol) {
        return new Route(
                destination,
                table,
                UNICAST,
                SCOPE_GLOBAL,
                link,
                Optional.of(gateway),
                Optional.empty(),
                0,
                protocol);
    }

    /** Answers every packet with "unreachable". */
    public static Route unreachable(IpPrefix destination, int table, int metric, int protocol) {
        return new Route(
                destination,
                table,
                UNREACHABLE,
                SCOPE_GLOBAL,
                0,
                Optional.empty(),
                Optional.empty(),
                metric,
                protocol);
    }

    /** Adds the route; EEXIST when there is one with the same destination and metric. */
    public Message add() {
        return message("add", RTM_NEWROUTE, Message.CREATE | Message.EXCL);
    }

    /** Adds the route or replaces the one with the same destination and metric. */
    public Message replace() {
        return message("replace", RTM_NEWROUTE, Message.CREATE | Message.REPLACE);
    }

    /** Deletes this route and no other. */
    public Message delete() {
        return message("delete", RTM_DELROUTE, 0);
    }

    static Message dump(boolean ipv6, int table) {
        return header(
                        new Message("list routes of table " + table, RTM_GETROUTE, Message.DUMP),
                        Message.family(ipv6),
                        0,
                        0,
                        0,
                        0)
                .attributeU32(RTA_TABLE, table);
    }

    static Route parse(ByteBuffer body) {
        int start = body.position();
        boolean ipv6 = body.get(start) == Message.family(true);
        int length = body.get(start + 1) & 0xff;
        int shortTable = body.get(start + 4) & 0xff;
        int protocol = body.get(start + 5) & 0xff;
        int scope = body.get(start + 6) & 0xff;
        int type = body.get(start + 7) & 0xff;
        body.position(start + 12);
        Attributes attributes = Attributes.of(body);
        InetAddress to = attributes.address(RTA_DST).orElse(IpPrefix.everything(ipv6).address());
        return new Route(
                new IpPrefix(to, length),
                attributes.u32(RTA_TABLE, shortTable),
                type,
                scope,
                attributes.u32(RTA_OIF, 0),
                attributes.address(RTA_GATEWAY),
                attributes.address(RTA_PREFSRC),
                attributes.u32(RTA_PRIORITY, 0),
                protocol);
    }

    private Message message(String verb, int messageType, int flags) {
        Message message =
                header(
                        new Message(verb + " route " + this, messageType, flags),
                        Message.family(destination.isIpv6()),
                        destination.length(),
                        protocol,
                        scope,
                        type);
        if (destination.length() > 0) {
            message.attribute(RTA_DST, destination.address());
        }
        message.attributeU32(RTA_TABLE, table);
        if (metric != 0) {
            message.attributeU32(RTA_PRIORITY, metric);
        }
        if (link != 0) {
            message.attributeU32(RTA_OIF, link);
        }
        gateway.ifPresent(a -> message.attribute(RTA_GATEWAY, a));
        preferredSource.ifPresent(a -> message.attribute(RTA_PREFSRC, a));
        return message;
    }

    /** Appends struct rtmsg. */
    private static Message header(
            Message message, int family, int length, int protocol, int scope, int type) {
        return message.u8(family)
                .u8(length) // dst_len
                .u8(0) // src_len
                .u8(0) // tos
                .u8(0) // table: RTA_TABLE has it
                .u8(protocol)
                .u8(scope)
                .u8(type)
                .u32(0); // flags
    }

    /** As {@code ip route} writes it. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        switch (type) {
            case UNICAST -> {}
            case UNREACHABLE -> text.append("unreachable ");
            default -> text.append("type ").append(type).append(' ');
        }
        text.append(destination);
        gateway.ifPresent(a -> text.append(" via ").append(IpPrefix.text(a)));
        if (link != 0) {
            text.append(" dev ").append(link);
        }
        preferredSource.ifPresent(a -> text.append(" src ").append(IpPrefix.text(a)));
        if (metric != 0) {
            text.append(" metric ").append(Integer.toUnsignedString(metric));
        }
        return text.append(" table ").append(Integer.toUnsignedString(table)).toString();
    }
}
