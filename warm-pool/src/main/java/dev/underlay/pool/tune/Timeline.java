package dev.underlay.pool.tune;

import java.util.Comparator;
import java.util.PriorityQueue;

/** Virtual time: what is to happen, in order of time and then of asking. */
final class Timeline {
    static final long MILLISECOND = 1_000_000L;
    static final long SECOND = 1000 * MILLISECOND;

    private record Event(long atNanos, long order, Runnable what) {}

    private final PriorityQueue<Event> events =
            new PriorityQueue<>(
                    Comparator.comparingLong(Event::atNanos).thenComparingLong(Event::order));
    private long now;
    private long order;

    long now() {
        return now;
    }

    void at(long atNanos, Runnable what) {
        events.add(new Event(Math.max(atNanos, now), order++, what));
    }

    void after(long nanos, Runnable what) {
        at(now + nanos, what);
    }

    /** Lets everything happen that comes before the end; then it is that time. */
    void runUntil(long endNanos) {
        while (!events.isEmpty() && events.peek().atNanos < endNanos) {
            Event next = events.poll();
            now = next.atNanos;
            next.what.run();
        }
        now = endNanos;
    }
}
