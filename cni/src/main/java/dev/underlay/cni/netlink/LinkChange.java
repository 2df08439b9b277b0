package dev.underlay.cni.netlink;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A change to one existing link, sent as one {@code RTM_SETLINK}. Within one message the kernel
 * sets name and alias before it brings the link up or down, and the family-specific part last: what
 * must hold before "up" goes in a message of its own.
 */
public final class LinkChange {
    /** linux/ip.h, {@code IPV4_DEVCONF_SEND_REDIRECTS}; effective when this or "all" is 1. */
    public static final int SEND_REDIRECTS = 6;

    /** linux/ip.h, {@code IPV4_DEVCONF_RP_FILTER}: 0 off, 1 strict, 2 loose. */
    public static final int RP_FILTER = 8;

    static final int IFLA_INET_CONF = 1;
    private static final int IFLA_INET6_ADDR_GEN_MODE = 8;
    private static final int IN6_ADDR_GEN_MODE_NONE = 1;

    private final int index;
    private Optional<Boolean> up = Optional.empty();
    private Optional<String> name = Optional.empty();
    private Optional<String> alias = Optional.empty();
    private Optional<String> mac = Optional.empty();
    private Optional<Integer> group = Optional.empty();
    private Optional<Integer> mtuBytes = Optional.empty();
    private boolean noIpv6Addresses;
    private final Map<Integer, Integer> ipv4Conf = new TreeMap<>();

    /** Starts a change of the link with that index. */
    public LinkChange(int index) {
        this.index = index;
    }

    /** Brings the link up. */
    public LinkChange up() {
        up = Optional.of(true);
        return this;
    }

    /** Brings the link down; its routes and neighbours go. */
    public LinkChange down() {
        up = Optional.of(false);
        return this;
    }

    /** Renames the link; before Linux 6.2 only a link that is down. */
    public LinkChange name(String to) {
        name = Optional.of(to);
        return this;
    }

    /** Sets the alias, at most 255 bytes. */
    public LinkChange alias(String to) {
        alias = Optional.of(to);
        return this;
    }

    /** Sets the link group. */
    public LinkChange group(int to) {
        group = Optional.of(to);
        return this;
    }

    /** Sets the largest packet. */
    public LinkChange mtuBytes(int to) {
        mtuBytes = Optional.of(to);
        return this;
    }

    /** Sets the Ethernet address. */
    public LinkChange mac(String to) {
        mac = Optional.of(to);
        return this;
    }

    /** The link gets no IPv6 address by itself, so there is no duplicate detection to wait for. */
    public LinkChange noIpv6Addresses() {
        noIpv6Addresses = true;
        return this;
    }

    /** Sets one of the link's IPv4 settings, {@code IPV4_DEVCONF_*} of linux/ip.h. */
    public LinkChange ipv4Conf(int setting, int value) {
        ipv4Conf.put(setting, value);
        return this;
    }

    /** The request. */
    public Message message() {
        Message message = new Message("set link " + index + words(), Links.RTM_SETLINK, 0);
        int changed = up.isPresent() ? Links.IFF_UP : 0;
        Links.info(message, index, up.orElse(false) ? Links.IFF_UP : 0, changed);
        mac.ifPresent(v -> message.attribute(Links.IFLA_ADDRESS, Message.mac(v)));
        name.ifPresent(v -> message.attribute(Links.IFLA_IFNAME, v));
        // Without a final zero byte: the kernel counts it, and 255 bytes are the limit.
        alias.ifPresent(
                v -> message.attribute(Links.IFLA_IFALIAS, v.getBytes(StandardCharsets.UTF_8)));
        group.ifPresent(v -> message.attributeU32(Links.IFLA_GROUP, v));
        mtuBytes.ifPresent(v -> message.attributeU32(Links.IFLA_MTU, v));
        if (noIpv6Addresses || !ipv4Conf.isEmpty()) {
            message.nested(Links.IFLA_AF_SPEC, () -> families(message));
        }
        return message;
    }

    private void families(Message message) {
        Runnable settings = () -> ipv4Conf.forEach(message::attributeU32);
        if (!ipv4Conf.isEmpty()) {
            message.nested(Message.family(false), () -> message.nested(IFLA_INET_CONF, settings));
        }
        if (noIpv6Addresses) {
            message.nested(
                    Message.family(true),
                    () -> message.attributeU8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE));
        }
    }

    private String words() {
        StringBuilder words = new StringBuilder();
        up.ifPresent(v -> words.append(v ? " up" : " down"));
        name.ifPresent(v -> words.append(" name ").append(v));
        alias.ifPresent(v -> words.append(" alias ").append(v));
        mac.ifPresent(v -> words.append(" address ").append(v));
        group.ifPresent(v -> words.append(" group ").append(v));
        mtuBytes.ifPresent(v -> words.append(" mtu ").append(v));
        ipv4Conf.forEach((k, v) -> words.append(" ipv4-conf-").append(k).append(' ').append(v));
        return words.append(noIpv6Addresses ? " addrgenmode none" : "").toString();
    }
}
