/**
 * rtnetlink: messages in the kernel's own words, sockets that send them in batches and turn
 * refusals into readable errors, and what a dump tells. Knows the wire format, not what the objects
 * are for.
 *
 * <p>Open {@link dev.underlay.cni.netlink.RouteSocket} first; {@link
 * dev.underlay.cni.netlink.Message} is the wire format, the records are the objects. {@link
 * dev.underlay.cni.netlink.Conntrack} speaks nfnetlink over the same socket.
 */
@NullMarked
package dev.underlay.cni.netlink;

import org.jspecify.annotations.NullMarked;
