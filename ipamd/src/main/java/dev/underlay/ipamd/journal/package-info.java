/**
 * What must outlive the daemon and not the node: leases, cooling addresses, interfaces that are
 * being made, and the last known picture of the cloud. One append-only file on tmpfs.
 *
 * <p>Open {@link dev.underlay.ipamd.journal.JournalRecord} first, then {@code Journal}. The pool's
 * owner thread alone writes. Nothing here knows the kernel or decides anything; the kernel's links
 * are the second copy of the leases, and {@code recovery} compares the two.
 */
@NullMarked
package dev.underlay.ipamd.journal;

import org.jspecify.annotations.NullMarked;
