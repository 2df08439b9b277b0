/**
 * One pod's links, addresses, neighbours and routes: made, taken down, checked and listed. Knows
 * nothing of interfaces, marks or tables beyond the one that leads to pods.
 */
@NullMarked
package dev.underlay.cni.wiring;

import org.jspecify.annotations.NullMarked;
