package dev.underlay.pool;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * Gives back what is beyond the target: whole interfaces that are empty and fit into the surplus,
 * and, unless whole interfaces are the target, also single blocks. Never the primary interface, and
 * nothing in use, cooling or not confirmed.
 *
 * <p>Two things keep it from giving back what is asked for again right away. The surplus is what
 * was too much throughout the last {@link Timing#QUIET_NANOS}, not just at this instant ({@link
 * Peaks}), and what goes has been idle for as long.
 */
final class GiveBack {
    private final Pool pool;
    private final long nowNanos;
    private final List<CloudAction> actions = new ArrayList<>();
    private long surplus;
    private long next = Long.MAX_VALUE;

    GiveBack(Pool pool, PoolSettings settings, int perInterface, long nowNanos) {
        this.pool = pool;
        this.nowNanos = nowNanos;
        Counts counts = pool.counts(nowNanos);
        int inUse = counts.leased() + counts.cooling();
        int most = pool.peaks().highest(inUse, nowNanos);
        surplus = Targets.surplus(settings, counts.total() - most, counts.total(), perInterface);
        pool.peaks().fallsAtNanos(inUse, nowNanos).ifPresent(at -> next = at);
        List<PooledInterface> lastFirst = pool.inventory().interfaces().reversed();
        List<PooledInterface> staying = new ArrayList<>();
        for (PooledInterface one : lastFirst) {
            if (!leaves(one)) {
                staying.add(one);
            }
        }
        switch (Targets.mode(settings)) {
            case ADDRESSES, DEFAULT -> staying.forEach(this::thin);
            case INTERFACES -> {}
        }
    }

    List<CloudAction> actions() {
        return actions;
    }

    /** When something more will have been idle long enough. */
    OptionalLong nextNanos() {
        return next == Long.MAX_VALUE ? OptionalLong.empty() : OptionalLong.of(next);
    }

    /** Whether an interface is empty and can go, now or once it has been idle long enough. */
    private boolean leaves(PooledInterface one) {
        List<Block> blocks = pool.inventory().blocksOf(one.id);
        boolean empty = blocks.stream().allMatch(GiveBack::movable);
        long size = blocks.stream().mapToLong(block -> block.cidr.size()).sum();
        // An interface without a link has nothing that counts as free.
        long counted = pool.inventory().open(one) ? size : 0;
        if (one.primary() || !settled(one) || !empty || counted > surplus) {
            return false;
        }
        long idleSince = one.knownSinceNanos;
        for (Block block : blocks) {
            idleSince = Math.max(idleSince, block.idleSinceNanos());
        }
        surplus -= counted;
        if (quiet(idleSince) && !held(one, "DetachInterface")) {
            actions.add(new CloudAction.DetachInterface(one.id));
        }
        return true;
    }

    /** Takes idle blocks from an interface that stays. */
    private void thin(PooledInterface one) {
        if (!settled(one) || held(one, "UnassignBlocks")) {
            return;
        }
        List<Cidr> leaving = new ArrayList<>();
        for (Block block : pool.inventory().blocksOf(one.id).reversed()) {
            if (movable(block) && block.cidr.size() <= surplus && quiet(block.idleSinceNanos())) {
                surplus -= block.cidr.size();
                leaving.add(block.cidr);
            }
        }
        if (!leaving.isEmpty()) {
            actions.add(new CloudAction.UnassignBlocks(one.id, leaving));
        }
    }

    private static boolean movable(Block block) {
        return block.standing == Standing.CONFIRMED
                && block.life == BlockLife.ASSIGNED
                && block.leased() == 0;
    }

    private boolean settled(PooledInterface one) {
        return one.life == InterfaceLife.ATTACHED
                && one.standing == Standing.CONFIRMED
                && !pool.flights().busy(one.id)
                && !pool.flights().doubted(one.id);
    }

    private boolean held(PooledInterface one, String call) {
        Holds holds = pool.flights().holds();
        return holds.on(one.id, nowNanos).isPresent() || holds.on(call, nowNanos).isPresent();
    }

    private boolean quiet(long idleSinceNanos) {
        long from = idleSinceNanos + Timing.QUIET_NANOS;
        if (from > nowNanos) {
            next = Math.min(next, from);
        }
        return from <= nowNanos;
    }
}
