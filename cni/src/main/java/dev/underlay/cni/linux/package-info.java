/**
 * The only place that calls native code: jnr-ffi bindings of the C library and the few system calls
 * that the JDK cannot make (descriptors over sockets, netlink, namespaces, the boot clock).
 *
 * <p>Open {@link dev.underlay.cni.linux.Linux} first. Nothing outside this package imports {@code
 * jnr.ffi}, except the libnftables binding in {@code dev.underlay.cni.nft}.
 */
@NullMarked
package dev.underlay.cni.linux;

import org.jspecify.annotations.NullMarked;
