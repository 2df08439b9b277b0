package dev.underlay.cni.netlink;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AddressSetTest {
    private static final List<ByteOrder> ORDERS =
            List.of(ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN);

    @ParameterizedTest
    @ValueSource(ints = {4, 16})
    void holds_what_the_prefixes_hold(int bytes) {
        int seed = 36 + bytes;
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 500; round++) {
            List<IpPrefix> prefixes = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                prefixes.add(
                        new IpPrefix(near(random, bytes), random.nextInt(bytes * 8 + 1)).network());
            }
            List<InetAddress> except = List.of(near(random, bytes));
            AddressSet set = new AddressSet(prefixes, except);
            for (int i = 0; i < 20; i++) {
                InetAddress asked = i == 0 ? except.getFirst() : near(random, bytes);
                boolean held =
                        prefixes.stream().anyMatch(prefix -> prefix.contains(asked))
                                && !except.contains(asked);
                for (ByteOrder order : ORDERS) {
                    ByteBuffer message = ByteBuffer.allocate(bytes + 3).order(order);
                    message.put(3, asked.getAddress());
                    assertThat(set.contains(message, 3, bytes))
                            .as("seed %s: %s in %s but %s", seed, asked, prefixes, except)
                            .isEqualTo(held);
                }
            }
        }
    }

    @Test
    void only_addresses_are_in_it() {
        AddressSet all = new AddressSet(List.of(IpPrefix.everything(false)), List.of());
        assertThat(all.contains(ByteBuffer.allocate(16), 0, 2)).isFalse();
        assertThat(all.contains(ByteBuffer.allocate(16), 0, 4)).isTrue();
    }

    /** Addresses that share many bits with each other. */
    private static InetAddress near(SplittableRandom random, int bytes) {
        byte[] address = new byte[bytes];
        address[0] = 10;
        address[bytes / 2] = (byte) (random.nextInt(2) << 7 | random.nextInt(2));
        address[bytes - 1] = (byte) random.nextInt(4);
        return IpPrefix.address(address);
    }
}
