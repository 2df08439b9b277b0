package dev.underlay.ipamd.simulation;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.PriorityQueue;
import java.util.SplittableRandom;

/** Virtual time and what is to happen in it, drawn from one seed. */
final class Schedule {
    static final long MILLI = 1_000_000L;
    static final long SECOND = 1_000 * MILLI;
    static final long MINUTE = 60 * SECOND;

    private record Event(long atNanos, long order, String name, Runnable what) {}

    final SplittableRandom random;

    /** How much of the history is kept. */
    int linesKept = 80;

    private final PriorityQueue<Event> events =
            new PriorityQueue<>((a, b) ->
                    a.atNanos != b.atNanos
                            ? Long.compare(a.atNanos, b.atNanos)
                            : Long.compare(a.order, b.order));
    private final Deque<String> lines = new ArrayDeque<>();
    private long nowNanos = 1_000 * SECOND;
    private long order;

    Schedule(long seed) {
        random = new SplittableRandom(seed);
    }

    long nowNanos() {
        return nowNanos;
    }

    void in(long nanos, String name, Runnable what) {
        events.add(new Event(nowNanos + nanos, order++, name, what));
    }

    /** At some moment within so many nanoseconds. */
    void within(long mostNanos, String name, Runnable what) {
        in(between(0, mostNanos), name, what);
    }

    /** Lets the next thing happen if there is one until then; else only time passes. */
    boolean next(long untilNanos) {
        Event first = events.peek();
        if (first == null || first.atNanos > untilNanos) {
            nowNanos = Math.max(nowNanos, untilNanos);
            return false;
        }
        events.remove();
        nowNanos = first.atNanos;
        note(first.name);
        first.what.run();
        return true;
    }

    long between(long least, long most) {
        return random.nextLong(least, most + 1);
    }

    boolean oneIn(int n) {
        return random.nextInt(n) == 0;
    }

    void note(String line) {
        lines.addLast(nowNanos / MILLI + " ms  " + line);
        if (lines.size() > linesKept) {
            lines.removeFirst();
        }
    }

    /** The last things that happened. */
    String history() {
        return String.join("\n", lines);
    }
}
