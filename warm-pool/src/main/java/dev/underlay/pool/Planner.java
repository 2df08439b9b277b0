package dev.underlay.pool;

import java.util.List;
import java.util.OptionalLong;
import java.util.function.Supplier;

/** Decides what to ask the cloud for. */
public final class Planner {
    private Planner() {}

    /**
     * The calls that bring the pool to what the settings and the waiting pods want. It changes
     * nothing: the caller begins each action and makes its call. Call it after every event.
     *
     * @param tokens fresh random tokens, 1 to 64 characters each; one is taken for each interface
     *     to be made
     */
    public static Plan plan(
            Pool pool,
            PoolSettings settings,
            Demand demand,
            long nowNanos,
            Supplier<String> tokens) {
        return new Plan(
                List.of(),
                OptionalLong.empty(),
                new Outlook.Stuck(
                        Outlook.Obstacle.STARTING, "nothing is planned", OptionalLong.empty()));
    }
}
