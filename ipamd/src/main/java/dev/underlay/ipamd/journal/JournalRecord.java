package dev.underlay.ipamd.journal;

import dev.underlay.pool.AttachmentKey;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudAction;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.NodeIdentity;
import java.util.List;

/** One change, written before its effect. All times are nanoseconds since boot. */
public sealed interface JournalRecord {
    /**
     * An attachment took an address; the pod may be wired from here on.
     *
     * @param namespaceInode the inode of the pod's network namespace, its identity
     * @param podNamespace the Kubernetes namespace, empty outside Kubernetes
     * @param podName the pod's name, empty outside Kubernetes
     * @param interfaceId the cloud's name of the interface that holds the address
     * @param atNanos when; an intent of a DEL that is older does not mean this lease
     */
    record Leased(
            AttachmentKey key,
            long namespaceInode,
            String podNamespace,
            String podName,
            IpAddress address,
            String interfaceId,
            long atNanos)
            implements JournalRecord {
        /** The same lease, now that the interface of its address is known. */
        public Leased on(String id) {
            return new Leased(key, namespaceInode, podNamespace, podName, address, id, atNanos);
        }
    }

    /** The pod is wired; a repeat of its ADD gets this CNI result of the newest version. */
    record Wired(AttachmentKey key, String result) implements JournalRecord {}

    /**
     * An attachment gave its address back; nobody gets it before {@code coolUntilNanos}.
     *
     * @param atNanos when; 0 if unknown
     */
    record Released(AttachmentKey key, IpAddress address, long coolUntilNanos, long atNanos)
            implements JournalRecord {}

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
