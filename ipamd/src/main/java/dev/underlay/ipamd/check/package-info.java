/**
 * Whether the daemon's leases, the cloud's interfaces and the kernel tell the same story. {@code
 * Comparison} decides, values in and findings out; {@code NodeCheck} reads the sources and repairs.
 * An address is never taken from a pod here.
 */
@NullMarked
package dev.underlay.ipamd.check;

import org.jspecify.annotations.NullMarked;
