package dev.underlay.ipamd.owner;

import dev.underlay.cni.wiring.PodLink;
import dev.underlay.ipamd.journal.JournalRecord;
import dev.underlay.ipamd.journal.JournalRecord.Leased;
import dev.underlay.pool.AttachmentKey;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudAction;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.NodeIdentity;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What journal and kernel together say at start.
 *
 * @param unfinished calls to the cloud that began and whose end is not known
 * @param leases of pods whose host link stands; the interface's id is empty where nobody knows it
 *     before the cloud has been asked
 * @param cooling addresses that rest
 * @param links each living pod's host link
 * @param news what the kernel knows and the journal does not
 */
public record RecoveredState(
        Optional<NodeIdentity> node,
        List<Cidr> networkCidrs,
        List<CloudInterface> interfaces,
        List<CloudAction> unfinished,
        List<Leased> leases,
        List<Cooling> cooling,
        Map<AttachmentKey, PodLink> links,
        List<JournalRecord> news) {
    /** An address that rests. */
    public record Cooling(String interfaceId, IpAddress address, long coolUntilNanos) {}

    /** Keeps its own copies. */
    public RecoveredState {
        networkCidrs = List.copyOf(networkCidrs);
        interfaces = List.copyOf(interfaces);
        unfinished = List.copyOf(unfinished);
        leases = List.copyOf(leases);
        cooling = List.copyOf(cooling);
        links = Map.copyOf(links);
        news = List.copyOf(news);
    }
}
