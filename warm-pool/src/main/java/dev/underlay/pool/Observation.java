package dev.underlay.pool;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Brings a description of the cloud into the pool. What the cloud lists is there; what it does not
 * list and no pod uses is dropped; what a pod uses stays, whatever the cloud says. Answers to our
 * own calls are newer than a description that was asked for shortly after them.
 *
 * <p>A block that the cloud was asked to take from an interface, with an outcome that nobody knows,
 * counts as leaving whatever lists it there, until something proves that it has left: the cloud
 * says so when asked again, a description shows the interface without it, or its addresses come to
 * another interface. From that proof on, for {@link Timing#SETTLE_NANOS}, a description that lists
 * it there lags and is not believed: a minute is longer than any description lags and any call that
 * was given up on goes on.
 */
final class Observation {
    private final Inventory inventory;
    private final Flights flights;
    private final long askedAtNanos;
    private final long nowNanos;

    Observation(Inventory inventory, Flights flights, long askedAtNanos, long nowNanos) {
        this.inventory = inventory;
        this.flights = flights;
        this.askedAtNanos = askedAtNanos;
        this.nowNanos = nowNanos;
    }

    void merge(List<CloudInterface> described) {
        Set<String> listed = new TreeSet<>();
        for (CloudInterface one : described) {
            one.token().ifPresent(flights::fulfilled);
            if (ours(one) && !inventory.justDeleted(one.id(), askedAtNanos)) {
                listed.add(one.id());
                merge(one);
            }
        }
        for (PooledInterface known : inventory.interfaces()) {
            boolean younger = askedAtNanos < known.changedAtNanos + Timing.SETTLE_NANOS;
            if (!listed.contains(known.id) && !younger && !flights.busy(known.id)) {
                if (leaving(known)) {
                    inventory.deleted(known.id, nowNanos);
                }
                inventory.lost(known, nowNanos);
                if (inventory.find(known.id).isEmpty()) {
                    flights.holds().clear(known.id);
                }
            }
        }
        inventory.excluded = described.stream().filter(one -> !ours(one)).toList();
        inventory.forgetGone(askedAtNanos);
        flights.looked(askedAtNanos);
    }

    private static boolean ours(CloudInterface one) {
        return one.managed() || one.primary();
    }

    private void merge(CloudInterface described) {
        PooledInterface known =
                inventory
                        .find(described.id())
                        .orElseGet(() ->
                                inventory.add(
                                        new PooledInterface(
                                                described.id(),
                                                firstLife(described),
                                                Standing.CONFIRMED,
                                                nowNanos)));
        known.standing = Standing.CONFIRMED;
        if (believed(known)) {
            known.describe(described);
            known.move(life(known, described), nowNanos);
        } else {
            Optional<CloudInterface.Attachment> newer =
                    known.cloud().flatMap(CloudInterface::attachment);
            known.describe(described.with(newer, described.blocks()));
        }
        mergeBlocks(described);
    }

    /** Whether a description may change how far we think the interface is. */
    private boolean believed(PooledInterface known) {
        return flights.doubted(known.id)
                || askedAtNanos >= known.changedAtNanos + Timing.SETTLE_NANOS;
    }

    private static InterfaceLife firstLife(CloudInterface described) {
        if (described.attachment().isEmpty()) {
            return InterfaceLife.REQUESTED;
        }
        return described.attachment().get().state() == CloudInterface.State.DETACHING
                ? InterfaceLife.DRAINING
                : InterfaceLife.ATTACHED;
    }

    private InterfaceLife life(PooledInterface known, CloudInterface described) {
        InterfaceLife seen = firstLife(described);
        if (!leaving(known)) {
            return seen;
        }
        boolean inUse = inventory.inUse(known.id, nowNanos);
        return switch (seen) {
            case REQUESTED -> inUse ? InterfaceLife.REQUESTED : InterfaceLife.DETACHED;
            case ATTACHED -> inUse ? InterfaceLife.ATTACHED : InterfaceLife.DRAINING;
            case DRAINING, DETACHED -> InterfaceLife.DRAINING;
        };
    }

    private static boolean leaving(PooledInterface one) {
        return one.life == InterfaceLife.DRAINING || one.life == InterfaceLife.DETACHED;
    }

    /** Whether the cloud has granted it to another interface since it gave this description. */
    private boolean isYoungerElsewhere(Cidr cidr, String interfaceId) {
        return inventory
                .find(cidr.network())
                .filter(block -> block.cidr.equals(cidr) && !block.interfaceId.equals(interfaceId))
                .filter(block -> askedAtNanos < block.grantedAtNanos + Timing.SETTLE_NANOS)
                .isPresent();
    }

    private void mergeBlocks(CloudInterface described) {
        for (Cidr cidr : described.blocks()) {
            if (!inventory.justReturned(cidr, described.id(), askedAtNanos)
                    && !isYoungerElsewhere(cidr, described.id())) {
                inventory.put(cidr, described.id(), Standing.CONFIRMED, nowNanos);
            }
        }
        for (Block known : inventory.blocksOf(described.id())) {
            boolean younger = askedAtNanos < known.grantedAtNanos + Timing.SETTLE_NANOS;
            boolean leaving = known.life == BlockLife.DRAINING;
            boolean leaves = leaving && flights.busy(described.id());
            if (!described.blocks().contains(known.cidr) && !younger && !leaves) {
                if (leaving) {
                    inventory.returned(
                            known.cidr,
                            known.interfaceId,
                            nowNanos); // another description may still list it
                }
                inventory.lost(known, nowNanos);
            }
        }
    }
}
