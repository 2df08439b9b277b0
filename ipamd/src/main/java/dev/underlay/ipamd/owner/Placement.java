package dev.underlay.ipamd.owner;

import dev.underlay.ipamd.journal.JournalRecord.Held;
import dev.underlay.ipamd.journal.JournalRecord.Leased;
import dev.underlay.ipamd.journal.JournalRecord.Released;
import dev.underlay.ipamd.observe.Events;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.Lease;
import dev.underlay.pool.Pool;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Addresses that nobody could assign to an interface yet: the journal was lost and the kernel does
 * not know the cloud's names. Leased and resting ones get their place when the cloud describes its
 * interfaces, before the pool may lease anything of them. On the owner's thread only.
 */
final class Placement {
    private final Pool pool;
    private final Ledger ledger;
    private final List<Leased> unplaced = new ArrayList<>();

    Placement(Pool pool, Ledger ledger) {
        this.pool = pool;
        this.ledger = ledger;
    }

    /** Puts a living pod's lease in: each of its addresses now or, where unknown, later. */
    void adopt(Leased lease, long nowNanos) {
        if (lease.held().stream().anyMatch(Placement::isUnplaced)) {
            unplaced.add(lease);
        }
        lease.held().stream()
                .filter(one -> !isUnplaced(one))
                .map(one -> new Lease(lease.key(), one.address(), one.interfaceId()))
                .flatMap(one -> pool.adopt(one, nowNanos).stream())
                .forEach(over ->
                        Events.warn(
                                "lease.displaced",
                                "container",
                                over.owner().containerId(),
                                "ip",
                                over.address()));
    }

    private static boolean isUnplaced(Held one) {
        return one.interfaceId().isEmpty();
    }

    /** The cloud has described its interfaces; the pool does not know it yet. */
    void described(List<CloudInterface> interfaces, long nowNanos) {
        rest(interfaces, nowNanos);
        List<Leased> waiting = List.copyOf(unplaced);
        unplaced.clear();
        for (Leased lease : waiting) {
            if (!ledger.state().lease(lease.key()).equals(Optional.of(lease))) {
                continue; // Released meanwhile.
            }
            Leased placed =
                    lease.on(lease.held().stream().map(one -> placed(one, interfaces)).toList());
            if (!placed.equals(lease)) {
                ledger.note(List.of(placed));
            }
            adopt(placed, nowNanos);
            placed.held().stream()
                    .filter(Placement::isUnplaced)
                    .forEach(one ->
                            Events.warn(
                                    "lease.unknown-address",
                                    "container",
                                    lease.key().containerId(),
                                    "ip",
                                    one.address()));
        }
    }

    private static Held placed(Held one, List<CloudInterface> interfaces) {
        return isUnplaced(one)
                ? holder(one.address(), interfaces)
                        .map(holder -> new Held(one.address(), holder.id()))
                        .orElse(one)
                : one;
    }

    /** An address that was released before anyone knew where it belongs rests all the same. */
    private void rest(List<CloudInterface> interfaces, long nowNanos) {
        for (Released over : ledger.state().cooling()) {
            if (over.coolUntilNanos() - nowNanos > 0) {
                for (IpAddress address : over.addresses()) {
                    holder(address, interfaces)
                            .ifPresent(one ->
                                    pool.restoreCooling(
                                            one.id(), address, over.coolUntilNanos(), nowNanos));
                }
            }
        }
    }

    private static Optional<CloudInterface> holder(
            IpAddress address, List<CloudInterface> interfaces) {
        return interfaces.stream()
                .filter(one -> one.blocks().stream().anyMatch(block -> block.contains(address)))
                .findFirst();
    }
}
