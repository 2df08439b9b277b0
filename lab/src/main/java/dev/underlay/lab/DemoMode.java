package dev.underlay.lab;

import java.util.Map;

/** How pods get their addresses in the demo, and a type of node on which 24 pods show it. */
enum DemoMode {
    /** Single addresses; an m5.large has three interfaces with nine each. */
    IPV4("m5.large", 3, false),
    /**
     * Prefixes of 16 addresses; a t3.nano has two interfaces with room for one each, so that the
     * primary one is not enough for 24 pods.
     */
    PREFIX("t3.nano", 2, true);

    private final String nodeType;
    private final int interfaces;
    private final boolean prefixes;

    DemoMode(String nodeType, int interfaces, boolean prefixes) {
        this.nodeType = nodeType;
        this.interfaces = interfaces;
        this.prefixes = prefixes;
    }

    String nodeType() {
        return nodeType;
    }

    /** How many interfaces the pods of a node are spread over. */
    int interfaces() {
        return interfaces;
    }

    /** The daemon's, by the names of its environment; without them its defaults hold. */
    Map<String, String> settings() {
        return prefixes ? Map.of("ENABLE_PREFIX_DELEGATION", "true") : Map.of();
    }
}
