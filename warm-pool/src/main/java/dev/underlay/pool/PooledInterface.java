package dev.underlay.pool;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** An interface that the pool may take addresses from. */
final class PooledInterface {
    /** Its last change was not by an answer to a call of ours. */
    static final long NOT_OURS = Long.MIN_VALUE / 2;

    final String id;
    final long knownSinceNanos;
    InterfaceLife life;
    Standing standing;

    /** When the cloud last answered a call of ours that changed {@link #life}. */
    long changedAtNanos = NOT_OURS;

    /** Since when it is attached or has lost its link, whatever came last. */
    long withoutLinkSinceNanos;

    /** Whether the cloud was asked to detach it and did not say whether it will: it must go. */
    boolean mayLeave;

    private @Nullable CloudInterface cloud;

    PooledInterface(String id, InterfaceLife life, Standing standing, long nowNanos) {
        this.id = id;
        this.life = life;
        this.standing = standing;
        this.knownSinceNanos = nowNanos;
        this.withoutLinkSinceNanos = nowNanos;
    }

    Optional<CloudInterface> cloud() {
        return Optional.ofNullable(cloud);
    }

    void describe(CloudInterface described) {
        cloud = described;
    }

    boolean primary() {
        return cloud != null && cloud.primary();
    }

    Optional<String> subnetId() {
        return cloud().map(CloudInterface::subnetId);
    }

    void move(InterfaceLife to, long nowNanos) {
        if (to == InterfaceLife.ATTACHED && life != InterfaceLife.ATTACHED) {
            withoutLinkSinceNanos = nowNanos;
        }
        life = to;
    }
}
