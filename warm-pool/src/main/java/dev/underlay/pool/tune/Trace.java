package dev.underlay.pool.tune;

import java.util.List;
import java.util.OptionalLong;

/**
 * Pods that came and went on a cluster's nodes.
 *
 * @param pods one for each address that was needed, in any order
 * @param nodes how many nodes had pods, by their numbers
 * @param endSeconds when the trace ends; it starts at 0
 */
public record Trace(List<Pod> pods, int nodes, long endSeconds) {
    /** The {@link Pod#startSeconds()} of a pod that runs when the trace starts. */
    public static final long RUNNING = -1;

    /**
     * One pod.
     *
     * @param node the node's number, from 0
     * @param startSeconds when it was put on the node, or {@link #RUNNING}
     * @param endSeconds when it was deleted; absent: not within the trace
     */
    public record Pod(int node, long startSeconds, OptionalLong endSeconds) {}

    /** Keeps its own copy of the pods. */
    public Trace {
        pods = List.copyOf(pods);
    }
}
