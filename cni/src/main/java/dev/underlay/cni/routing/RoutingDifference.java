package dev.underlay.cni.routing;

/**
 * One thing that stands in the kernel otherwise than {@link NodeRouting} left it.
 *
 * @param kind what sort of thing
 * @param thing the thing, in the words of {@code ip} or {@code nft}
 */
public record RoutingDifference(Kind kind, String thing) {
    /** The sorts of things, and what stands there. {@link NodeRouting#repair} puts all right. */
    public enum Kind {
        RULE_MISSING,
        /** One of ours by protocol and priority that nobody wants. */
        RULE_EXTRA,
        /** A block's addresses without a pod are not {@code unreachable}. */
        BLOCK_ROUTE_MISSING,
        BLOCK_ROUTE_EXTRA,
        INTERFACE_ROUTE_MISSING,
        INTERFACE_ROUTE_EXTRA,
        /** An attached interface's link is not there; only the cloud can bring it back. */
        INTERFACE_LINK_GONE,
        INTERFACE_LINK_DOWN,
        INTERFACE_ADDRESS_MISSING,
        NFT_TABLE_MISSING,
        /** A chain, map or set is not there or reads otherwise. */
        NFT_TABLE_CHANGED,
        /** An element of a map or set. */
        MAP_ELEMENT_MISSING,
        MAP_ELEMENT_EXTRA
    }
}
