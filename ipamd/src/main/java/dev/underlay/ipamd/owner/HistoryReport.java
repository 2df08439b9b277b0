package dev.underlay.ipamd.owner;

import dev.underlay.ipamd.journal.JournalRecord.Ended;
import dev.underlay.ipamd.journal.JournalRecord.Leased;
import dev.underlay.ipamd.journal.JournalState;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Who had which address when, since boot.
 *
 * @param bound how many leases that are over are remembered at most
 * @param complete whether it is certain that none since boot is forgotten
 * @param entries the oldest end first, then those that last
 */
public record HistoryReport(int bound, boolean complete, List<Entry> entries) {
    /** The page of it. */
    public static final String PAGE = "/history";

    /**
     * One pod's time with one address.
     *
     * @param from when it was leased; null where only the kernel's link told of the lease
     * @param until when it was given back; null while it lasts and where that is unknown
     * @param lasts whether the pod has the address
     */
    public record Entry(
            String address,
            String interfaceId,
            String network,
            String containerId,
            String interfaceName,
            String podNamespace,
            String podName,
            @Nullable String from,
            @Nullable String until,
            boolean lasts) {}

    /** Keeps its own copy. */
    public HistoryReport {
        entries = List.copyOf(entries);
    }

    /**
     * Times since boot become those of the clock on the wall.
     *
     * @param wall what that clock shows at {@code nowNanos}
     */
    static HistoryReport of(JournalState state, long nowNanos, Instant wall) {
        Instant boot = wall.minusNanos(nowNanos);
        List<Entry> entries = new ArrayList<>();
        for (Ended one : state.ended()) {
            entries.addAll(entries(one.lease(), time(one.untilNanos(), boot), false, boot));
        }
        state.leases().forEach(lease -> entries.addAll(entries(lease, null, true, boot)));
        return new HistoryReport(
                JournalState.MAX_ENDED, state.ended().size() < JournalState.MAX_ENDED, entries);
    }

    private static List<Entry> entries(
            Leased lease, @Nullable String until, boolean lasts, Instant boot) {
        return lease.held().stream()
                .map(one ->
                        new Entry(
                                one.address().toString(),
                                one.interfaceId(),
                                lease.key().network(),
                                lease.key().containerId(),
                                lease.key().interfaceName(),
                                lease.podNamespace(),
                                lease.podName(),
                                time(lease.atNanos(), boot),
                                until,
                                lasts))
                .toList();
    }

    private static @Nullable String time(long atNanos, Instant boot) {
        return atNanos == 0
                ? null
                : boot.plusNanos(atNanos).truncatedTo(ChronoUnit.MILLIS).toString();
    }
}
