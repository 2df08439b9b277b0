/**
 * The node's part of the data plane: tables, rules, marks, the anti-spoofing drop, symmetric return
 * and the translation of what leaves the network. Its size depends on interfaces and blocks, never
 * on pods.
 */
@NullMarked
package dev.underlay.cni.routing;

import org.jspecify.annotations.NullMarked;
