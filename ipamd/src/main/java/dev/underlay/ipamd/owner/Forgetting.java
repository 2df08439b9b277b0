package dev.underlay.ipamd.owner;

import dev.underlay.pool.Cidr;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.Pool;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * Has the node forget the flows of addresses that have cooled; only then does the pool lease them.
 * At the end of the cooling, not at the release: until then late packets keep old flows alive, and
 * they cannot begin new ones, because the block is unreachable where no pod is. One batch at a
 * time, off every call's path. On the owner's thread only.
 */
final class Forgetting {
    /**
     * After a batch comes a pause of this many times its length, so that a busy node with a million
     * connections spends a tenth of a processor on them at most.
     */
    private static final int PAUSE_PER_WORK = 9;

    /** The longest pause; the pool waits ten seconds before it leases an address all the same. */
    private static final long MAX_PAUSE_NANOS = 2_000_000_000L;

    private final Pool pool;
    private final NodeNetwork network;
    private final Mailbox mailbox;
    private final LongSupplier clock;
    private boolean busy;
    private long notBeforeNanos = Long.MIN_VALUE;

    Forgetting(Pool pool, NodeNetwork network, Mailbox mailbox, LongSupplier clock) {
        this.pool = pool;
        this.network = network;
        this.mailbox = mailbox;
        this.clock = clock;
    }

    /**
     * Starts a batch with all that have cooled.
     *
     * @return when to come again for those that must wait for the end of the pause
     */
    OptionalLong start(long nowNanos) {
        List<IpAddress> cooled = pool.cooled(nowNanos);
        if (cooled.isEmpty() || busy) {
            return OptionalLong.empty();
        }
        if (nowNanos < notBeforeNanos) {
            return OptionalLong.of(notBeforeNanos);
        }
        busy = true;
        network.forgetFlows(cooled.stream().map(Cidr::of).toList(), Set.of())
                .whenComplete((_, _) -> mailbox.post(() -> done(cooled, nowNanos)));
        return OptionalLong.empty();
    }

    private void done(List<IpAddress> forgotten, long begunAtNanos) {
        busy = false;
        long now = clock.getAsLong();
        notBeforeNanos = now + Math.min(MAX_PAUSE_NANOS, PAUSE_PER_WORK * (now - begunAtNanos));
        pool.forgotten(forgotten, now);
    }
}
