package dev.underlay.localvpc.state;

import dev.underlay.localvpc.Dials;
import dev.underlay.localvpc.Lag;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/** State changes that will happen later. Belongs to the VPC's lock. */
final class Agenda {
    private record Entry(Instant due, long sequence, Lag edge, Runnable change) {}

    private final PriorityQueue<Entry> entries =
            new PriorityQueue<>(
                    Comparator.comparing(Entry::due).thenComparingLong(Entry::sequence));
    private final Dials dials;
    private long sequence;

    Agenda(Dials dials) {
        this.dials = dials;
    }

    /** The change happens once the edge's lag has passed and the edge is not pinned. */
    void add(Instant now, Lag edge, Runnable change) {
        entries.add(new Entry(now.plus(dials.lag(edge)), sequence++, edge, change));
    }

    /** Takes the changes that are due, oldest first. They may add others. */
    List<Runnable> takeDue(Instant now) {
        List<Runnable> due = new ArrayList<>();
        List<Entry> held = new ArrayList<>();
        for (Entry e = entries.peek(); e != null && !e.due.isAfter(now); e = entries.peek()) {
            entries.remove();
            if (dials.isPinned(e.edge)) {
                held.add(e);
            } else {
                due.add(e.change);
            }
        }
        entries.addAll(held);
        return due;
    }

    /** When to look again; null if nothing waits for time to pass. */
    @Nullable Instant nextDue() {
        return entries.stream()
                .filter(entry -> !dials.isPinned(entry.edge))
                .map(Entry::due)
                .min(Comparator.naturalOrder())
                .orElse(null);
    }
}
