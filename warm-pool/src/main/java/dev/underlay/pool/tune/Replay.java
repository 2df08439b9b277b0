package dev.underlay.pool.tune;

import dev.underlay.pool.NodeIdentity;
import dev.underlay.pool.PoolSettings;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;

/**
 * Replays a trace under a policy. All nodes come up ten minutes before the trace, get the pods that
 * run already five minutes before it, and share the account's call budget. A pod that has to wait
 * lives as long as it did: its end moves with its start. A kubelet whose ADD failed tries again
 * after 10 to 15 s.
 */
public final class Replay {
    static final long LEAD_NANOS = 600 * Timeline.SECOND;
    private static final long RUNNING_FROM_NANOS = 300 * Timeline.SECOND;
    private static final long RETRY_NANOS = 10 * Timeline.SECOND;
    private static final long RETRY_JITTER_NANOS = 5 * Timeline.SECOND;

    private final Trace trace;
    private final DoubleSupplier random;
    private final Timeline time = new Timeline();
    private final Meter meter = new Meter(LEAD_NANOS);
    private final Ec2 ec2 = new Ec2(time, meter);
    private final Map<Integer, NodePool> nodes = new HashMap<>();
    private final boolean[] served;
    private final NodePool.Kubelet kubelet =
            new NodePool.Kubelet() {
                @Override
                public void served(int pod) {
                    begin(pod);
                }

                @Override
                public void failed(int pod) {
                    retry(pod);
                }
            };

    private Replay(Trace trace, DoubleSupplier random) {
        this.trace = trace;
        this.random = random;
        this.served = new boolean[trace.pods().size()];
    }

    /**
     * Replays against this project's pool, planner and queue.
     *
     * @param random numbers from 0 to below 1, for the kubelets' retries
     */
    public static Outcome underlay(
            Trace trace, NodeIdentity.Limits limits, PoolSettings settings, DoubleSupplier random) {
        Replay replay = new Replay(trace, random);
        return replay.run(
                () -> new UnderlayNode(limits, settings, replay.time, replay.ec2, replay.kubelet));
    }

    /**
     * Replays against the model of the AWS VPC CNI.
     *
     * @param random numbers from 0 to below 1, for the kubelets' retries and for its choice of
     *     addresses, which is by the order of a Go map
     */
    public static Outcome incumbent(
            Trace trace,
            NodeIdentity.Limits limits,
            IncumbentModel.Settings settings,
            DoubleSupplier random) {
        Replay replay = new Replay(trace, random);
        return replay.run(() ->
                new IncumbentNode(
                        new IncumbentModel(limits, settings),
                        replay.time,
                        replay.ec2,
                        replay.kubelet,
                        random));
    }

    private Outcome run(Supplier<NodePool> maker) {
        List<Trace.Pod> pods = trace.pods();
        for (Trace.Pod pod : pods) {
            nodes.computeIfAbsent(pod.node(), _ -> maker.get());
        }
        List<Integer> numbers = new ArrayList<>(nodes.keySet());
        numbers.sort(null);
        numbers.forEach(number -> time.at(0, () -> node(number).boot()));
        time.at(LEAD_NANOS, ec2::startCounting);
        for (int i = 0; i < pods.size(); i++) {
            int pod = i;
            time.at(startNanos(pod), () -> node(pods.get(pod).node()).add(pod));
        }
        long end = LEAD_NANOS + trace.endSeconds() * Timeline.SECOND;
        time.runUntil(end);
        long without = 0;
        for (int pod = 0; pod < served.length; pod++) {
            if (!served[pod] && startNanos(pod) < end) {
                without++;
                meter.waited(end - Math.max(startNanos(pod), LEAD_NANOS));
            }
        }
        return meter.outcome(ec2, without, end);
    }

    private NodePool node(int number) {
        return Objects.requireNonNull(nodes.get(number));
    }

    private long startNanos(int pod) {
        long start = trace.pods().get(pod).startSeconds();
        return start == Trace.RUNNING ? RUNNING_FROM_NANOS : LEAD_NANOS + start * Timeline.SECOND;
    }

    private void begin(int number) {
        Trace.Pod pod = trace.pods().get(number);
        served[number] = true;
        meter.used(1, time.now());
        // One that runs already has as long to go as if it had been served right at the start.
        long counted = Math.max(startNanos(number), LEAD_NANOS);
        long waited = Math.max(0, time.now() - counted);
        meter.waited(waited);
        if (pod.endSeconds().isPresent()) {
            long ends = LEAD_NANOS + pod.endSeconds().getAsLong() * Timeline.SECOND + waited;
            time.at(
                    ends,
                    () -> {
                        meter.used(-1, time.now());
                        node(pod.node()).del(number);
                    });
        }
    }

    private void retry(int number) {
        meter.addFailed(time.now());
        time.after(
                RETRY_NANOS + (long) (random.getAsDouble() * RETRY_JITTER_NANOS),
                () -> node(trace.pods().get(number).node()).add(number));
    }
}
