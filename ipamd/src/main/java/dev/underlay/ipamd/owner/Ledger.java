package dev.underlay.ipamd.owner;

import dev.underlay.ipamd.journal.Journal;
import dev.underlay.ipamd.journal.JournalRecord;
import dev.underlay.ipamd.journal.JournalState;
import dev.underlay.ipamd.observe.Events;
import dev.underlay.ipamd.observe.Metrics;
import java.io.IOException;
import java.util.List;
import java.util.function.LongSupplier;

/** The journal as the owner's thread uses it: intentions must be written, facts are kept anyway. */
final class Ledger {
    private final Journal journal;
    private final LongSupplier clock;
    private final Metrics metrics;

    Ledger(Journal journal, LongSupplier clock, Metrics metrics) {
        this.journal = journal;
        this.clock = clock;
        this.metrics = metrics;
    }

    /**
     * Writes what is about to be done; it must not be done when this fails.
     *
     * @throws IOException when the file system refuses; nothing changed then
     */
    void intend(List<? extends JournalRecord> records) throws IOException {
        try {
            journal.append(List.copyOf(records), clock.getAsLong());
        } catch (IOException e) {
            refused(e);
            throw e;
        }
    }

    /** Writes what has happened; where the file refuses it is true all the same. */
    void note(List<? extends JournalRecord> records) {
        if (records.isEmpty()) {
            return;
        }
        try {
            journal.append(List.copyOf(records), clock.getAsLong());
        } catch (IOException e) {
            refused(e);
            journal.remember(List.copyOf(records));
        }
    }

    JournalState state() {
        return journal.state();
    }

    long bytes() {
        return journal.bytes();
    }

    private void refused(IOException cause) {
        metrics.fault("journal");
        Events.warn("journal.refused", "error", cause.getMessage());
    }
}
