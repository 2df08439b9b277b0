package dev.underlay.pool;

/**
 * The arithmetic of the targets. A cooling address is not available: it counts in the total and
 * nowhere else.
 */
final class Targets {
    /**
     * With no target set, a node asks for more as soon as fewer addresses than this are free beyond
     * what waiting pods take, and then for as many as bring it to twice this number; what twice
     * this number can do without is given back.
     *
     * <p>Example, m5.large (9 pod addresses on an interface): a new node assigns 8 addresses to its
     * primary interface in one call. Its fifth pod leaves 3 free: the ninth address and a second
     * interface with 4 addresses are asked for. So an idle node holds 8 addresses (the VPC CNI: 9),
     * one with 5 pods 13 (18), one with 24 pods all 27 (27), and a call is made for four to five
     * pod starts, not for each. A new address takes about 1 s, a new interface 5 to 10 s, and a
     * kubelet that replaces pods starts one in 2 to 3 s: 4 free addresses outlast the refill. A
     * larger burst waits in the queue for one call.
     *
     * <p>Replayed with three placements of 7,255 pods of a GPU cluster ({@code simulate --trace}),
     * this leaves 0.46, 0.35 and 0.58 of the VPC CNI's addresses idle and no pod waiting; with 3
     * three pods wait, with 5 the nodes that a consolidating scheduler packs keep 0.6 or more.
     */
    static final int DEFAULT_FREE = 4;

    /**
     * How many addresses to ask for.
     *
     * @param slots 0 when there are enough
     * @param single how many of them to ask for one by one where prefixes are wanted and none is
     *     left
     * @param whole whether each interface that is touched is filled
     */
    record Want(long slots, long single, boolean whole) {
        static final Want NOTHING = new Want(0, 0, false);
    }

    private Targets() {}

    /**
     * What is missing, with what is on its way counted as if it were here.
     *
     * @param perInterface how many addresses an interface can hold for pods
     */
    static Want want(PoolSettings settings, Counts counts, Demand demand, int perInterface) {
        int waiting = demand.waiting();
        long available = (long) counts.free() + counts.requested() - waiting;
        long ceiling = ceiling(settings, counts);
        if (demand.cordon() == Cordon.CORDONED) {
            long missing = Math.clamp(-available, 0, ceiling);
            return new Want(missing, missing, false);
        }
        long missing =
                switch (mode(settings)) {
                    case ADDRESSES -> {
                        long total = (long) counts.total() + counts.requested();
                        yield Math.max(
                                settings.warmIpTarget().orElse(0) - available,
                                settings.minimumIpTarget().orElse(0) - total);
                    }
                    case INTERFACES -> fullInterfaces(settings, perInterface) - available;
                    case PREFIXES -> fullPrefixes(settings) - unscattered(counts, waiting);
                    case DEFAULT -> few(available);
                };
        // A warm prefix takes one slot of an interface, as many single addresses would take 16.
        long single = mode(settings) == Mode.PREFIXES ? few(available) : missing;
        return new Want(
                Math.clamp(missing, 0, ceiling),
                Math.clamp(single, 0, ceiling),
                mode(settings) == Mode.INTERFACES);
    }

    private static long few(long available) {
        return available < DEFAULT_FREE ? 2L * DEFAULT_FREE - available : 0;
    }

    /**
     * How many addresses lie in prefixes that are free as a whole, or alone, once the waiting pods
     * have taken what is left of prefixes in use.
     */
    private static long unscattered(Counts counts, int waiting) {
        long rest = (long) counts.free() + counts.requested() - counts.scattered();
        return rest - Math.max(0, waiting - counts.scattered());
    }

    /** How many more addresses the node may have. */
    static long ceiling(PoolSettings settings, Counts counts) {
        if (settings.maxPods().isEmpty()) {
            return Integer.MAX_VALUE;
        }
        long held = (long) counts.leased() + counts.free() + counts.requested();
        return Math.max(0, settings.maxPods().getAsInt() - held);
    }

    /**
     * How many free addresses the node can do without.
     *
     * @param free how many are free, or would be; for {@link Mode#PREFIXES} those that lie in
     *     prefixes that are free as a whole, or alone
     */
    static long surplus(PoolSettings settings, long free, long total, int perInterface) {
        long over =
                switch (mode(settings)) {
                    case ADDRESSES ->
                            Math.min(
                                    free - settings.warmIpTarget().orElse(0),
                                    total - settings.minimumIpTarget().orElse(0));
                    case INTERFACES -> free - fullInterfaces(settings, perInterface);
                    case PREFIXES -> free - fullPrefixes(settings);
                    case DEFAULT -> free - 2L * DEFAULT_FREE;
                };
        return Math.max(0, over);
    }

    /** WARM_ENI_TARGET=0 still wants one free address. */
    private static long fullInterfaces(PoolSettings settings, int perInterface) {
        return Math.max(1, (long) settings.warmEniTarget().orElse(0) * perInterface);
    }

    private static long fullPrefixes(PoolSettings settings) {
        return (long) settings.warmPrefixTarget().orElse(0) * BlockKind.PREFIX_28.usable();
    }

    /** Which of the settings decides. */
    enum Mode {
        /** WARM_IP_TARGET or MINIMUM_IP_TARGET is set: single blocks come and go. */
        ADDRESSES,
        /** Only WARM_ENI_TARGET is set, without prefixes: whole interfaces come and go. */
        INTERFACES,
        /** Only WARM_PREFIX_TARGET is set, with prefixes: prefixes come and go. */
        PREFIXES,
        /** None is set: addresses come and go in small batches. */
        DEFAULT
    }

    static Mode mode(PoolSettings settings) {
        if (settings.warmIpTarget().isPresent() || settings.minimumIpTarget().isPresent()) {
            return Mode.ADDRESSES;
        }
        if (settings.prefixDelegation()) {
            return settings.warmPrefixTarget().isPresent() ? Mode.PREFIXES : Mode.DEFAULT;
        }
        return settings.warmEniTarget().isPresent() ? Mode.INTERFACES : Mode.DEFAULT;
    }
}
