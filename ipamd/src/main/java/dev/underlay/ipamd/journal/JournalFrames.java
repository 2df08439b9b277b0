package dev.underlay.ipamd.journal;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.zip.CRC32C;

/**
 * The file's outer form. A frame is marker (2 bytes), payload length (4), CRC-32C (4) of length and
 * payload, payload. The first frame is the header: its payload is the format's version and the boot
 * id. The marker lets a reader find the next whole frame behind a damaged one.
 */
final class JournalFrames {
    /**
     * Version of the format; a file of another one is not read, and the kernel's links tell the
     * leases. Within a version records and fields are only added: what an older daemon wrote is
     * read for ever, and an older daemon skips the records that it does not know.
     */
    static final int VERSION = 1;

    /** The largest payload; the largest real one, an interface with 50 prefixes, has about 600. */
    static final int MAX_PAYLOAD_BYTES = 1 << 20;

    static final int FRAME_BYTES = 10;

    private static final short MARKER = (short) 0xa55c;

    private JournalFrames() {}

    static byte[] header(String bootId) {
        byte[] id = bootId.getBytes(StandardCharsets.US_ASCII);
        return frame(ByteBuffer.allocate(1 + id.length).put((byte) VERSION).put(id).array());
    }

    static byte[] frame(byte[] payload) {
        if (payload.length > MAX_PAYLOAD_BYTES) {
            throw new IllegalArgumentException("a journal record of " + payload.length + " bytes");
        }
        return ByteBuffer.allocate(FRAME_BYTES + payload.length)
                .putShort(MARKER)
                .putInt(payload.length)
                .putInt(checksum(payload))
                .put(payload)
                .array();
    }

    /** The payload of the frame that begins at this offset, if a whole and intact one does. */
    static Optional<byte[]> at(byte[] file, int offset) {
        ByteBuffer in = ByteBuffer.wrap(file);
        if (offset + FRAME_BYTES > file.length || in.getShort(offset) != MARKER) {
            return Optional.empty();
        }
        int length = in.getInt(offset + 2);
        if (length < 0
                || length > MAX_PAYLOAD_BYTES
                || length > file.length - offset - FRAME_BYTES) {
            return Optional.empty();
        }
        byte[] payload = new byte[length];
        in.get(offset + FRAME_BYTES, payload);
        return in.getInt(offset + 6) == checksum(payload) ? Optional.of(payload) : Optional.empty();
    }

    /** The offset of the next intact frame at or behind this one; the file's length if none. */
    static int nextIntact(byte[] file, int offset) {
        for (int i = offset; i + FRAME_BYTES <= file.length; i++) {
            if (at(file, i).isPresent()) {
                return i;
            }
        }
        return file.length;
    }

    /** The version in a header's payload; 0 for none. */
    static int version(byte[] header) {
        return header.length > 0 ? Byte.toUnsignedInt(header[0]) : 0;
    }

    /** The boot id in a header's payload of our version. */
    static String bootId(byte[] header) {
        return new String(header, 1, header.length - 1, StandardCharsets.US_ASCII);
    }

    private static int checksum(byte[] payload) {
        CRC32C crc = new CRC32C();
        crc.update(ByteBuffer.allocate(4).putInt(0, payload.length));
        crc.update(payload);
        return (int) crc.getValue();
    }
}
