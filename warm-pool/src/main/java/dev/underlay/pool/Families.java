package dev.underlay.pool;

import java.util.List;
import java.util.Set;

/** Which addresses a pod gets: one of each family. It cannot change on a node that has pods. */
public enum Families {
    /** {@code ENABLE_IPv4}, or nothing set. */
    IPV4,
    /** {@code ENABLE_IPv6}: out of one /80 on the primary interface; nothing else is asked for. */
    IPV6,
    /** Both of them. IPv4 addresses are the scarce ones, so that those are counted. */
    BOTH;

    /** Those of which pods have addresses: one of them at least. */
    public static Families of(Set<IpAddress.Family> families) {
        return families.size() > 1 ? BOTH : families.contains(IpAddress.Family.IPV6) ? IPV6 : IPV4;
    }

    List<IpAddress.Family> all() {
        return switch (this) {
            case IPV4 -> List.of(IpAddress.Family.IPV4);
            case IPV6 -> List.of(IpAddress.Family.IPV6);
            case BOTH -> List.of(IpAddress.Family.IPV4, IpAddress.Family.IPV6);
        };
    }

    /** Whether a pod gets an address of this family. */
    public boolean has(IpAddress.Family family) {
        return all().contains(family);
    }

    /** The one whose addresses the pool counts. */
    IpAddress.Family counted() {
        return this == IPV6 ? IpAddress.Family.IPV6 : IpAddress.Family.IPV4;
    }
}
