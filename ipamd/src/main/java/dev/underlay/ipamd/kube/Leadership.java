package dev.underlay.ipamd.kube;

import dev.underlay.ipamd.observe.Events;
import dev.underlay.ipamd.observe.GuardedLoop;
import dev.underlay.ipamd.observe.Metrics;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderElectionConfigBuilder;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderElector;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.LeaseLock;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/** Whether this daemon is the one of its cluster that does what is needed once, by a Lease. */
public final class Leadership implements AutoCloseable {
    /** The Lease's name. */
    static final String LEASE = "underlay-cleaner";

    /**
     * The Lease's times.
     *
     * @param lease how long a leader leads without renewing
     * @param renew how long it tries to; shorter
     * @param retry between two tries of anybody; shorter still
     */
    record Times(Duration lease, Duration renew, Duration retry) {
        /**
         * What waits for a leader has waited for minutes: a cluster of 5,000 nodes reads the Lease
         * 17 times a second.
         */
        static final Times PRODUCTION =
                new Times(Duration.ofMinutes(15), Duration.ofMinutes(10), Duration.ofMinutes(5));
    }

    private final KubernetesClient client;
    private final KubeSettings settings;
    private final Times times;
    private volatile boolean leading;
    private final Metrics metrics;
    private @Nullable GuardedLoop terms;

    Leadership(KubernetesClient client, KubeSettings settings, Times times, Metrics metrics) {
        this.metrics = metrics;
        this.client = client;
        this.settings = settings;
        this.times = times;
    }

    void start() {
        terms =
                GuardedLoop.start(
                        Thread.ofVirtual(), "leadership", times.retry(), metrics, this::term);
    }

    private void term() throws InterruptedException {
        CompletableFuture<?> term = elector().start();
        try {
            term.get(); // until the Lease is lost
        } catch (ExecutionException | CancellationException e) {
            Events.debug("leader.term-ended", "error", e.getMessage());
        } finally {
            term.cancel(true);
            leading = false;
        }
    }

    private LeaderElector elector() {
        return client.leaderElector()
                .withConfig(
                        new LeaderElectionConfigBuilder()
                                .withName(LEASE)
                                .withLock(
                                        new LeaseLock(
                                                settings.namespace(), LEASE, settings.nodeName()))
                                .withLeaseDuration(times.lease())
                                .withRenewDeadline(times.renew())
                                .withRetryPeriod(times.retry())
                                .withReleaseOnCancel(true)
                                .withLeaderCallbacks(
                                        new LeaderCallbacks(
                                                this::began, this::ended, Leadership::isNow))
                                .build())
                .build();
    }

    private void began() {
        leading = true;
        Events.info("leader.began", "lease", settings.namespace() + "/" + LEASE);
    }

    private void ended() {
        leading = false;
        Events.info("leader.ended", "lease", settings.namespace() + "/" + LEASE);
    }

    private static void isNow(String node) {
        Events.debug("leader.is", "node", node);
    }

    /** Whether this daemon leads at this moment. */
    public boolean leading() {
        return leading;
    }

    /** Gives the Lease up, so that another one need not wait for its end. */
    @Override
    public void close() {
        if (terms != null) {
            terms.close();
        }
    }
}
