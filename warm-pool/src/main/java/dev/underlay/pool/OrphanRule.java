package dev.underlay.pool;

import dev.underlay.pool.UnattachedInterface.Made;
import java.time.Duration;
import java.time.Instant;

/** What to do with an interface that is attached to nothing. */
public enum OrphanRule {
    /** It is young, its age cannot be read, or its own node sees to it. */
    KEEP,
    /** Nobody wrote when it was made: that is written now, and the next look decides. */
    DATE,
    /** It is old enough that no node can be about to attach it. */
    DELETE;

    /**
     * Between making an interface and attaching it lie seconds; the AWS VPC CNI (v1.23.1, its
     * hourly job) waits as long.
     */
    public static final Duration SAFETY_AGE = Duration.ofMinutes(5);

    /**
     * The rule for one interface. An unreadable date is not taken for an old one.
     *
     * @param ownInstanceId the instance that asks, whose planner owns its interfaces
     */
    public static OrphanRule of(UnattachedInterface one, String ownInstanceId, Instant now) {
        if (one.instanceId().equals(ownInstanceId)) {
            return KEEP;
        }
        return switch (one.made()) {
            case Made.At(var instant) -> instant.plus(SAFETY_AGE).isBefore(now) ? DELETE : KEEP;
            case Made.Untold _ -> DATE;
            case Made.Unreadable _ -> KEEP;
        };
    }
}
