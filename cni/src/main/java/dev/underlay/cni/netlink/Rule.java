package dev.underlay.cni.netlink;

import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * A routing policy rule that leads to a table.
 *
 * @param ipv6 the family; a rule has one
 * @param priority the order, smallest first
 * @param source the source it matches, absent for all
 * @param mark the packet mark it matches under the mask
 * @param mask 0 for a rule that does not look at the mark
 * @param table where to look up
 * @param protocol who made it, {@code FRA_PROTOCOL}
 */
public record Rule(
        boolean ipv6,
        int priority,
        Optional<IpPrefix> source,
        int mark,
        int mask,
        int table,
        int protocol) {
    static final int RTM_NEWRULE = 32;
    static final int RTM_DELRULE = 33;
    static final int RTM_GETRULE = 34;

    private static final int FR_ACT_TO_TBL = 1; // linux/fib_rules.h
    private static final int FRA_SRC = 2;
    private static final int FRA_PRIORITY = 6;
    private static final int FRA_FWMARK = 10;
    private static final int FRA_TABLE = 15;
    private static final int FRA_FWMASK = 16;
    private static final int FRA_PROTOCOL = 21;

    /** Adds the rule; EEXIST when it is there (without EXCL the kernel would add a second one). */
    public Message add() {
        return message("add", RTM_NEWRULE, Message.CREATE | Message.EXCL);
    }

    /** Deletes the rule. */
    public Message delete() {
        return message("delete", RTM_DELRULE, 0);
    }

    static Message dump(boolean ipv6) {
        return new Message("list rules", RTM_GETRULE, Message.DUMP)
                .u8(Message.family(ipv6)) // struct fib_rule_hdr
                .u8(0)
                .u16(0)
                .u32(0)
                .u32(0);
    }

    static Rule parse(ByteBuffer body) {
        int start = body.position();
        boolean ipv6 = body.get(start) == Message.family(true);
        int sourceLength = body.get(start + 2) & 0xff;
        int shortTable = body.get(start + 4) & 0xff;
        body.position(start + 12);
        Attributes attributes = Attributes.of(body);
        return new Rule(
                ipv6,
                attributes.u32(FRA_PRIORITY, 0),
                attributes.address(FRA_SRC).map(a -> new IpPrefix(a, sourceLength)),
                attributes.u32(FRA_FWMARK, 0),
                attributes.u32(FRA_FWMASK, 0),
                attributes.u32(FRA_TABLE, shortTable),
                attributes.u8(FRA_PROTOCOL, 0));
    }

    private Message message(String verb, int type, int flags) {
        Message message =
                new Message(verb + " rule " + this, type, flags)
                        .u8(Message.family(ipv6)) // struct fib_rule_hdr
                        .u8(0)
                        .u8(source.map(IpPrefix::length).orElse(0))
                        .u8(0)
                        .u8(0)
                        .u8(0)
                        .u8(0)
                        .u8(FR_ACT_TO_TBL)
                        .u32(0)
                        .attributeU32(FRA_PRIORITY, priority)
                        .attributeU32(FRA_TABLE, table)
                        .attributeU8(FRA_PROTOCOL, protocol);
        source.ifPresent(s -> message.attribute(FRA_SRC, s.address()));
        if (mask != 0) {
            message.attributeU32(FRA_FWMARK, mark).attributeU32(FRA_FWMASK, mask);
        }
        return message;
    }

    /** As {@code ip rule} writes it, with the family in front. */
    @Override
    public String toString() {
        return (ipv6 ? "-6 " : "-4 ")
                + priority
                + ": from "
                + source.map(IpPrefix::toString).orElse("all")
                + (mask == 0
                        ? ""
                        : " fwmark 0x"
                                + Integer.toHexString(mark)
                                + "/0x"
                                + Integer.toHexString(mask))
                + " lookup "
                + Integer.toUnsignedString(table);
    }
}
