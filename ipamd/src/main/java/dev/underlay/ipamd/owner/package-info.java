/**
 * The one thread that owns the pool, and everything that only it may touch: the pool, the queue of
 * waiting ADDs, each attachment's turn, the journal. It never blocks, except for the journal's
 * appends to tmpfs; the kernel and the cloud are asked elsewhere and answer with a message.
 *
 * <p>Open {@link dev.underlay.ipamd.owner.PoolOwner} first, then {@code Attachments} for ADD and
 * DEL, {@code InterfaceKeeper} for links and blocks.
 */
@NullMarked
package dev.underlay.ipamd.owner;

import org.jspecify.annotations.NullMarked;
