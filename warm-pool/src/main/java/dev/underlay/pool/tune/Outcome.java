package dev.underlay.pool.tune;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What a trace cost under one policy. All counts are of the trace's own time; what it takes to get
 * the nodes ready before is not in them.
 *
 * @param meanIdle addresses that the nodes hold for pods and no pod uses, cooling ones too: the
 *     mean over time, summed over the nodes
 * @param meanHeld all addresses held for pods, likewise
 * @param podSecondsWaited between being put on a node and having an address, summed over the pods;
 *     of one that has none at the end until then
 * @param podsWaited how many waited at all
 * @param longestWaitSeconds the longest wait of one pod
 * @param podsWithoutAddress how many had none at the end
 * @param failedAdds how many CNI ADDs ended with an error
 * @param calls calls to EC2 by action
 * @param changes the calls that change something, against their bucket
 * @param reads the calls that describe, against theirs
 */
public record Outcome(
        double meanIdle,
        double meanHeld,
        double podSecondsWaited,
        long podsWaited,
        double longestWaitSeconds,
        long podsWithoutAddress,
        long failedAdds,
        SortedMap<String, Long> calls,
        Rate changes,
        Rate reads) {
    /**
     * Calls of one kind, all nodes together.
     *
     * @param calls how many
     * @param mostInOneSecond the most within any second
     * @param mostTokensUsed the most that were missing from the full bucket at once; above {@code
     *     burst} calls had to wait
     * @param burst what the full bucket holds
     * @param throttled how many found it empty
     */
    public record Rate(
            long calls, int mostInOneSecond, int mostTokensUsed, int burst, long throttled) {}

    /** Keeps its own copy of the calls. */
    public Outcome {
        calls = Collections.unmodifiableSortedMap(new TreeMap<>(calls));
    }

    /** How many calls in all. */
    public long allCalls() {
        return changes.calls() + reads.calls();
    }
}
