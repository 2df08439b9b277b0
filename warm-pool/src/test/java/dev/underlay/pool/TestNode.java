package dev.underlay.pool;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** A node whose cloud answers at once and whose links appear at once. */
final class TestNode {
    /** Far more plans than any settling needs: more is an endless loop. */
    private static final int MOST_PLANS = 1000;

    final Pool pool = new Pool();
    final SimulatedCloud cloud;

    Cordon cordon = Cordon.OPEN;

    private PoolSettings settings;
    private final WaitQueue<AttachmentKey> queue = new WaitQueue<>(100);
    private final List<AttachmentKey> pods = new ArrayList<>();
    private Outlook outlook = new Outlook.Ready(0);
    private int tokens;
    private int podsEver;
    private long nowNanos = 1_000_000_000_000L;

    TestNode(NodeIdentity.Limits limits, PoolSettings settings) {
        this.cloud = new SimulatedCloud(limits);
        this.settings = settings;
        pool.setLimits(limits);
        pool.setFamilies(settings.families());
        settle();
    }

    static PoolSettings settings(Map<String, String> environment) {
        return switch (PoolSettings.fromEnvironment(environment)) {
            case PoolSettings.Parsed.Good(var good) -> good;
            case PoolSettings.Parsed.Bad(var errors) -> throw new AssertionError(errors);
        };
    }

    /** Starts or ends pods, one after another, until so many run or wait. */
    void pods(int count) {
        while (pods.size() < count) {
            AttachmentKey pod = new AttachmentKey("underlay", "pod-" + podsEver++, "eth0");
            pods.add(pod);
            queue.offer(pod, pod, Long.MAX_VALUE);
            settle();
        }
        while (pods.size() > count) {
            release(pods.size() - 1);
        }
    }

    void change(PoolSettings to) {
        settings = to;
        settle();
    }

    void release(int index) {
        pool.release(pods.remove(index), nowNanos, settings.cooldownNanos());
        settle();
    }

    /** Lets time pass, waking when the plan says so. */
    void pass(long nanos) {
        long end = nowNanos + nanos;
        for (int i = 0; i < MOST_PLANS; i++) {
            long wake = settle();
            if (wake > end) {
                nowNanos = end;
                return;
            }
            nowNanos = wake;
        }
        throw new AssertionError("wakes too often");
    }

    int waiting() {
        return queue.size();
    }

    Outlook outlook() {
        return outlook;
    }

    Counts counts() {
        return pool.counts(nowNanos);
    }

    String shape() {
        Counts counts = counts();
        List<InterfaceView> all = pool.interfaces();
        return "%d interfaces, %d addresses, %d free %s"
                .formatted(
                        all.size(),
                        counts.total(),
                        counts.free() + counts.cooling(),
                        all.stream()
                                .map(one -> "" + one.blocks().size())
                                .collect(Collectors.joining(", ", "[", "]")));
    }

    /** Serves, plans and acts until nothing is left to do; answers when to wake. */
    private long settle() {
        for (int i = 0; i < MOST_PLANS; i++) {
            pool.forgotten(pool.cooled(nowNanos), nowNanos);
            serve();
            Plan plan =
                    Planner.plan(
                            pool,
                            settings,
                            new Demand(queue.size(), cordon),
                            nowNanos,
                            () -> "token-" + tokens++);
            if (plan.actions().isEmpty()) {
                outlook = plan.outlook();
                return plan.wakeAtNanos().orElse(Long.MAX_VALUE);
            }
            plan.actions().forEach(action -> pool.begin(action, nowNanos));
            plan.actions().forEach(action -> pool.end(action, action.call(cloud), nowNanos));
            cloud.all().forEach(one -> pool.linkReady(one.id()));
        }
        throw new AssertionError("never settles");
    }

    private void serve() {
        while (queue.size() > 0 && pool.counts(nowNanos).free() > 0) {
            AttachmentKey pod = queue.poll().orElseThrow();
            if (!(pool.lease(pod, nowNanos) instanceof LeaseAnswer.Leased)) {
                throw new AssertionError("free is counted, none is leased to " + pod);
            }
        }
    }
}
