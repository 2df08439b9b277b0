package dev.underlay.ipamd.owner;

import dev.underlay.cni.protocol.CniError;
import dev.underlay.cni.wiring.PodLink;
import dev.underlay.ipamd.journal.JournalRecord.Leased;
import java.util.Optional;

/** What an ADD gets from the pool's owner. */
public sealed interface AddAnswer {
    /**
     * The addresses are leased and journalled. The caller wires the pod and then says {@link
     * PoolOwner#wired} or {@link PoolOwner#abandon}; until then its attachment's turn is its own.
     *
     * @param leftover the link of an earlier try that never got its answer, to be taken down first
     */
    record Granted(Leased lease, Optional<PodLink> leftover) implements AddAnswer {}

    /** The pod is wired already; this is what its ADD returned. The turn is over. */
    record Stored(String result) implements AddAnswer {}

    /** Nothing is leased; the turn is over. */
    record Refused(CniError error) implements AddAnswer {}
}
