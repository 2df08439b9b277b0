/**
 * The CNI side of Underlay. {@code protocol} holds the CNI specification's types and errors, {@code
 * socket} the launcher's wire protocol and its server, {@code linux} the native layer, {@code
 * netlink} and {@code nft} the kernel's languages, {@code wiring} one pod's links and routes,
 * {@code routing} the node's tables, rules and translation. Nothing here knows a cloud or the pool.
 */
@NullMarked
package dev.underlay.cni;

import org.jspecify.annotations.NullMarked;
