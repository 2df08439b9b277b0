package dev.underlay.pool;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Which address to lease. The fullest interface and the fullest block come first, so that the empty
 * ones stay empty and can be given back, and a single address before an empty prefix; among equals
 * the address that has been idle longest, so that the trace of its last pod is cold.
 */
final class Choice {
    /** A free address. */
    record Slot(Block block, IpAddress address) {}

    private record Candidate(Block block, Block.Idle idle) {}

    private static final Comparator<Candidate> BEST_FIRST =
            Comparator.comparing((Candidate c) -> c.block().leased(), Comparator.reverseOrder())
                    .thenComparingLong(c -> c.block().cidr.size())
                    .thenComparingLong(c -> c.idle().idleSinceNanos())
                    .thenComparing(c -> c.idle().address());

    private Choice() {}

    static Optional<Slot> of(Inventory inventory, long nowNanos) {
        Map<String, Integer> leased = new TreeMap<>();
        List<PooledInterface> fullestFirst = new ArrayList<>();
        for (PooledInterface one : inventory.interfaces()) {
            if (inventory.open(one)) {
                fullestFirst.add(one);
                leased.put(one.id, inventory.leased(one));
            }
        }
        // Stable: the primary one stays the first among equals.
        fullestFirst.sort(Comparator.comparingInt(one -> -leased.getOrDefault(one.id, 0)));
        return in(Standing.CONFIRMED, fullestFirst, inventory, nowNanos)
                .or(() -> in(Standing.UNCONFIRMED, fullestFirst, inventory, nowNanos));
    }

    private static Optional<Slot> in(
            Standing standing,
            List<PooledInterface> fullestFirst,
            Inventory inventory,
            long nowNanos) {
        for (PooledInterface one : fullestFirst) {
            Candidate best = null;
            for (Block block : inventory.blocksOf(one.id)) {
                if (leasable(block) && block.standing == standing) {
                    Optional<Block.Idle> idle = block.choice(nowNanos);
                    if (idle.isPresent()) {
                        Candidate next = new Candidate(block, idle.get());
                        best = best == null || BEST_FIRST.compare(next, best) < 0 ? next : best;
                    }
                }
            }
            if (best != null) {
                return Optional.of(new Slot(best.block(), best.idle().address()));
            }
        }
        return Optional.empty();
    }

    /** Whether the free addresses of a block may be leased, as far as the block goes. */
    static boolean leasable(Block block) {
        return block.life == BlockLife.ASSIGNED && block.standing != Standing.MISSING;
    }
}
