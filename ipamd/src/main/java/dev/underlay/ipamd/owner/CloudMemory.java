package dev.underlay.ipamd.owner;

import dev.underlay.ipamd.journal.JournalRecord;
import dev.underlay.ipamd.journal.JournalRecord.Began;
import dev.underlay.ipamd.journal.JournalRecord.InterfaceGone;
import dev.underlay.ipamd.journal.JournalRecord.InterfaceKnown;
import dev.underlay.ipamd.journal.JournalRecord.Settled;
import dev.underlay.ipamd.journal.JournalState;
import dev.underlay.pool.CloudAction;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.InterfaceView;
import dev.underlay.pool.Pool;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** What the pool knows of the cloud and the journal does not know yet. */
record CloudMemory(Pool pool, Ledger ledger) {
    List<JournalRecord> news() {
        List<JournalRecord> news = new ArrayList<>();
        interfaces(ledger.state(), news);
        calls(ledger.state(), news);
        return news;
    }

    private void interfaces(JournalState journal, List<JournalRecord> news) {
        Map<String, CloudInterface> journalled = new HashMap<>();
        journal.interfaces().forEach(one -> journalled.put(one.id(), one));
        for (InterfaceView view : pool.interfaces()) {
            Optional<CloudInterface> now = view.cloud().map(one -> withBlocks(one, view));
            CloudInterface before = journalled.remove(view.id());
            now.filter(one -> !one.equals(before))
                    .ifPresent(one -> news.add(new InterfaceKnown(one)));
        }
        new TreeSet<>(journalled.keySet()).forEach(id -> news.add(new InterfaceGone(id)));
    }

    private void calls(JournalState journal, List<JournalRecord> news) {
        Set<CloudAction> now = new LinkedHashSet<>(pool.unfinished());
        for (CloudAction before : journal.unfinished()) {
            if (!now.remove(before)) {
                news.add(new Settled(before));
            }
        }
        now.forEach(action -> news.add(new Began(action)));
    }

    private static CloudInterface withBlocks(CloudInterface one, InterfaceView view) {
        return new CloudInterface(
                one.id(),
                one.token(),
                one.mac(),
                one.subnetId(),
                one.subnet(),
                one.primaryAddress(),
                one.primary(),
                one.attachment(),
                List.copyOf(InterfaceKeeper.blocksOf(view)),
                one.managed());
    }
}
