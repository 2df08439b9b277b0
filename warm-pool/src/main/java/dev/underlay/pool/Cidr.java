package dev.underlay.pool;

/**
 * A block of addresses: a network address and the length of its prefix. A single address is a block
 * of length 32 or 128, an AWS prefix one of 28 or 80.
 *
 * @param network the first address; no bit beyond the prefix is set
 * @param prefixLength 0 to 32 or 0 to 128
 */
public record Cidr(IpAddress network, int prefixLength) implements Comparable<Cidr> {
    /** Refuses a length that the family does not have and a network with host bits. */
    public Cidr {
        if (prefixLength < 0 || prefixLength > network.family().bits()) {
            throw new IllegalArgumentException(network + "/" + prefixLength + ": no such length");
        }
        if (!mask(network, prefixLength).equals(network)) {
            throw new IllegalArgumentException(
                    network + "/" + prefixLength + ": bits are set beyond the prefix");
        }
    }

    /**
     * Reads {@code 10.0.0.0/16}, {@code 2001:db8::/80} or a single address without a length.
     *
     * @throws IllegalArgumentException when the text is anything else
     */
    public static Cidr parse(String text) {
        int slash = text.indexOf('/');
        if (slash < 0) {
            return of(IpAddress.parse(text));
        }
        return new Cidr(
                IpAddress.parse(text.substring(0, slash)),
                Integer.parseInt(text.substring(slash + 1)));
    }

    /** The block that holds this address alone. */
    public static Cidr of(IpAddress address) {
        return new Cidr(address, address.family().bits());
    }

    /** Whether the address lies in this block; false for the other family. */
    public boolean contains(IpAddress address) {
        return address.family() == network.family() && mask(address, prefixLength).equals(network);
    }

    /** How many addresses it holds; {@link Long#MAX_VALUE} where they are more. */
    public long size() {
        int hostBits = network.family().bits() - prefixLength;
        return hostBits >= 63 ? Long.MAX_VALUE : 1L << hostBits;
    }

    /**
     * The address at a position.
     *
     * @param index 0 to {@link #size()} - 1
     */
    public IpAddress address(long index) {
        if (index < 0 || index >= size()) {
            throw new IllegalArgumentException(index + " is not a position in " + this);
        }
        return network.plus(index);
    }

    @Override
    public int compareTo(Cidr other) {
        int byNetwork = network.compareTo(other.network);
        return byNetwork != 0 ? byNetwork : Integer.compare(prefixLength, other.prefixLength);
    }

    @Override
    public String toString() {
        return network + "/" + prefixLength;
    }

    private static IpAddress mask(IpAddress address, int prefixLength) {
        int hostBits = address.family().bits() - prefixLength;
        return new IpAddress(
                address.family(),
                clearLow(address.high(), hostBits - 64),
                clearLow(address.low(), hostBits));
    }

    /** Clears the lowest bits of a word: none for a count below 1, all for 64 and more. */
    private static long clearLow(long word, int bits) {
        if (bits <= 0) {
            return word;
        }
        return bits >= 64 ? 0 : word & (-1L << bits);
    }
}
