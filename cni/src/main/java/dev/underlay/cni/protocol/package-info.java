/**
 * The CNI specification as types: requests, results, errors and versions, 0.3.1 to 1.1.0. Pure: no
 * sockets, no kernel, no clock. Open {@link dev.underlay.cni.protocol.CniRequest} first.
 */
@NullMarked
package dev.underlay.cni.protocol;

import org.jspecify.annotations.NullMarked;
