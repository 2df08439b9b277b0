package dev.underlay.cni.netlink;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * One request as bytes: {@code struct nlmsghdr} (16 bytes: length, type, flags, sequence, port), a
 * body and attributes (length, type, value), each padded to 4 bytes. Integers are in the machine's
 * byte order, addresses in the network's. The socket fills in length and sequence.
 *
 * <p>A builder: each call appends. Not thread-safe; send it once it is complete, as often as
 * wanted.
 */
public final class Message {
    // linux/netlink.h: flags of a request.
    public static final int REQUEST = 0x1;
    public static final int ACK = 0x4;
    public static final int DUMP = 0x300;
    public static final int REPLACE = 0x100;
    public static final int EXCL = 0x200;
    public static final int CREATE = 0x400;

    static final int HEADER_BYTES = 16;
    static final int NESTED = 0x8000; // linux/netlink.h, NLA_F_NESTED

    /** The largest request here: two links with names and addresses, an alias of 255 bytes. */
    private static final int MAX_BYTES = 1024;

    private final String what;
    private final ByteBuffer bytes = ByteBuffer.allocate(MAX_BYTES).order(ByteOrder.nativeOrder());

    /**
     * Starts a request; {@code REQUEST} is added, and {@code ACK} unless it is a dump.
     *
     * @param what the operation and its object for errors, such as {@code delete link 7}
     * @param type {@code RTM_*} of linux/rtnetlink.h
     */
    public Message(String what, int type, int flags) {
        this.what = what;
        int always = (flags & DUMP) == DUMP ? REQUEST : REQUEST | ACK;
        bytes.putInt(0).putShort((short) type).putShort((short) (flags | always)).putLong(0);
    }

    /** The operation and its object, in words. */
    public String what() {
        return what;
    }

    /** Appends one byte. */
    public Message u8(int value) {
        bytes.put((byte) value);
        return this;
    }

    /** Appends two bytes in the machine's order. */
    public Message u16(int value) {
        bytes.putShort((short) value);
        return this;
    }

    /** Appends four bytes in the machine's order. */
    public Message u32(int value) {
        bytes.putInt(value);
        return this;
    }

    /** Appends an attribute of one byte. */
    public Message attributeU8(int type, int value) {
        return attribute(type, new byte[] {(byte) value});
    }

    /** Appends an attribute of four bytes in the machine's order. */
    public Message attributeU32(int type, int value) {
        return u16(8).u16(type).u32(value);
    }

    /** Appends an attribute that is a text with a final zero byte. */
    public Message attribute(int type, String value) {
        byte[] text = value.getBytes(StandardCharsets.UTF_8);
        byte[] terminated = new byte[text.length + 1];
        System.arraycopy(text, 0, terminated, 0, text.length);
        return attribute(type, terminated);
    }

    /** Appends an attribute that is an address of 4 or 16 bytes. */
    public Message attribute(int type, InetAddress value) {
        return attribute(type, value.getAddress());
    }

    /** Appends an attribute. */
    public Message attribute(int type, byte[] value) {
        u16(4 + value.length).u16(type);
        bytes.put(value);
        return pad();
    }

    /** Appends attributes that are bytes already, as another message had them. */
    Message raw(byte[] attributes) {
        bytes.put(attributes);
        return pad();
    }

    /** Appends an attribute that holds what {@code content} appends. */
    public Message nested(int type, Runnable content) {
        int start = bytes.position();
        u16(0).u16(type | NESTED);
        content.run();
        bytes.putShort(start, (short) (bytes.position() - start));
        return this;
    }

    private Message pad() {
        while (bytes.position() % 4 != 0) {
            bytes.put((byte) 0);
        }
        return this;
    }

    int length() {
        return bytes.position();
    }

    /** Copies the message with its length and sequence number to {@code target}. */
    void writeTo(ByteBuffer target, int sequence) {
        int start = target.position();
        target.put(bytes.array(), 0, bytes.position());
        target.putInt(start, bytes.position()).putInt(start + 8, sequence);
    }

    /** The message as hexadecimal digits, with sequence 0. */
    String hex() {
        ByteBuffer copy = ByteBuffer.allocate(length()).order(ByteOrder.nativeOrder());
        writeTo(copy, 0);
        return HexFormat.of().formatHex(copy.array());
    }

    /** {@code AF_INET} or {@code AF_INET6} of linux/socket.h. */
    static int family(InetAddress address) {
        return family(address instanceof Inet6Address);
    }

    static int family(boolean ipv6) {
        return ipv6 ? 10 : 2;
    }

    /** {@code 02:00:00:00:10:00} as 6 bytes. */
    static byte[] mac(String text) {
        byte[] bytes = HexFormat.ofDelimiter(":").parseHex(text);
        if (bytes.length != 6) {
            throw new IllegalArgumentException("not an Ethernet address: " + text);
        }
        return bytes;
    }
}
