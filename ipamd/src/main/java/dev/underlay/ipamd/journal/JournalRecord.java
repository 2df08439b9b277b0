package dev.underlay.ipamd.journal;

import dev.underlay.pool.AttachmentKey;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudAction;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.NodeIdentity;
import java.util.Comparator;
import java.util.List;

/** One change, written before its effect. All times are nanoseconds since boot. */
public sealed interface JournalRecord {
    /**
     * An attachment took its addresses, all in this one record; the pod may be wired from here on.
     *
     * @param namespaceInode the inode of the pod's network namespace, its identity
     * @param podNamespace the Kubernetes namespace, empty outside Kubernetes
     * @param podName the pod's name, empty outside Kubernetes
     * @param held its addresses: one of a family, or one of each, IPv4 first
     * @param atNanos when; an intent of a DEL that is older does not mean this lease
     */
    record Leased(
            AttachmentKey key,
            long namespaceInode,
            String podNamespace,
            String podName,
            List<Held> held,
            long atNanos)
            implements JournalRecord {
        /** Puts IPv4 first; refuses a pod without an address and two of one family. */
        public Leased {
            held = held.stream().sorted(Comparator.comparing(Held::address)).toList();
            if (held.isEmpty()
                    || held.stream().map(one -> one.address().family()).distinct().count()
                            < held.size()) {
                throw new IllegalArgumentException(
                        key + " must hold one address per family: " + held);
            }
        }

        /** The pod's addresses, IPv4 first. */
        public List<IpAddress> addresses() {
            return held.stream().map(Held::address).toList();
        }

        /** The same lease, now that the interfaces of its addresses are known. */
        public Leased on(List<Held> known) {
            return new Leased(key, namespaceInode, podNamespace, podName, known, atNanos);
        }

        /** Whether it is the same lease, wherever its addresses are. */
        boolean isSame(Leased other) {
            return addresses().equals(other.addresses()) && on(other.held).equals(other);
        }
    }

    /**
     * One address of a pod.
     *
     * @param interfaceId the cloud's name of the interface that it is assigned to; empty where
     *     nobody knows it before the cloud has been asked
     */
    record Held(IpAddress address, String interfaceId) {}

    /** The pod is wired; a repeat of its ADD gets this CNI result of the newest version. */
    record Wired(AttachmentKey key, String result) implements JournalRecord {}

    /**
     * An attachment gave its addresses back; nobody gets them before {@code coolUntilNanos}.
     *
     * @param addresses at least one
     * @param atNanos when; 0 if unknown
     */
    record Released(AttachmentKey key, List<IpAddress> addresses, long coolUntilNanos, long atNanos)
            implements JournalRecord {
        /** Keeps its own copy; refuses an empty list. */
        public Released {
            addresses = List.copyOf(addresses);
            if (addresses.isEmpty()) {
                throw new IllegalArgumentException(key + " gave no address back");
            }
        }

        /** One of its addresses by itself: another pod may have it before the others. */
        Released of(IpAddress one) {
            return new Released(key, List.of(one), coolUntilNanos, atNanos);
        }
    }

    /**
     * A lease that is over, for the history alone; only rewritten files have it.
     *
     * @param untilNanos when it ended; 0 if unknown
     */
    record Ended(Leased lease, long untilNanos) implements JournalRecord {}

    /**
     * The cloud is about to be asked for something that must not be forgotten: an interface, which
     * is found again by its token, or to take a block or an interface back.
     */
    record Began(CloudAction action) implements JournalRecord {}

    /** It is certain how that call ended. */
    record Settled(CloudAction action) implements JournalRecord {}

    /** What the node is, as metadata said last. */
    record NodeKnown(NodeIdentity node) implements JournalRecord {}

    /** Where traffic is never translated, as metadata said last; never empty. */
    record NetworkKnown(List<Cidr> networkCidrs) implements JournalRecord {
        /** Keeps its own copy. */
        public NetworkKnown {
            networkCidrs = List.copyOf(networkCidrs);
        }
    }

    /** An interface as the cloud's API described it last; replaces what was known under its id. */
    record InterfaceKnown(CloudInterface cloudInterface) implements JournalRecord {}

    /** The interface is no longer this node's. */
    record InterfaceGone(String interfaceId) implements JournalRecord {}
}
