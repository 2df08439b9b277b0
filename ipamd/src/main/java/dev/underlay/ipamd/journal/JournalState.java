package dev.underlay.ipamd.journal;

import dev.underlay.ipamd.journal.JournalRecord.Began;
import dev.underlay.ipamd.journal.JournalRecord.Ended;
import dev.underlay.ipamd.journal.JournalRecord.InterfaceGone;
import dev.underlay.ipamd.journal.JournalRecord.InterfaceKnown;
import dev.underlay.ipamd.journal.JournalRecord.Leased;
import dev.underlay.ipamd.journal.JournalRecord.NetworkKnown;
import dev.underlay.ipamd.journal.JournalRecord.NodeKnown;
import dev.underlay.ipamd.journal.JournalRecord.Released;
import dev.underlay.ipamd.journal.JournalRecord.Settled;
import dev.underlay.ipamd.journal.JournalRecord.Wired;
import dev.underlay.pool.AttachmentKey;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudAction;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.NodeIdentity;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What all records together say. A fold: each record is applied in order, and any subset of the
 * records gives a state in which an address has one holder at most, so that a lost record loses its
 * own news and nothing else. Not thread-safe.
 */
public final class JournalState {
    /**
     * How many leases that are over are remembered: a node of 50 pods that all change once an hour
     * knows 20 hours. They are a quarter of a mebibyte of memory and of the file.
     */
    public static final int MAX_ENDED = 1000;

    private static final long UNKNOWN = 0;

    private final Deque<Ended> ended = new ArrayDeque<>();
    private final Map<AttachmentKey, Leased> leases = new LinkedHashMap<>();
    private final Map<IpAddress, AttachmentKey> holders = new HashMap<>();
    private final Map<AttachmentKey, String> results = new LinkedHashMap<>();
    private final Map<IpAddress, Released> cooling = new LinkedHashMap<>();
    private final Set<CloudAction> unfinished = new LinkedHashSet<>();
    private final Map<String, CloudInterface> interfaces = new LinkedHashMap<>();
    private Optional<NodeIdentity> node = Optional.empty();
    private List<Cidr> networkCidrs = List.of();

    /** An empty state. */
    public JournalState() {}

    void apply(JournalRecord change) {
        switch (change) {
            case Leased lease -> {
                Optional<Leased> before = takeOut(lease.key());
                if (before.isPresent() && !before.get().isSame(lease)) {
                    end(before.get(), UNKNOWN);
                }
                for (IpAddress address : lease.addresses()) {
                    endLeaseOf(address);
                    cooling.remove(address);
                    holders.put(address, lease.key());
                }
                leases.put(lease.key(), lease);
            }
            case Wired(var key, var result) -> {
                if (leases.containsKey(key)) {
                    results.put(key, result);
                }
            }
            case Released released -> {
                takeOut(released.key()).ifPresent(over -> end(over, released.atNanos()));
                for (IpAddress address : released.addresses()) {
                    endLeaseOf(address);
                    cooling.put(address, released.of(address));
                }
            }
            case Ended one -> remember(one);
            case Began(var action) -> unfinished.add(action);
            case Settled(var action) -> unfinished.remove(action);
            case NodeKnown(var identity) -> node = Optional.of(identity);
            case NetworkKnown(var cidrs) -> networkCidrs = cidrs;
            case InterfaceKnown(var known) -> interfaces.put(known.id(), known);
            case InterfaceGone(var id) -> interfaces.remove(id);
        }
    }

    private Optional<Leased> takeOut(AttachmentKey key) {
        Optional<Leased> lease = Optional.ofNullable(leases.remove(key));
        lease.ifPresent(over -> over.addresses().forEach(holders::remove));
        return lease;
    }

    /** A lease that is older than the change of its address; only lost records leave one behind. */
    private void endLeaseOf(IpAddress address) {
        Optional.ofNullable(holders.get(address))
                .flatMap(this::takeOut)
                .ifPresent(older -> end(older, UNKNOWN));
    }

    private void end(Leased lease, long untilNanos) {
        results.remove(lease.key());
        remember(new Ended(lease, untilNanos));
    }

    private void remember(Ended one) {
        if (ended.size() == MAX_ENDED) {
            ended.removeFirst();
        }
        ended.add(one);
    }

    /** Without this an address that no pod gets again would be remembered for ever. */
    void forgetCooled(long nowNanos) {
        cooling.values().removeIf(over -> over.coolUntilNanos() - nowNanos <= 0);
    }

    /** The shortest list of records that gives this state, without what has cooled by then. */
    List<JournalRecord> records(long nowNanos) {
        List<JournalRecord> records = new ArrayList<>();
        node.ifPresent(identity -> records.add(new NodeKnown(identity)));
        if (!networkCidrs.isEmpty()) {
            records.add(new NetworkKnown(networkCidrs));
        }
        records.addAll(ended);
        interfaces.values().forEach(known -> records.add(new InterfaceKnown(known)));
        unfinished.forEach(action -> records.add(new Began(action)));
        cooling.values().stream()
                .filter(cooled -> cooled.coolUntilNanos() - nowNanos > 0)
                .forEach(records::add);
        records.addAll(leases.values());
        results.forEach((key, result) -> records.add(new Wired(key, result)));
        return records;
    }

    /** The last {@link #MAX_ENDED} leases that are over, oldest first. */
    public List<Ended> ended() {
        return List.copyOf(ended);
    }

    /** The leases, oldest first. */
    public List<Leased> leases() {
        return List.copyOf(leases.values());
    }

    /** The lease of an attachment. */
    public Optional<Leased> lease(AttachmentKey key) {
        return Optional.ofNullable(leases.get(key));
    }

    /** The stored result of an attachment whose wiring was finished. */
    public Optional<String> result(AttachmentKey key) {
        return Optional.ofNullable(results.get(key));
    }

    /** Addresses that were given back, some perhaps long cold, oldest first, each by itself. */
    public List<Released> cooling() {
        return List.copyOf(cooling.values());
    }

    /** Calls to the cloud that began and whose end is not known, oldest first. */
    public List<CloudAction> unfinished() {
        return List.copyOf(unfinished);
    }

    /** The interfaces as last described. */
    public List<CloudInterface> interfaces() {
        return List.copyOf(interfaces.values());
    }

    /** The node, if metadata ever answered since boot. */
    public Optional<NodeIdentity> node() {
        return node;
    }

    /** The last known CIDRs of the network; empty when none were ever read. */
    public List<Cidr> networkCidrs() {
        return networkCidrs;
    }
}
