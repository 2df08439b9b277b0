package dev.underlay.ipamd;

import dev.underlay.ipamd.observe.Events;
import dev.underlay.ipamd.observe.GuardedLoop;
import dev.underlay.ipamd.observe.Metrics;
import dev.underlay.pool.CloudAnswer;
import dev.underlay.pool.ClusterInterfaces;
import dev.underlay.pool.OrphanRule;
import dev.underlay.pool.UnattachedInterface;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;

/**
 * Removes what ended nodes left in the cloud. One daemon of a cluster does it; every other one
 * cleans up after itself alone, by its planner.
 */
final class OrphanSweeper {
    /** One call each time, and what is left costs an address of the subnet at most. */
    private static final Duration PERIOD = Duration.ofMinutes(10);

    private final ClusterInterfaces cloud;
    private final String ownInstanceId;
    private final InstantSource clock;
    private Set<String> freeBefore = Set.of();

    OrphanSweeper(ClusterInterfaces cloud, String ownInstanceId, InstantSource clock) {
        this.cloud = cloud;
        this.ownInstanceId = ownInstanceId;
        this.clock = clock;
    }

    /** Sweeps every so often while {@code leading} says so. */
    GuardedLoop start(BooleanSupplier leading, Metrics metrics) {
        return GuardedLoop.start(
                Thread.ofVirtual(), "orphans", PERIOD, metrics, () -> sweep(leading));
    }

    /** Looks once; who loses the lead in the middle stops there. */
    void sweep(BooleanSupplier leading) {
        if (!leading.getAsBoolean()) {
            freeBefore = Set.of();
            return;
        }
        switch (cloud.unattached()) {
            case CloudAnswer.Done<List<UnattachedInterface>>(var all) -> {
                for (UnattachedInterface one : all) {
                    if (leading.getAsBoolean()) {
                        see(one);
                    }
                }
                freeBefore =
                        all.stream()
                                .map(UnattachedInterface::id)
                                .collect(Collectors.toUnmodifiableSet());
            }
            case CloudAnswer.Refused<List<UnattachedInterface>>(_, var message) -> warn(message);
        }
    }

    private void see(UnattachedInterface one) {
        CloudAnswer<String> answer =
                switch (OrphanRule.of(one, ownInstanceId, clock.instant())) {
                    case KEEP -> {
                        if (one.made() instanceof UnattachedInterface.Made.Unreadable(var text)) {
                            warn(
                                    one.id()
                                            + " is kept: its tag says it was made \""
                                            + text
                                            + "\"; correct the tag or delete the interface");
                        }
                        yield new CloudAnswer.Done<>(one.id());
                    }
                    case DATE -> cloud.dateInterface(one.id(), clock.instant());
                    // One that was just pulled off a living node is given the time to come back.
                    case DELETE ->
                            freeBefore.contains(one.id())
                                    ? delete(one)
                                    : new CloudAnswer.Done<>(one.id());
                };
        if (answer instanceof CloudAnswer.Refused<String>(_, var message)) {
            warn(message);
        }
    }

    private CloudAnswer<String> delete(UnattachedInterface one) {
        CloudAnswer<String> answer = cloud.deleteUnattached(one.id());
        if (answer instanceof CloudAnswer.Done<String>) {
            Events.info("orphan.deleted", "eni", one.id(), "instance", one.instanceId());
        }
        return answer;
    }

    private static void warn(String message) {
        Events.warn("orphan.remains", "error", message);
    }
}
