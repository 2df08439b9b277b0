package dev.underlay.cni.netlink;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** The attributes behind a message's body, by type. The last one of a type counts. */
final class Attributes {
    private final Map<Integer, ByteBuffer> values = new HashMap<>();

    /** Reads all attributes between the buffer's position and limit. */
    static Attributes of(ByteBuffer buffer) {
        Attributes result = new Attributes();
        while (buffer.remaining() >= 4) {
            int start = buffer.position();
            int length = buffer.getShort(start) & 0xffff;
            int type = buffer.getShort(start + 2) & 0x3fff; // without NLA_F_NESTED, _NET_BYTEORDER
            if (length < 4 || length > buffer.remaining()) {
                break; // the kernel does not send these
            }
            result.values.put(type, buffer.slice(start + 4, length - 4).order(buffer.order()));
            buffer.position(Math.min(buffer.limit(), start + (length + 3) / 4 * 4));
        }
        return result;
    }

    Attributes nested(int type) {
        ByteBuffer value = values.get(type);
        return value == null ? new Attributes() : of(value.duplicate().order(value.order()));
    }

    int u32(int type, int absent) {
        ByteBuffer value = values.get(type);
        return value == null || value.capacity() < 4 ? absent : value.getInt(0);
    }

    int u8(int type, int absent) {
        ByteBuffer value = values.get(type);
        return value == null || value.capacity() < 1 ? absent : value.get(0) & 0xff;
    }

    /** An array of four-byte integers; empty when there is none. */
    List<Integer> u32s(int type) {
        ByteBuffer value = values.get(type);
        return value == null
                ? List.of()
                : IntStream.range(0, value.capacity() / 4)
                        .mapToObj(i -> value.getInt(4 * i))
                        .toList();
    }

    String text(int type) {
        ByteBuffer value = values.get(type);
        if (value == null) {
            return "";
        }
        byte[] bytes = bytes(value);
        int end = 0;
        while (end < bytes.length && bytes[end] != 0) {
            end++;
        }
        return new String(bytes, 0, end, StandardCharsets.UTF_8);
    }

    /** An Ethernet address in lower case with colons; empty when there is none. */
    String mac(int type) {
        ByteBuffer value = values.get(type);
        return value == null || value.capacity() != 6
                ? ""
                : HexFormat.ofDelimiter(":").formatHex(bytes(value));
    }

    Optional<InetAddress> address(int type) {
        ByteBuffer value = values.get(type);
        return value == null || (value.capacity() != 4 && value.capacity() != 16)
                ? Optional.empty()
                : Optional.of(IpPrefix.address(bytes(value)));
    }

    private static byte[] bytes(ByteBuffer value) {
        byte[] bytes = new byte[value.capacity()];
        value.get(0, bytes);
        return bytes;
    }
}
