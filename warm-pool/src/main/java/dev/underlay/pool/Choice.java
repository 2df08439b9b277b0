package dev.underlay.pool;

import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Which address to lease. The fullest interface and the fullest block come first, so that the empty
 * ones stay empty and can be given back; among equals the address that has been idle longest, so
 * that the trace of its last pod is cold.
 */
final class Choice {
    /** A free address. */
    record Slot(Block block, IpAddress address) {}

    private record Candidate(PooledInterface one, int used, Block block, Block.Idle idle) {}

    private static final Comparator<Candidate> BEST_FIRST =
            Comparator.comparing((Candidate c) -> c.block().standing) // unconfirmed last
                    .thenComparing(Candidate::used, Comparator.reverseOrder())
                    .thenComparing(c -> !c.one().primary())
                    .thenComparing(c -> c.one().id)
                    .thenComparing(c -> c.block().leased(), Comparator.reverseOrder())
                    .thenComparingLong(c -> c.idle().idleSinceNanos())
                    .thenComparing(c -> c.idle().address());

    private Choice() {}

    static Optional<Slot> of(Inventory inventory, long nowNanos) {
        Map<String, Integer> used = new TreeMap<>();
        for (Block block : inventory.blocks()) {
            used.merge(block.interfaceId, block.leased(), Integer::sum);
        }
        Candidate best = null;
        for (PooledInterface one : inventory.interfaces()) {
            if (!inventory.open(one)) {
                continue;
            }
            for (Block block : inventory.blocksOf(one.id)) {
                if (!leasable(block)) {
                    continue;
                }
                Optional<Block.Idle> idle = block.choice(nowNanos);
                if (idle.isPresent()) {
                    Candidate next =
                            new Candidate(one, used.getOrDefault(one.id, 0), block, idle.get());
                    best = best == null || BEST_FIRST.compare(next, best) < 0 ? next : best;
                }
            }
        }
        return Optional.ofNullable(best)
                .map(found -> new Slot(found.block(), found.idle().address()));
    }

    /** Whether the free addresses of a block may be leased, as far as the block goes. */
    static boolean leasable(Block block) {
        return block.life == BlockLife.ASSIGNED && block.standing != Standing.MISSING;
    }
}
