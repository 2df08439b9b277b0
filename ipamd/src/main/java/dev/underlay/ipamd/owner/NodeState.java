package dev.underlay.ipamd.owner;

import dev.underlay.cni.protocol.CniError;
import dev.underlay.pool.Outlook;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Whether the node can serve, as of the last event.
 *
 * @param reconciled whether the cloud has described the interfaces since this process began
 * @param outlook what an ADD that comes now can expect
 * @param problems broken parts of the data plane, one sentence each
 */
public record NodeState(boolean reconciled, Outlook outlook, List<String> problems) {
    /** Before the first event. */
    public static final NodeState STARTING =
            new NodeState(
                    false,
                    new Outlook.Stuck(
                            Outlook.Obstacle.STARTING, "ipamd starts", OptionalLong.empty()),
                    List.of());

    /**
     * A pause of a cloud that has worked before, which ends within an ADD's patience, is no reason
     * to say "not ready".
     */
    private static final long BEARABLE_PAUSE_NANOS = 30_000_000_000L;

    /** Keeps its own copy. */
    public NodeState {
        problems = List.copyOf(problems);
    }

    /**
     * The CNI STATUS error, or nothing when an ADD that starts now can succeed. A node that is full
     * by its own limits is well: a runtime that reports it as not ready would have its pods
     * evicted.
     */
    public Optional<CniError> refusal(long nowNanos) {
        if (!problems.isEmpty()) {
            return Optional.of(
                    CniError.limitedConnectivity(
                            "part of the node's pod network is broken: " + problems.getFirst(),
                            String.join("; ", problems)));
        }
        return switch (outlook) {
            case Outlook.Ready _, Outlook.Coming _ -> Optional.empty();
            case Outlook.Stuck stuck -> refusal(stuck, nowNanos);
        };
    }

    private Optional<CniError> refusal(Outlook.Stuck stuck, long nowNanos) {
        boolean well =
                switch (stuck.obstacle()) {
                    case INTERFACE_LIMIT, POD_LIMIT -> true;
                    case THROTTLING, CLOUD ->
                            reconciled
                                    && stuck.retryAtNanos().isPresent()
                                    && stuck.retryAtNanos().getAsLong() - nowNanos
                                            <= BEARABLE_PAUSE_NANOS;
                    case STARTING, SUBNET_FULL, QUOTA, PERMISSION, CONFIGURATION -> false;
                };
        return well
                ? Optional.empty()
                : Optional.of(CniError.notAvailable("no pod address can be had", stuck.message()));
    }
}
