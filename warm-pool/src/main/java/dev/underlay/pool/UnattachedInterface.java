package dev.underlay.pool;

import java.time.Instant;

/**
 * An interface that was made for a node and is attached to nothing.
 *
 * @param instanceId the instance it was made for
 */
public record UnattachedInterface(String id, String instanceId, Made made) {
    /** When it was made, as its tag says. */
    public sealed interface Made {
        /** The tag is readable. */
        record At(Instant instant) implements Made {}

        /** There is no tag. */
        record Untold() implements Made {}

        /** There is a tag that is no instant. */
        record Unreadable(String text) implements Made {}
    }
}
