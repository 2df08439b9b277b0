package dev.underlay.ipamd.owner;

import dev.underlay.cni.wiring.PodLink;
import dev.underlay.ipamd.journal.JournalRecord.Leased;
import java.util.Optional;

/**
 * A lease and the link that stands for it.
 *
 * @param lease as it is journalled
 * @param link the host's end; absent while the pod is not wired
 */
public record StandingLease(Leased lease, Optional<PodLink> link) {}
