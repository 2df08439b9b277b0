package dev.underlay.ipamd.owner;

import dev.underlay.cni.wiring.Attachment;
import dev.underlay.cni.wiring.PodLink;
import dev.underlay.ipamd.journal.JournalRecord;
import dev.underlay.ipamd.journal.JournalRecord.Held;
import dev.underlay.ipamd.journal.JournalRecord.Leased;
import dev.underlay.ipamd.journal.JournalRecord.Released;
import dev.underlay.ipamd.journal.JournalState;
import dev.underlay.pool.AttachmentKey;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.IpAddress;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;

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
        Map<IpAddress, AttachmentKey> routed = new HashMap<>();
        standing.forEach((key, link) ->
                addresses(link).values().forEach(address -> routed.put(address, key)));
        Map<AttachmentKey, Leased> living = new HashMap<>();
        standing.forEach((key, link) ->
                living(journal, link, address -> routed.getOrDefault(address, key).equals(key))
                        .ifPresentOrElse(lease -> living.put(key, lease), () -> cutOff.add(link)));
        standing.keySet().retainAll(living.keySet());
        List<JournalRecord> news = new ArrayList<>();
        for (Leased lease : journal.leases()) {
            if (!lease.equals(living.get(lease.key()))) {
                news.add(
                        new Released(
                                lease.key(), lease.addresses(), nowNanos + coolForNanos, nowNanos));
            }
        }
        living.values().stream()
                .filter(lease -> !journal.lease(lease.key()).equals(Optional.of(lease)))
                .sorted(BY_KEY)
                .forEach(news::add);
        return new Recovery(state(journal, living, standing, news), cutOff);
    }

    /**
     * The lease of the pod with this link: in each family the address that is routed to it, else
     * the one that the journal says, unless that is routed to another pod. A route alone may have
     * been deleted, or not been made before the daemon was killed.
     *
     * @param isOwn whether no other link has the route to an address
     */
    private static Optional<Leased> living(
            JournalState journal, PodLink link, Predicate<IpAddress> isOwn) {
        Attachment owner = link.attachment().orElseThrow();
        Optional<Leased> known =
                journal.lease(key(owner))
                        .filter(lease -> lease.namespaceInode() == owner.namespaceInode());
        Map<IpAddress.Family, Held> held = new TreeMap<>();
        known.stream()
                .flatMap(lease -> lease.held().stream())
                .filter(one -> isOwn.test(one.address()))
                .forEach(one -> held.put(one.address().family(), one));
        addresses(link)
                .forEach((family, address) -> {
                    Held said = held.get(family);
                    if (said == null || !said.address().equals(address)) {
                        String id = interfaceOf(address, journal.interfaces()).orElse("");
                        held.put(family, new Held(address, id));
                    }
                });
        List<Held> all = List.copyOf(held.values());
        return all.isEmpty()
                ? Optional.empty()
                : known.filter(lease -> lease.held().equals(all))
                        .or(() -> Optional.of(adopted(owner, all)));
    }

    /** What is routed to a link, by family. */
    private static Map<IpAddress.Family, IpAddress> addresses(PodLink link) {
        Map<IpAddress.Family, IpAddress> addresses = new TreeMap<>();
        for (InetAddress one : link.addresses()) {
            IpAddress address = IpAddress.ofBytes(one.getAddress());
            addresses.putIfAbsent(address.family(), address);
        }
        return addresses;
    }

    /** When it began is unknown: any DEL that was left behind is younger. */
    private static Leased adopted(Attachment owner, List<Held> held) {
        return new Leased(
                key(owner), owner.namespaceInode(), owner.podNamespace(), owner.podName(), held, 0);
    }

    private static RecoveredState state(
            JournalState journal,
            Map<AttachmentKey, Leased> living,
            Map<AttachmentKey, PodLink> standing,
            List<JournalRecord> news) {
        Set<IpAddress> leased = new HashSet<>();
        List<Leased> leases = living.values().stream().sorted(BY_KEY).toList();
        leases.forEach(lease -> leased.addAll(lease.addresses()));
        List<Released> resting = new ArrayList<>(journal.cooling());
        news.stream()
                .filter(Released.class::isInstance)
                .map(Released.class::cast)
                .forEach(resting::add);
        List<RecoveredState.Cooling> cooling = new ArrayList<>();
        for (Released rest : resting) {
            for (IpAddress address : rest.addresses()) {
                interfaceOf(address, journal.interfaces())
                        .filter(_ -> !leased.contains(address))
                        .map(id -> new RecoveredState.Cooling(id, address, rest.coolUntilNanos()))
                        .ifPresent(cooling::add);
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
