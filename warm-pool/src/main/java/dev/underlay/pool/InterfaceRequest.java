package dev.underlay.pool;

/**
 * The interface that the planner wants made.
 *
 * @param token identifies this wish across retries and restarts of the daemon; 1 to 64 characters
 * @param kind what blocks it shall hold from the start
 * @param blocks how many of them, 0 or more, the primary address not counted
 */
public record InterfaceRequest(String token, BlockKind kind, int blocks) {
    /** Refuses an empty token and a negative count. */
    public InterfaceRequest {
        if (token.isEmpty() || token.length() > 64 || blocks < 0) {
            throw new IllegalArgumentException("token " + token + ", blocks " + blocks);
        }
    }
}
