package dev.underlay.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Random addresses and blocks, and an obvious model of them: big numbers and the JDK's texts. */
final class AddressModelTest {
    static LongStream seeds() {
        return LongStream.rangeClosed(1, 200);
    }

    private final BigInteger two = BigInteger.TWO;

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void an_address_is_a_number(long seed) throws UnknownHostException {
        SplittableRandom random = new SplittableRandom(seed);
        IpAddress one = address(random);
        IpAddress other = random.nextInt(4) == 0 ? address(random) : near(one, random);
        if (one.family() == other.family()) {
            assertThat(Integer.signum(one.compareTo(other)))
                    .isEqualTo(number(one).compareTo(number(other)));
        }
        assertThat(IpAddress.parse(one.toString())).isEqualTo(one);
        // The JDK writes another text of the same address.
        assertThat(InetAddress.getByName(one.toString()).getAddress()).isEqualTo(one.toBytes());

        long offset =
                random.nextInt(3) == 0 ? random.nextLong(Long.MAX_VALUE) : random.nextInt(300);
        BigInteger sum = number(one).add(BigInteger.valueOf(offset));
        if (sum.bitLength() > one.family().bits()) {
            assertThatThrownBy(() -> one.plus(offset)).isInstanceOf(IllegalArgumentException.class);
        } else {
            assertThat(number(one.plus(offset))).isEqualTo(sum);
        }
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void a_block_is_a_range_of_numbers(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        IpAddress inside = address(random);
        int bits = inside.family().bits();
        // Half of the bits is where the two words of an IPv6 address meet.
        int length = random.nextInt(4) == 0 ? bits / 2 : random.nextInt(bits + 1);
        BigInteger size = two.pow(bits - length);
        BigInteger first = number(inside).divide(size).multiply(size);
        IpAddress network = address(inside.family(), first);

        Cidr block = new Cidr(network, length);
        assertThat(Cidr.parse(block.toString())).isEqualTo(block);
        assertThat(block.contains(inside)).isTrue();
        IpAddress any = random.nextBoolean() ? near(network, random) : address(random);
        assertThat(block.contains(any))
                .isEqualTo(
                        any.family() == inside.family()
                                && number(any).compareTo(first) >= 0
                                && number(any).compareTo(first.add(size)) < 0);
        assertThat(BigInteger.valueOf(block.size()))
                .isEqualTo(size.min(BigInteger.valueOf(Long.MAX_VALUE)));
        long index = random.nextLong(block.size());
        assertThat(number(block.address(index))).isEqualTo(first.add(BigInteger.valueOf(index)));
        if (!number(inside).equals(first)) {
            assertThatThrownBy(() -> new Cidr(inside, length))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    /** Words of zeros, of ones and of anything, so that every carry comes about. */
    private static IpAddress address(SplittableRandom random) {
        byte[] bytes = new byte[random.nextBoolean() ? 4 : 16];
        for (int at = 0; at < bytes.length; at += 2) {
            byte[] word = new byte[2];
            switch (random.nextInt(3)) {
                case 0 -> Arrays.fill(word, (byte) 0xff);
                case 1 -> random.nextBytes(word);
                default -> {} // zeros
            }
            System.arraycopy(word, 0, bytes, at, 2);
        }
        return IpAddress.ofBytes(bytes);
    }

    private IpAddress near(IpAddress address, SplittableRandom random) {
        BigInteger moved = number(address).add(BigInteger.valueOf(random.nextInt(-20, 21)));
        return address(address.family(), moved.mod(two.pow(address.family().bits())));
    }

    private static BigInteger number(IpAddress address) {
        return new BigInteger(1, address.toBytes());
    }

    private static IpAddress address(IpAddress.Family family, BigInteger number) {
        byte[] bytes = new byte[family.bits() / 8];
        byte[] digits = number.toByteArray(); // a sign in front, or shorter
        for (int i = 0; i < Math.min(bytes.length, digits.length); i++) {
            bytes[bytes.length - 1 - i] = digits[digits.length - 1 - i];
        }
        return IpAddress.ofBytes(bytes);
    }
}
