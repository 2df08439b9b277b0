package dev.underlay.pool;

import java.util.List;
import java.util.OptionalLong;

/**
 * What to do now and when to ask again.
 *
 * @param actions the calls to start now, all at once; may be empty
 * @param wakeAtNanos the next instant at which time alone changes the answer; every event in
 *     between asks for a new plan anyway
 * @param outlook what a pod that asks now can expect, once the actions are begun
 */
public record Plan(List<CloudAction> actions, OptionalLong wakeAtNanos, Outlook outlook) {
    /** Keeps its own copy of the actions. */
    public Plan {
        actions = List.copyOf(actions);
    }
}
