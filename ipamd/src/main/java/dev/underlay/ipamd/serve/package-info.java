/**
 * Answers the container runtime: one class per verb's work, on the launcher server's threads, which
 * may block. Holds no state: leases belong to the pool's owner, links to the kernel.
 *
 * <p>Open {@link dev.underlay.ipamd.serve.CniHandler} first.
 */
@NullMarked
package dev.underlay.ipamd.serve;

import org.jspecify.annotations.NullMarked;
