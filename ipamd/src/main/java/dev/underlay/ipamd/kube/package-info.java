/**
 * The API server as this node sees it: its own Node object, and the election of one daemon for what
 * a cluster needs once. Nothing on the path of an ADD or DEL waits for it.
 */
@NullMarked
package dev.underlay.ipamd.kube;

import org.jspecify.annotations.NullMarked;
