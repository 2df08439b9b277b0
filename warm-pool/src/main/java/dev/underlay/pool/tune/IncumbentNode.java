package dev.underlay.pool.tune;

import java.util.List;
import java.util.Optional;
import java.util.function.DoubleSupplier;

/**
 * A node with the AWS VPC CNI: one loop that sleeps 2.5 s, does at most one thing to the pool and
 * waits for it, sleeps 2.5 s and reconciles with the metadata (which costs no call). An ADD that
 * finds no address fails at once and wakes nobody.
 *
 * <p>In its favour: metadata shows an interface as soon as the attach is answered, no call fails,
 * and an interface is always detached by the time it is deleted.
 */
final class IncumbentNode implements NodePool {
    private static final long HALF_LOOP_NANOS = 2500 * Timeline.MILLISECOND;

    /** Between detach and delete. */
    private static final long FREE_PAUSE_NANOS = 2 * Timeline.SECOND;

    private static final long SHRINK_EVERY_NANOS = 30 * Timeline.SECOND;

    /** The search for leaked interfaces: its first run within five minutes, then every hour. */
    private static final long LEAK_SEARCH_NANOS = 3600 * Timeline.SECOND;

    private static final long LEAK_SEARCH_DELAY_NANOS = 300 * Timeline.SECOND;

    private final IncumbentModel model;
    private final Timeline time;
    private final Ec2 ec2;
    private final Kubelet kubelet;
    private final DoubleSupplier random;
    private long shrunkAt;

    IncumbentNode(
            IncumbentModel model, Timeline time, Ec2 ec2, Kubelet kubelet, DoubleSupplier random) {
        this.model = model;
        this.time = time;
        this.ec2 = ec2;
        this.kubelet = kubelet;
        this.random = random;
    }

    @Override
    public void boot() {
        // One increase before the loop starts.
        ec2.call("DescribeNetworkInterfaces", () -> grow(this::rest));
        time.after((long) (random.getAsDouble() * LEAK_SEARCH_DELAY_NANOS), this::searchLeaked);
    }

    @Override
    public void add(int pod) {
        if (model.add(pod, time.now(), random)) {
            kubelet.served(pod);
        } else {
            kubelet.failed(pod);
        }
    }

    @Override
    public void del(int pod) {
        model.del(pod, time.now());
    }

    private void searchLeaked() {
        ec2.call("DescribeNetworkInterfaces", () -> {});
        time.after(LEAK_SEARCH_NANOS, this::searchLeaked);
    }

    /** The second half of one round and the first of the next. */
    private void rest() {
        time.after(2 * HALF_LOOP_NANOS, this::adjust);
    }

    private void adjust() {
        if (model.low()) {
            grow(this::freeOne);
        } else if (time.now() - shrunkAt >= SHRINK_EVERY_NANOS) {
            shrunkAt = time.now();
            giveBack(model.shrink(), this::freeOne);
        } else {
            freeOne();
        }
    }

    private void grow(Runnable then) {
        Optional<IncumbentModel.Growth> growth = model.low() ? model.growth() : Optional.empty();
        if (growth.isEmpty()) {
            then.run();
            return;
        }
        switch (growth.get()) {
            case IncumbentModel.Growth.Assign(var eni, var blocks) ->
                    ec2.call(
                            "AssignPrivateIpAddresses",
                            () -> {
                                ec2.holds(blocks * model.blockSize());
                                model.assigned(eni, blocks);
                                then.run();
                            });
            case IncumbentModel.Growth.NewEni(var blocks) -> newEni(blocks, then);
        }
    }

    private void newEni(int blocks, Runnable then) {
        Runnable setUp =
                () -> {
                    model.attached(blocks, time.now());
                    then.run();
                };
        Runnable attach =
                () -> inTurn(List.of("ModifyNetworkInterfaceAttribute", "DescribeSubnets"), setUp);
        Runnable created =
                () -> {
                    ec2.holds(blocks * model.blockSize());
                    ec2.call(
                            "DescribeInstances",
                            () -> ec2.call("AttachNetworkInterface", Ec2.ATTACH_NANOS, attach));
                };
        inTurn(List.of("DescribeSubnets", "CreateNetworkInterface"), created);
    }

    private void giveBack(List<Integer> perEni, Runnable then) {
        if (perEni.isEmpty()) {
            then.run();
            return;
        }
        ec2.call(
                "UnassignPrivateIpAddresses",
                () -> {
                    ec2.holds(-perEni.getFirst());
                    giveBack(perEni.subList(1, perEni.size()), then);
                });
    }

    private void freeOne() {
        Optional<Integer> addresses = model.free(time.now());
        if (addresses.isEmpty()) {
            rest();
            return;
        }
        Runnable delete =
                () ->
                        ec2.call(
                                "DeleteNetworkInterface",
                                () -> {
                                    ec2.holds(-addresses.get());
                                    rest();
                                });
        inTurn(
                List.of("DescribeNetworkInterfaces", "DetachNetworkInterface"),
                () -> time.after(FREE_PAUSE_NANOS, delete));
    }

    private void inTurn(List<String> actions, Runnable then) {
        if (actions.isEmpty()) {
            then.run();
        } else {
            ec2.call(actions.getFirst(), () -> inTurn(actions.subList(1, actions.size()), then));
        }
    }
}
