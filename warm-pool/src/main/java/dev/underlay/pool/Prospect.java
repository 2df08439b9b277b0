package dev.underlay.pool;

import java.util.Optional;
import java.util.OptionalLong;

/** Works out what a pod that asks now can expect: what would happen if one more waited. */
final class Prospect {
    private Prospect() {}

    static Outlook of(Pool pool, PoolSettings settings, Demand demand, long nowNanos) {
        Counts counts = pool.counts(nowNanos);
        int spare = counts.free() - demand.waiting();
        if (spare > 0) {
            return new Outlook.Ready(spare);
        }
        if (pool.limits().isEmpty() || pool.flights().lookedAt().isEmpty()) {
            return starting(pool, nowNanos);
        }
        Demand oneMore = demand.oneMore();
        Growth growth =
                new Growth(
                        pool, settings, pool.limits().get(), oneMore, nowNanos, () -> "prospect");
        if (growth.ipv6Obstacle().isPresent()) {
            return growth.ipv6Obstacle().get();
        }
        long stuck = stuckAddresses(pool, nowNanos);
        long coming = counts.free() + counts.requested() - stuck + growth.found();
        // While the last look did not reach the cloud nothing that is asked for is promised.
        Optional<Hold> unreached = pool.flights().holds().of(Answers.LOOK).filter(Hold::away);
        if (coming >= oneMore.waiting() && unreached.isEmpty()) {
            return new Outlook.Coming((int) coming);
        }
        return stuckInterface(pool, nowNanos)
                .or(growth::obstacle)
                .or(() -> unreached.map(Prospect::stuck))
                .orElseGet(() -> starting(pool, nowNanos));
    }

    private static Outlook.Stuck starting(Pool pool, long nowNanos) {
        return pool.flights()
                .holds()
                .on("Describe", nowNanos)
                .map(Prospect::stuck)
                .orElse(
                        new Outlook.Stuck(
                                Outlook.Obstacle.STARTING,
                                "the node's interfaces are not known yet; the cloud is being asked",
                                OptionalLong.empty()));
    }

    /** Addresses on interfaces that cannot be attached at the moment. */
    private static long stuckAddresses(Pool pool, long nowNanos) {
        long count = 0;
        for (PooledInterface one : pool.inventory().interfaces()) {
            if (attachHold(pool, one, nowNanos).isPresent()) {
                for (Block block : pool.inventory().blocksOf(one.id)) {
                    boolean counted = Choice.leasable(block) && pool.inventory().counted(block);
                    count += counted ? block.free(nowNanos) : 0;
                }
            }
        }
        return count;
    }

    private static Optional<Hold> attachHold(Pool pool, PooledInterface one, long nowNanos) {
        if (one.life != InterfaceLife.REQUESTED) {
            return Optional.empty();
        }
        Holds holds = pool.flights().holds();
        return holds.on(one.id, nowNanos).or(() -> holds.on("AttachInterface", nowNanos));
    }

    /** An interface that is granted and cannot be used. */
    private static Optional<Outlook.Stuck> stuckInterface(Pool pool, long nowNanos) {
        for (PooledInterface one : pool.inventory().interfaces()) {
            Optional<Hold> hold = attachHold(pool, one, nowNanos);
            if (hold.isPresent()) {
                return hold.map(Prospect::stuck);
            }
            boolean noLink =
                    one.life == InterfaceLife.ATTACHED
                            && !pool.inventory().open(one)
                            && !Census.coming(pool.inventory(), one, nowNanos);
            if (noLink) {
                return Optional.of(
                        new Outlook.Stuck(
                                Outlook.Obstacle.CLOUD,
                                one.id
                                        + one.cloud()
                                                .map(cloud -> " (" + cloud.mac() + ")")
                                                .orElse("")
                                        + " is attached, but the node has no configured link for it;"
                                        + " look for the link and the daemon's errors about it",
                                OptionalLong.empty()));
            }
        }
        return Optional.empty();
    }

    static Outlook.Stuck stuck(Hold hold) {
        return new Outlook.Stuck(
                obstacle(hold.refusal()), hold.message(), OptionalLong.of(hold.untilNanos()));
    }

    private static Outlook.Obstacle obstacle(Refusal refusal) {
        return switch (refusal) {
            case SUBNET_FULL, NO_FREE_PREFIX -> Outlook.Obstacle.SUBNET_FULL;
            case ATTACHMENT_LIMIT -> Outlook.Obstacle.INTERFACE_LIMIT;
            case QUOTA_EXCEEDED -> Outlook.Obstacle.QUOTA;
            case NOT_PERMITTED -> Outlook.Obstacle.PERMISSION;
            case MISCONFIGURED -> Outlook.Obstacle.CONFIGURATION;
            case THROTTLED -> Outlook.Obstacle.THROTTLING;
            case INTERFACE_FULL, DEVICE_INDEX_TAKEN, GONE, BUSY, UNAVAILABLE, UNKNOWN_OUTCOME ->
                    Outlook.Obstacle.CLOUD;
        };
    }
}
