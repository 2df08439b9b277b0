package dev.underlay.pool;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SequencedMap;

/**
 * The pods that wait for an address, first come, first served, each with a deadline. A waiting pod
 * holds nothing: its place is all it has, so that leaving the queue leaves nothing behind.
 *
 * <p>The thread that owns the pool owns the queue. When an address comes free: {@link #poll}, then
 * lease for the entry.
 *
 * @param <T> what the caller keeps for a waiting pod
 */
public final class WaitQueue<T> {
    private record Waiting<T>(T entry, long deadlineNanos) {}

    private final int capacity;
    private final SequencedMap<AttachmentKey, Waiting<T>> waiting = new LinkedHashMap<>();

    /** A queue that takes at most {@code capacity} pods, 1 or more. */
    public WaitQueue(int capacity) {
        if (capacity < 1) {
            throw new IllegalArgumentException("capacity " + capacity);
        }
        this.capacity = capacity;
    }

    /**
     * Queues a pod behind all others; one that is queued already keeps its place and is replaced.
     *
     * @return false when the queue is full
     */
    public boolean offer(AttachmentKey owner, T entry, long deadlineNanos) {
        if (waiting.size() >= capacity && !waiting.containsKey(owner)) {
            return false;
        }
        waiting.put(owner, new Waiting<>(entry, deadlineNanos));
        return true;
    }

    /** Takes the pod that has waited longest. */
    public Optional<T> poll() {
        return Optional.ofNullable(waiting.pollFirstEntry()).map(first -> first.getValue().entry());
    }

    /** Takes a pod out that does not wait any more. */
    public Optional<T> cancel(AttachmentKey owner) {
        return Optional.ofNullable(waiting.remove(owner)).map(Waiting::entry);
    }

    /** Takes out all whose deadline is at or before now, in the order in which they came. */
    public List<T> expire(long nowNanos) {
        List<T> expired = new ArrayList<>();
        waiting.values()
                .removeIf(one -> {
                    boolean late = one.deadlineNanos() <= nowNanos;
                    if (late) {
                        expired.add(one.entry());
                    }
                    return late;
                });
        return List.copyOf(expired);
    }

    /** The earliest deadline. */
    public OptionalLong nextDeadlineNanos() {
        return waiting.values().stream().mapToLong(Waiting::deadlineNanos).min();
    }

    /** How many wait. */
    public int size() {
        return waiting.size();
    }
}
