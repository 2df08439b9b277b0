package dev.underlay.lab;

import java.util.List;
import java.util.Map;

/** How pods get their addresses in the demo, and a type of node on which 24 pods show it. */
enum DemoMode {
    /** Single addresses; an m5.large has three interfaces with nine each. */
    IPV4("m5.large", 3),
    /**
     * Prefixes of 16 addresses; a t3.nano has two interfaces with room for one each, so that the
     * primary one is not enough for 24 pods.
     */
    PREFIX("t3.nano", 2),
    /** IPv6 alone: every pod's address is out of one /80 on the primary interface. */
    IPV6("m5.large", 1),
    /** An address of each family: single ones of IPv4, and of IPv6 out of one /80. */
    DUAL("m5.large", 3);

    private final String nodeType;
    private final int interfaces;

    DemoMode(String nodeType, int interfaces) {
        this.nodeType = nodeType;
        this.interfaces = interfaces;
    }

    String nodeType() {
        return nodeType;
    }

    /** How many interfaces the pods of a node are spread over. */
    int interfaces() {
        return interfaces;
    }

    /** The families of which a pod has an address, in the order of a CNI result. */
    List<Family> families() {
        return switch (this) {
            case IPV4, PREFIX -> List.of(Family.IPV4);
            case IPV6 -> List.of(Family.IPV6);
            case DUAL -> List.of(Family.IPV4, Family.IPV6);
        };
    }

    /** The daemon's, by the names of its environment; without them its defaults hold. */
    Map<String, String> settings() {
        return switch (this) {
            case IPV4 -> Map.of();
            case PREFIX -> Map.of("ENABLE_PREFIX_DELEGATION", "true");
            case IPV6 -> Map.of("ENABLE_IPv6", "true", "ENABLE_PREFIX_DELEGATION", "true");
            case DUAL -> Map.of("ENABLE_IPv4", "true", "ENABLE_IPv6", "true");
        };
    }
}
