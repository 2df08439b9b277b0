package dev.underlay.pool;

import java.util.List;

/** Which addresses a pod gets: one of each family. It cannot change on a node that has pods. */
public enum Families {
    /** {@code ENABLE_IPv4}, or nothing set. */
    IPV4,
    /** {@code ENABLE_IPv6}: out of one /80 on the primary interface; nothing else is asked for. */
    IPV6,
    /** Both of them. IPv4 addresses are the scarce ones, so that those are counted. */
    BOTH;

    List<IpAddress.Family> all() {
        return switch (this) {
            case IPV4 -> List.of(IpAddress.Family.IPV4);
            case IPV6 -> List.of(IpAddress.Family.IPV6);
            case BOTH -> List.of(IpAddress.Family.IPV4, IpAddress.Family.IPV6);
        };
    }

    boolean has(IpAddress.Family family) {
        return all().contains(family);
    }

    /** The one whose addresses the pool counts. */
    IpAddress.Family counted() {
        return this == IPV6 ? IpAddress.Family.IPV6 : IpAddress.Family.IPV4;
    }
}
