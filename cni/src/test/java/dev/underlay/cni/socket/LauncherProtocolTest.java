package dev.underlay.cni.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.underlay.cni.linux.Fd;
import dev.underlay.cni.linux.Linux;
import dev.underlay.cni.socket.LauncherProtocol.MalformedException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Frames as bytes. The launcher's own frames are tested in {@code LauncherTest}. */
class LauncherProtocolTest {
    private static final int HEADER = LauncherProtocol.HEADER_BYTES;

    private final LauncherCall call =
            new LauncherCall(
                    Map.of("CNI_COMMAND", "ADD", "CNI_ARGS", "A=B;C=D"), "{\"n\":\"ä\"}", Map.of());

    @Test
    void a_call_arrives_as_it_was_sent() throws Exception {
        try (Fd fd = Linux.open("/dev/null", Linux.O_RDONLY)) {
            LauncherCall sent =
                    new LauncherCall(call.environment(), call.standardInput(), Map.of("netns", fd));
            ByteBuffer frame = LauncherProtocol.encode(sent);
            assertThat(LauncherProtocol.length(frame)).isEqualTo(frame.remaining());
            assertThat(LauncherProtocol.decode(frame.position(HEADER), List.of(fd)))
                    .isEqualTo(sent);
        }
    }

    @Test
    void a_field_of_the_future_is_skipped_unless_it_is_critical() throws Exception {
        assertThat(LauncherProtocol.decode(withField(0x0123), List.of())).isEqualTo(call);
        assertThatThrownBy(() -> LauncherProtocol.decode(withField(0x8123), List.of()))
                .isInstanceOf(MalformedException.class)
                .hasMessageContaining("not known");
    }

    @Test
    void names_and_descriptors_must_agree() throws Exception {
        try (Fd fd = Linux.open("/dev/null", Linux.O_RDONLY)) {
            ByteBuffer none = LauncherProtocol.encode(call).position(HEADER);
            assertThatThrownBy(() -> LauncherProtocol.decode(none, List.of(fd)))
                    .isInstanceOf(MalformedException.class)
                    .hasMessageContaining("than named");
            ByteBuffer one =
                    LauncherProtocol.encode(new LauncherCall(Map.of(), "", Map.of("a", fd)))
                            .position(HEADER);
            assertThatThrownBy(() -> LauncherProtocol.decode(one, List.of()))
                    .isInstanceOf(MalformedException.class)
                    .hasMessageContaining("than sent");
        }
    }

    @Test
    void another_magic_major_or_length_is_refused() {
        assertThatThrownBy(() -> LauncherProtocol.length(changed(0, 7)))
                .hasMessageContaining("not a frame");
        assertThatThrownBy(() -> LauncherProtocol.length(changed(4, 2)))
                .hasMessageContaining("protocol 2 came, 1 is spoken");
        for (int length : new int[] {0, HEADER - 1, LauncherProtocol.MAX_FRAME_BYTES + 1, -1}) {
            assertThatThrownBy(() -> LauncherProtocol.length(changed(8, length)))
                    .isInstanceOf(MalformedException.class);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 20261125})
    void whatever_the_bytes_are_the_outcome_is_a_call_or_malformed(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        ByteBuffer good = LauncherProtocol.encode(call).position(HEADER);
        byte[] valid = new byte[good.remaining()];
        good.get(valid);
        int calls = 0;
        for (int step = 0; step < 50_000; step++) {
            byte[] bytes = valid.clone();
            if (random.nextInt(8) == 0) {
                random.nextBytes(bytes);
            }
            for (int i = random.nextInt(4); i > 0; i--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
            }
            int length = random.nextInt(4) == 0 ? random.nextInt(bytes.length) : bytes.length;
            try {
                LauncherProtocol.decode(
                        ByteBuffer.wrap(bytes, 0, length).order(ByteOrder.nativeOrder()),
                        List.of());
                calls++;
            } catch (MalformedException e) {
                assertThat(e).hasMessageMatching("[ -~]+");
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed + ", step " + step, e);
            }
        }
        assertThat(calls).as("seed %d: some stay valid, some do not", seed).isBetween(1, 49_999);
    }

    private ByteBuffer withField(int type) {
        ByteBuffer frame = LauncherProtocol.encode(call).position(HEADER);
        return ByteBuffer.allocate(frame.remaining() + 11)
                .order(ByteOrder.nativeOrder())
                .putShort((short) type)
                .putShort((short) 0)
                .putInt(3)
                .put(new byte[3])
                .put(frame)
                .flip();
    }

    private ByteBuffer changed(int at, int value) {
        ByteBuffer frame = LauncherProtocol.encode(call);
        return at == 4 ? frame.putShort(at, (short) value) : frame.putInt(at, value);
    }
}
