package dev.underlay.pool;

/** Counts the pool. */
final class Census {
    private Census() {}

    static Counts of(Inventory inventory, Flights flights, long nowNanos) {
        int leased = 0;
        int cooling = 0;
        int free = 0;
        int requested = 0;
        int scattered = 0;
        for (PooledInterface one : inventory.interfaces()) {
            boolean open = inventory.open(one);
            boolean coming = coming(inventory, one, nowNanos);
            for (Block block : inventory.blocksOf(one.id)) {
                leased += block.leased();
                cooling += block.cooling(nowNanos);
                if (Choice.leasable(block) && (open || coming)) {
                    int unused = block.free(nowNanos);
                    free += open ? unused : 0;
                    requested += open ? 0 : unused;
                    scattered += unused < block.cidr.size() ? unused : 0;
                }
            }
        }
        for (CloudAction action : flights.all()) {
            if (action instanceof CloudAction.AssignBlocks(_, var kind, var count)) {
                requested += count * size(kind);
            }
        }
        for (InterfaceRequest request : flights.creating()) {
            requested += request.blocks() * size(request.kind());
        }
        return new Counts(leased, cooling, free, requested, scattered);
    }

    /** Whether an interface that is not open is on the way to be. */
    static boolean coming(Inventory inventory, PooledInterface one, long nowNanos) {
        return switch (one.life) {
            case REQUESTED -> true;
            case ATTACHED ->
                    !inventory.open(one)
                            && nowNanos <= one.withoutLinkSinceNanos + Timing.LINK_PATIENCE_NANOS;
            case DRAINING, DETACHED -> false;
        };
    }

    /** How many addresses a block of the kind brings, as far as a node can use them. */
    static int size(BlockKind kind) {
        int hostBits = kind.family().bits() - kind.prefixLength();
        return 1 << Math.min(hostBits, 16);
    }
}
