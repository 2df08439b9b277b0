package dev.underlay.pool.tune;

import dev.underlay.pool.AttachmentKey;
import dev.underlay.pool.CloudAction;
import dev.underlay.pool.CloudAnswer;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.Demand;
import dev.underlay.pool.LeaseAnswer;
import dev.underlay.pool.NodeIdentity;
import dev.underlay.pool.Plan;
import dev.underlay.pool.Planner;
import dev.underlay.pool.Pool;
import dev.underlay.pool.PoolSettings;
import dev.underlay.pool.WaitQueue;

/** A node with the pool, the planner and the queue of production, driven as the daemon does. */
final class UnderlayNode implements NodePool {
    /** As the daemon: how long an ADD waits, and how many may. */
    private static final long WAIT_NANOS = 60 * Timeline.SECOND;

    private static final int MOST_WAITING = 256;

    private final PoolSettings settings;
    private final Timeline time;
    private final Kubelet kubelet;
    private final NodeCloud cloud;
    private final Pool pool = new Pool();
    private final WaitQueue<Integer> queue = new WaitQueue<>(MOST_WAITING);
    private long wakeAt = Long.MAX_VALUE;
    private int tokens;

    UnderlayNode(
            NodeIdentity.Limits limits,
            PoolSettings settings,
            Timeline time,
            Ec2 ec2,
            Kubelet kubelet) {
        this.settings = settings;
        this.time = time;
        this.kubelet = kubelet;
        this.cloud = new NodeCloud(limits, time, ec2);
        pool.setLimits(limits);
        pool.setFamilies(settings.families());
    }

    @Override
    public void boot() {
        pool.linkReady(cloud.boot().id());
        settle();
    }

    @Override
    public void add(int pod) {
        if (!queue.offer(key(pod), pod, time.now() + WAIT_NANOS)) {
            kubelet.failed(pod);
        }
        settle();
    }

    @Override
    public void del(int pod) {
        pool.release(key(pod), time.now(), settings.cooldownNanos());
        settle();
    }

    private static AttachmentKey key(int pod) {
        return new AttachmentKey("underlay", "pod-" + pod, "eth0");
    }

    private void settle() {
        pool.forgotten(pool.cooled(time.now()), time.now()); // the node has no flows
        while (queue.size() > 0 && pool.counts(time.now()).free() > 0) {
            int pod = queue.poll().orElseThrow();
            if (!(pool.lease(key(pod), time.now()) instanceof LeaseAnswer.Leased)) {
                throw new IllegalStateException("a free address is counted, none is leased");
            }
            kubelet.served(pod);
        }
        queue.expire(time.now()).forEach(kubelet::failed);
        Plan plan =
                Planner.plan(
                        pool,
                        settings,
                        new Demand(queue.size()),
                        time.now(),
                        () -> "token-" + tokens++);
        for (CloudAction action : plan.actions()) {
            pool.begin(action, time.now());
            cloud.call(action, answer -> answered(action, answer));
        }
        plan.wakeAtNanos().ifPresent(this::wakeAt);
        queue.nextDeadlineNanos().ifPresent(this::wakeAt);
    }

    private void answered(CloudAction action, CloudAnswer<?> answer) {
        if (answer instanceof CloudAnswer.Done<?>(var value)) {
            if (action instanceof CloudAction.AttachInterface
                    && value instanceof CloudInterface attached) {
                pool.linkReady(attached.id());
            } else if (action instanceof CloudAction.DetachInterface(var id)) {
                pool.linkGone(id, time.now());
            }
        }
        pool.end(action, answer, time.now());
        settle();
    }

    private void wakeAt(long atNanos) {
        if (atNanos < wakeAt) {
            wakeAt = atNanos;
            time.at(
                    atNanos,
                    () -> {
                        if (wakeAt == time.now()) {
                            wakeAt = Long.MAX_VALUE;
                            settle();
                        }
                    });
        }
    }
}
