package dev.underlay.pool;

/** What the cloud can put on an interface. They differ in size only. */
public enum BlockKind {
    /** One secondary IPv4 address, a /32. */
    SECONDARY_ADDRESS(IpAddress.Family.IPV4, 32),
    /** A delegated IPv4 prefix, a /28 of 16 addresses. */
    PREFIX_28(IpAddress.Family.IPV4, 28),
    /** A delegated IPv6 prefix, a /80. */
    PREFIX_80(IpAddress.Family.IPV6, 80);

    private final IpAddress.Family family;
    private final int prefixLength;

    BlockKind(IpAddress.Family family, int prefixLength) {
        this.family = family;
        this.prefixLength = prefixLength;
    }

    /** Whether its blocks are prefixes in whose place single addresses can serve. */
    public boolean delegated() {
        return this == PREFIX_28;
    }

    /** The family of its addresses. */
    public IpAddress.Family family() {
        return family;
    }

    /** How many addresses of a block pods can have. */
    int usable() {
        IpAddress network = new IpAddress(family, 0, 0);
        return Block.usable(new Cidr(network, prefixLength));
    }

    /** The prefix length of its blocks. */
    public int prefixLength() {
        return prefixLength;
    }
}
