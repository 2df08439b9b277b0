/**
 * The kernel as the daemon uses it: the ports of {@code owner} and {@code serve} over the netlink
 * and nftables code of {@code cni}. Decides nothing and remembers only indexes of links.
 *
 * <p>Open {@link dev.underlay.ipamd.kernel.KernelNode} for interfaces and blocks, {@code
 * KernelPods} for pods, {@code LinkWatch} for what the kernel announces.
 */
@NullMarked
package dev.underlay.ipamd.kernel;

import org.jspecify.annotations.NullMarked;
