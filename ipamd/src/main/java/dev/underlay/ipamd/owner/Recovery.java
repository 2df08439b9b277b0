package dev.underlay.ipamd.owner;

import dev.underlay.cni.wiring.Attachment;
import dev.underlay.cni.wiring.PodLink;
import dev.underlay.ipamd.journal.JournalRecord;
import dev.underlay.ipamd.journal.JournalRecord.Leased;
import dev.underlay.ipamd.journal.JournalRecord.Released;
import dev.underlay.ipamd.journal.JournalState;
import dev.underlay.pool.AttachmentKey;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.IpAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What is true at start, from the journal and the kernel's links. Pure.
 *
 * <ul>
 *   <li>A lease lives as long as its host link stands; one without a link cools.
 *   <li>A link with an address and without a lease is a living pod: it gets its lease back.
 *   <li>A link that never got its address or its name belongs to an ADD that was cut off: it goes.
 * </ul>
 *
 * @param state what the pool's owner takes in
 * @param cutOff links to take down, nobody's
 */
public record Recovery(RecoveredState state, List<PodLink> cutOff) {
    /** Compares both. */
    public static Recovery of(
            JournalState journal, List<PodLink> links, long nowNanos, long coolForNanos) {
        Map<AttachmentKey, PodLink> standing = new HashMap<>();
        List<PodLink> cutOff = new ArrayList<>();
        for (PodLink link : links) {
            Optional<Attachment> owner = link.attachment();
            if (owner.isPresent()
                    && (!link.addresses().isEmpty() || isLeaseOf(journal, owner.get()))) {
                standing.put(key(owner.get()), link);
            } else {
                cutOff.add(link);
            }
        }
        List<JournalRecord> news = new ArrayList<>();
        Map<AttachmentKey, Leased> living = new HashMap<>();
        for (Leased lease : journal.leases()) {
            PodLink link = standing.get(lease.key());
            if (link != null && isSame(lease, link)) {
                living.put(lease.key(), lease);
            } else {
                news.add(
                        new Released(
                                lease.key(), lease.address(), nowNanos + coolForNanos, nowNanos));
            }
        }
        standing.forEach((key, link) -> {
            if (!living.containsKey(key)) {
                Leased adopted = adopted(key, link, journal.interfaces());
                living.put(key, adopted);
                news.add(adopted);
            }
        });
        return new Recovery(state(journal, living, standing, news), cutOff);
    }

    private static RecoveredState state(
            JournalState journal,
            Map<AttachmentKey, Leased> living,
            Map<AttachmentKey, PodLink> standing,
            List<JournalRecord> news) {
        Set<IpAddress> leased = new HashSet<>();
        List<Leased> leases = living.values().stream().sorted(BY_KEY).toList();
        leases.forEach(lease -> leased.add(lease.address()));
        List<Released> resting = new ArrayList<>(journal.cooling());
        news.stream()
                .filter(Released.class::isInstance)
                .map(Released.class::cast)
                .forEach(resting::add);
        List<RecoveredState.Cooling> cooling = new ArrayList<>();
        for (Released rest : resting) {
            Optional<String> holder = interfaceOf(rest.address(), journal.interfaces());
            if (holder.isPresent() && !leased.contains(rest.address())) {
                cooling.add(
                        new RecoveredState.Cooling(
                                holder.get(), rest.address(), rest.coolUntilNanos()));
            }
        }
        return new RecoveredState(
                journal.node(),
                journal.networkCidrs(),
                journal.interfaces(),
                journal.unfinished(),
                leases,
                cooling,
                standing,
                news);
    }

    private static final Comparator<Leased> BY_KEY = Comparator.comparing(Leased::key);

    private static boolean isLeaseOf(JournalState journal, Attachment owner) {
        return journal.lease(key(owner))
                .filter(lease -> lease.namespaceInode() == owner.namespaceInode())
                .isPresent();
    }

    private static boolean isSame(Leased lease, PodLink link) {
        return link.attachment()
                        .filter(owner -> owner.namespaceInode() == lease.namespaceInode())
                        .isPresent()
                && (link.addresses().isEmpty()
                        || link.addresses().stream()
                                .anyMatch(one ->
                                        IpAddress.ofBytes(one.getAddress())
                                                .equals(lease.address())));
    }

    /** When it began is unknown: any DEL that was left behind is younger. */
    private static Leased adopted(
            AttachmentKey key, PodLink link, List<CloudInterface> interfaces) {
        Attachment owner = link.attachment().orElseThrow();
        IpAddress address = IpAddress.ofBytes(link.addresses().getFirst().getAddress());
        return new Leased(
                key,
                owner.namespaceInode(),
                owner.podNamespace(),
                owner.podName(),
                address,
                interfaceOf(address, interfaces).orElse(""),
                0);
    }

    private static Optional<String> interfaceOf(
            IpAddress address, List<CloudInterface> interfaces) {
        return interfaces.stream()
                .filter(one -> one.blocks().stream().anyMatch(block -> block.contains(address)))
                .map(CloudInterface::id)
                .findFirst();
    }

    private static AttachmentKey key(Attachment owner) {
        return new AttachmentKey(owner.network(), owner.containerId(), owner.interfaceName());
    }
}
