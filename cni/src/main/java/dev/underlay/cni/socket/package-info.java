/**
 * The launcher's wire protocol: one framed request with descriptors over a root-only unix socket,
 * one framed reply. {@code LauncherServer} owns the socket from {@code socket()} to {@code
 * close()}; it knows nothing of pools or pods.
 */
@NullMarked
package dev.underlay.cni.socket;

import org.jspecify.annotations.NullMarked;
