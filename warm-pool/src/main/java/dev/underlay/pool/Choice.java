package dev.underlay.pool;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

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

    static Optional<Slot> of(Inventory inventory, IpAddress.Family family, long nowNanos) {
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
        return Stream.of(Standing.CONFIRMED, Standing.UNCONFIRMED)
                .flatMap(standing ->
                        fullestFirst.stream()
                                .map(one ->
                                        inventory.blocksOf(one.id).stream()
                                                .filter(block -> block.family() == family)
                                                .filter(block -> block.standing == standing)
                                                .toList())
                                .flatMap(blocks -> best(blocks, nowNanos).stream()))
                .findFirst();
    }

    private static Optional<Slot> best(List<Block> blocks, long nowNanos) {
        Candidate best = null;
        for (Block block : blocks) {
            Optional<Block.Idle> idle = leasable(block) ? block.choice(nowNanos) : Optional.empty();
            if (idle.isPresent()) {
                Candidate next = new Candidate(block, idle.get());
                best = best == null || BEST_FIRST.compare(next, best) < 0 ? next : best;
            }
        }
        return Optional.ofNullable(best).map(it -> new Slot(it.block(), it.idle().address()));
    }

    /** Whether the free addresses of a block may be leased, as far as the block goes. */
    static boolean leasable(Block block) {
        return block.life == BlockLife.ASSIGNED && block.standing != Standing.MISSING;
    }
}
