package dev.underlay.cni.socket;

import dev.underlay.cni.linux.Fd;
import dev.underlay.cni.linux.Linux;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The wire protocol between the launcher ({@code src/main/c/underlay.c}) and the daemon. A change
 * here is a change there. Pure: bytes in, a call out.
 *
 * <p>Each side sends one frame over a stream socket, in the machine's byte order:
 *
 * <pre>
 *   u32 magic, u16 major version, u16 zero, u32 length of the whole frame, fields
 *   field: u16 type, u16 zero, u32 length of the value, value
 * </pre>
 *
 * <p>A receiver skips fields of a type that it does not know, unless the type has the critical bit.
 * So both sides can gain fields without a new major version. The request's first byte carries the
 * descriptors ({@code SCM_RIGHTS}), in the order of their name fields.
 */
public final class LauncherProtocol {
    /** The largest network configuration; the launcher refuses a larger one with CNI error 7. */
    public static final int MAX_INPUT_BYTES = 1 << 20;

    /** The longest variable; the launcher refuses a longer one with CNI error 4. */
    static final int MAX_VARIABLE_BYTES = 16 * 1024;

    /** The largest frame, either way: the configuration and all the rest. */
    static final int MAX_FRAME_BYTES = MAX_INPUT_BYTES + 128 * 1024;

    static final int MAGIC = 0x554c4159; // "ULAY"
    static final short MAJOR = 1;
    static final int HEADER_BYTES = 12;
    static final int FIELD_BYTES = 8;
    static final int CRITICAL = 0x8000;

    /** {@code NAME=VALUE}, once for each variable. */
    static final int VARIABLE = CRITICAL | 1;

    /** The network configuration as it came. */
    static final int STANDARD_INPUT = CRITICAL | 2;

    /** A descriptor's name, once for each descriptor. */
    static final int DESCRIPTOR = CRITICAL | 3;

    /** u32, what the launcher exits with. */
    static final int EXIT_CODE = CRITICAL | 4;

    /** What the launcher prints. */
    static final int STANDARD_OUTPUT = CRITICAL | 5;

    private LauncherProtocol() {}

    /** The bytes are not a frame, or one of another major version. */
    static final class MalformedException extends IOException {
        private static final long serialVersionUID = 1L;

        MalformedException(String why) {
            super(why);
        }
    }

    /**
     * The length of the whole frame that begins with {@code header}.
     *
     * @param header {@link #HEADER_BYTES} bytes from the start
     */
    static int length(ByteBuffer header) throws MalformedException {
        if (header.getInt(0) != MAGIC) {
            throw new MalformedException("the first bytes are not a frame's");
        }
        if (header.getShort(4) != MAJOR) {
            throw new MalformedException(
                    "protocol " + header.getShort(4) + " came, " + MAJOR + " is spoken");
        }
        int length = header.getInt(8);
        if (length < HEADER_BYTES || length > MAX_FRAME_BYTES) {
            throw new MalformedException("frame of " + Integer.toUnsignedString(length) + " bytes");
        }
        return length;
    }

    /**
     * Reads a request.
     *
     * @param fields the frame without its header
     * @param descriptors in the order in which they came; the caller owns them whatever happens
     */
    static LauncherCall decode(ByteBuffer fields, List<Fd> descriptors) throws MalformedException {
        Map<String, String> environment = new HashMap<>();
        Map<String, Fd> named = new HashMap<>();
        String input = "";
        while (fields.hasRemaining()) {
            if (fields.remaining() < FIELD_BYTES) {
                throw new MalformedException("a field is cut off");
            }
            int type = Short.toUnsignedInt(fields.getShort());
            fields.getShort();
            int length = fields.getInt();
            if (length < 0 || length > fields.remaining()) {
                throw new MalformedException("a field is longer than the frame");
            }
            byte[] value = new byte[length];
            fields.get(value);
            String text = new String(value, StandardCharsets.UTF_8);
            switch (type) {
                case VARIABLE -> {
                    int equals = text.indexOf('=');
                    if (equals < 1
                            || environment.put(
                                            text.substring(0, equals), text.substring(equals + 1))
                                    != null) {
                        throw new MalformedException("a variable without a name, or twice");
                    }
                }
                case STANDARD_INPUT -> input = text;
                case DESCRIPTOR -> {
                    if (named.size() == descriptors.size()
                            || named.put(text, descriptors.get(named.size())) != null) {
                        throw new MalformedException("more descriptors named than sent");
                    }
                }
                default -> {
                    if ((type & CRITICAL) != 0) {
                        throw new MalformedException(
                                "field " + (type & ~CRITICAL) + " is not known here");
                    }
                }
            }
        }
        if (named.size() != descriptors.size()) {
            throw new MalformedException("more descriptors sent than named");
        }
        return new LauncherCall(environment, input, named);
    }

    /** The reply's frame, in a direct buffer ready to be sent. */
    static ByteBuffer encode(LauncherReply reply) {
        byte[] output = reply.standardOutput().getBytes(StandardCharsets.UTF_8);
        int length = HEADER_BYTES + FIELD_BYTES + 4 + FIELD_BYTES + output.length;
        if (length > MAX_FRAME_BYTES) {
            throw new IllegalArgumentException("reply of " + output.length + " bytes");
        }
        ByteBuffer frame = frame(length);
        field(frame, EXIT_CODE, 4).putInt(reply.exitCode());
        field(frame, STANDARD_OUTPUT, output.length).put(output);
        return frame.flip();
    }

    /** What the launcher sends for a call; for tests of the server without a launcher. */
    static ByteBuffer encode(LauncherCall call) {
        List<byte[]> values = new ArrayList<>();
        List<Integer> types = new ArrayList<>();
        call.environment()
                .forEach((name, value) -> {
                    types.add(VARIABLE);
                    values.add((name + "=" + value).getBytes(StandardCharsets.UTF_8));
                });
        types.add(STANDARD_INPUT);
        values.add(call.standardInput().getBytes(StandardCharsets.UTF_8));
        call.descriptors()
                .forEach((name, descriptor) -> {
                    types.add(DESCRIPTOR);
                    values.add(name.getBytes(StandardCharsets.UTF_8));
                });
        int length = HEADER_BYTES + values.stream().mapToInt(v -> FIELD_BYTES + v.length).sum();
        ByteBuffer frame = frame(length);
        for (int i = 0; i < values.size(); i++) {
            field(frame, types.get(i), values.get(i).length).put(values.get(i));
        }
        return frame.flip();
    }

    private static ByteBuffer frame(int length) {
        return Linux.buffer(length)
                .putInt(MAGIC)
                .putShort(MAJOR)
                .putShort((short) 0)
                .putInt(length);
    }

    private static ByteBuffer field(ByteBuffer frame, int type, int length) {
        return frame.putShort((short) type).putShort((short) 0).putInt(length);
    }
}
