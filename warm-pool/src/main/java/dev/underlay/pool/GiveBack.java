package dev.underlay.pool;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalLong;

/**
 * Gives back what is beyond the target: whole interfaces that are empty and fit into the surplus,
 * and, unless whole interfaces are the target, also single blocks, those of the kind that is not
 * asked for any more first. Never the primary interface, and nothing in use, cooling or not
 * confirmed.
 *
 * <p>Two things keep it from giving back what is asked for again right away. The surplus is what
 * was too much throughout the last {@link Timing#QUIET_NANOS}, not just at this instant ({@link
 * Peaks}; a prefix counts as free when it was so as a whole), and what goes has been idle for as
 * long.
 */
final class GiveBack {
    private final Pool pool;
    private final PoolSettings settings;
    private final long nowNanos;
    private final List<CloudAction> actions = new ArrayList<>();
    private long surplus;
    private long next = Long.MAX_VALUE;

    GiveBack(Pool pool, PoolSettings settings, int perInterface, long nowNanos) {
        this.pool = pool;
        this.settings = settings;
        this.nowNanos = nowNanos;
        Counts counts = pool.counts(nowNanos);
        int inUse = counts.leased() + counts.cooling();
        boolean prefixes = Targets.mode(settings) == Targets.Mode.PREFIXES;
        long free =
                prefixes ? quietWhole() : counts.total() - pool.peaks().highest(inUse, nowNanos);
        surplus = Targets.surplus(settings, free, counts.total(), perInterface);
        pool.peaks().fallsAtNanos(inUse, nowNanos).ifPresent(at -> next = Math.min(next, at));
        List<PooledInterface> lastFirst = pool.inventory().interfaces().reversed();
        List<PooledInterface> staying = new ArrayList<>();
        for (PooledInterface one : lastFirst) {
            if (!leaves(one)) {
                staying.add(one);
            }
        }
        staying.forEach(this::thin);
    }

    /** How many addresses lie in blocks without a pod throughout the quiet time. */
    private long quietWhole() {
        long count = 0;
        for (PooledInterface one : pool.inventory().interfaces()) {
            for (Block block : pool.inventory().blocksOf(one.id)) {
                if (pool.inventory().open(one) && movable(block) && quiet(block.idleSinceNanos())) {
                    count += counted(block);
                }
            }
        }
        return count;
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
        long size = blocks.stream().mapToLong(this::counted).sum();
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
        for (Block block : lastWantedFirst(one)) {
            if (movable(block) && counted(block) <= surplus && quiet(block.idleSinceNanos())) {
                surplus -= counted(block);
                leaving.add(block.cidr);
            }
        }
        if (!leaving.isEmpty()) {
            actions.add(new CloudAction.UnassignBlocks(one.id, leaving));
        }
    }

    /** The blocks of an interface that may go one by one, in the order in which they do. */
    private List<Block> lastWantedFirst(PooledInterface one) {
        boolean all = Targets.mode(settings) != Targets.Mode.INTERFACES;
        List<Block> blocks = new ArrayList<>();
        for (Block block : pool.inventory().blocksOf(one.id).reversed()) {
            if (other(block) || (all && pool.inventory().counted(block))) {
                blocks.add(block);
            }
        }
        blocks.sort(Comparator.comparing(block -> !other(block))); // stable
        return blocks;
    }

    /** Whether a block is of a kind that is not asked for. */
    private boolean other(Block block) {
        return switch (block.family()) {
            case IPV6 -> !pool.inventory().families.has(IpAddress.Family.IPV6);
            case IPV4 ->
                    !pool.inventory().families.has(IpAddress.Family.IPV4)
                            || block.cidr.prefixLength() != settings.kind().prefixLength();
        };
    }

    /** How many addresses of a block are counted. */
    private long counted(Block block) {
        return pool.inventory().counted(block) ? Block.usable(block.cidr) : 0;
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
