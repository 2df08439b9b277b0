package dev.underlay.localvpc;

import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * Counts the calls that reached an endpoint, by action and calling instance. Thread-safe. Metadata
 * requests count as the action {@value Faults#METADATA}.
 */
public final class CallLedger {
    /**
     * A counter's key.
     *
     * @param action such as {@code AttachNetworkInterface}
     * @param instanceId who called, {@code -} if the source address belongs to no instance
     * @param outcome {@code ok}, an error code, or a fault's name in lower case
     */
    public record Key(String action, String instanceId, String outcome) implements Comparable<Key> {
        @Override
        public int compareTo(Key other) {
            int byAction = action.compareTo(other.action);
            int byInstance = byAction != 0 ? byAction : instanceId.compareTo(other.instanceId);
            return byInstance != 0 ? byInstance : outcome.compareTo(other.outcome);
        }
    }

    private final Map<Key, Long> counts = new TreeMap<>();

    /** Counts one call. */
    public synchronized void count(String action, String instanceId, String outcome) {
        counts.merge(new Key(action, instanceId, outcome), 1L, Long::sum);
    }

    /** A copy of all counters. */
    public synchronized Map<Key, Long> counts() {
        return new TreeMap<>(counts);
    }

    /** Calls of the action by anyone, whatever came of them. */
    public long calls(String action) {
        return sum(key -> key.action().equals(action));
    }

    /** Calls of the action by one instance, whatever came of them. */
    public long calls(String action, String instanceId) {
        return sum(key -> key.action().equals(action) && key.instanceId().equals(instanceId));
    }

    private synchronized long sum(Predicate<Key> which) {
        return counts.entrySet().stream()
                .filter(entry -> which.test(entry.getKey()))
                .mapToLong(Map.Entry::getValue)
                .sum();
    }
}
