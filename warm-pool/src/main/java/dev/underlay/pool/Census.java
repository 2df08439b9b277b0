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
        boolean others = othersFree(inventory, nowNanos);
        for (PooledInterface one : inventory.interfaces()) {
            boolean open = inventory.open(one);
            boolean coming = coming(inventory, one, nowNanos);
            for (Block block : inventory.blocksOf(one.id)) {
                if (!inventory.counted(block)) {
                    continue;
                }
                leased += block.leased();
                cooling += block.cooling(nowNanos);
                if (Choice.leasable(block) && (open || coming)) {
                    int unused = block.free(nowNanos);
                    free += open && others ? unused : 0;
                    requested += open && others ? 0 : unused;
                    scattered += unused < Block.usable(block.cidr) ? unused : 0;
                }
            }
        }
        IpAddress.Family counted = inventory.families.counted();
        for (CloudAction action : flights.all()) {
            if (action instanceof CloudAction.AssignBlocks(_, var kind, var count)) {
                requested += kind.family() == counted ? count * kind.usable() : 0;
            }
        }
        for (InterfaceRequest request : flights.creating()) {
            boolean of = request.kind().family() == counted;
            requested += of ? request.blocks() * request.kind().usable() : 0;
        }
        return new Counts(leased, cooling, free, requested, scattered);
    }

    /** Whether a pod that gets an address of the family that is counted gets all that it needs. */
    private static boolean othersFree(Inventory inventory, long nowNanos) {
        return inventory.nodeServes()
                && inventory.families.all().stream()
                        .skip(1)
                        .allMatch(family -> Choice.of(inventory, family, nowNanos).isPresent());
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
}
