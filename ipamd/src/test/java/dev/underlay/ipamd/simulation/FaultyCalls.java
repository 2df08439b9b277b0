package dev.underlay.ipamd.simulation;

import dev.underlay.ipamd.owner.CloudCalls;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudAction;
import dev.underlay.pool.CloudAnswer;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.Refusal;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * The way of one daemon's calls to the cloud and back. It keeps the port's promise, that a call
 * which takes something and is refused was not carried out, and breaks what the port leaves open.
 * One thing no daemon could bear and this cloud does not do: to carry out a call that takes a block
 * back after that block was taken back by another call and granted once more. EC2 promises no such
 * order in words; assumed is that it does not hand an address out again while a call that it has
 * accepted would still take it away, and that a call that it has not accepted some seconds after
 * its caller gave up is never carried out.
 */
final class FaultyCalls implements CloudCalls {
    /** Refusals that leave nothing done, whatever the call. */
    private static final List<Refusal> WRONG =
            List.of(
                    Refusal.UNAVAILABLE,
                    Refusal.BUSY,
                    Refusal.NOT_PERMITTED,
                    Refusal.MISCONFIGURED,
                    Refusal.QUOTA_EXCEEDED,
                    Refusal.GONE,
                    Refusal.INTERFACE_FULL,
                    Refusal.ATTACHMENT_LIMIT);

    /** Calls in a minute of one life of the daemon, looks included; the most seen is 40. */
    private static final int CALLS_PER_MINUTE = 60;

    private final Simulation world;
    private final Daemon daemon;
    private final Set<CloudAction> inFlight = new HashSet<>();
    private final Map<Cidr, Integer> meant = new HashMap<>();
    private final Deque<Long> lastMinute = new ArrayDeque<>();

    FaultyCalls(Simulation world, Daemon daemon) {
        this.world = world;
        this.daemon = daemon;
    }

    @Override
    public void start(CloudAction action, Consumer<CloudAnswer<?>> answer) {
        if (!daemon.effect()) {
            return;
        }
        world.schedule.note("  call " + action);
        if (action instanceof CloudAction.UnassignBlocks(_, var blocks)) {
            blocks.forEach(block -> meant.put(block, world.cloud.grants(block)));
        }
        world.tally.calls++;
        bound(action);
        inFlight.add(action);
        switch (action) {
            case CloudAction.UnassignBlocks _,
                    CloudAction.DetachInterface _,
                    CloudAction.DeleteInterface _ ->
                    world.taking();
            case CloudAction.AssignBlocks _,
                    CloudAction.AttachInterface _,
                    CloudAction.CreateInterface _,
                    CloudAction.Describe _ -> {}
        }
        boolean[] answered = {false};
        travel(
                action,
                reply -> {
                    if (daemon.dead()) {
                        return;
                    }
                    if (!answered[0]) {
                        inFlight.remove(action);
                        answered[0] = true;
                    }
                    answer.accept(reply);
                    daemon.turn();
                });
    }

    private void bound(CloudAction action) {
        Optional<String> about = interfaceOf(action);
        long same =
                inFlight.stream()
                        .filter(other ->
                                about.isPresent()
                                        ? interfaceOf(other).equals(about)
                                        : other.getClass() == action.getClass())
                        .count();
        long most =
                action instanceof CloudAction.CreateInterface ? world.limits.interfaces() - 1 : 1;
        world.tally.check(
                Invariant.CALLS_BOUNDED,
                same < most,
                () -> action + " begins while " + inFlight + " are in flight");
        long now = world.schedule.nowNanos();
        lastMinute.addLast(now);
        while (lastMinute.getFirst() < now - Schedule.MINUTE) {
            lastMinute.removeFirst();
        }
        world.tally.check(
                Invariant.CALLS_BOUNDED,
                lastMinute.size() <= CALLS_PER_MINUTE,
                () -> lastMinute.size() + " calls in a minute");
    }

    private static Optional<String> interfaceOf(CloudAction action) {
        return switch (action) {
            case CloudAction.CreateInterface _, CloudAction.Describe _ -> Optional.empty();
            case CloudAction.AttachInterface(var id, _) -> Optional.of(id);
            case CloudAction.AssignBlocks(var id, _, _) -> Optional.of(id);
            case CloudAction.UnassignBlocks(var id, _) -> Optional.of(id);
            case CloudAction.DetachInterface(var id) -> Optional.of(id);
            case CloudAction.DeleteInterface(var id) -> Optional.of(id);
        };
    }

    private void travel(CloudAction action, Consumer<CloudAnswer<?>> reply) {
        Schedule time = world.schedule;
        long there = time.between(30 * Schedule.MILLI, 600 * Schedule.MILLI);
        if (world.cutOff) {
            boolean certain = action instanceof CloudAction.Describe || time.oneIn(2);
            Refusal refusal = certain ? Refusal.UNAVAILABLE : Refusal.UNKNOWN_OUTCOME;
            answer(there + Schedule.SECOND, action, refused(refusal, action), reply);
            return;
        }
        if (world.faults && time.oneIn(12)) {
            world.tally.fault(Fault.SLOW_CALL);
            there += time.between(0, 40 * Schedule.SECOND);
        }
        if (world.faults && time.oneIn(world.isTaking() ? 2 : world.faultOneIn)) {
            fail(action, there, reply);
        } else {
            time.in(there, "the cloud does " + action, () -> arrive(action, reply, 1));
        }
    }

    private void fail(CloudAction action, long there, Consumer<CloudAnswer<?>> reply) {
        Schedule time = world.schedule;
        CloudAnswer<?> unknown = refused(Refusal.UNKNOWN_OUTCOME, action);
        Fault fault = pick(action);
        world.tally.fault(fault);
        time.note("  fault " + fault);
        switch (fault) {
            case THROTTLED -> answer(there, action, refused(Refusal.THROTTLED, action), reply);
            case WRONG_REFUSAL -> {
                Refusal refusal = WRONG.get(time.random.nextInt(WRONG.size()));
                answer(there, action, refused(refusal, action), reply);
            }
            case OUTCOME_UNKNOWN -> answer(there + 3 * Schedule.SECOND, action, unknown, reply);
            case ANSWER_LOST ->
                    time.in(
                            there,
                            "the cloud does " + action,
                            () -> {
                                var _ = happen(action);
                                answer(
                                        time.between(0, 10 * Schedule.SECOND),
                                        action,
                                        unknown,
                                        reply);
                            });
            case DONE_LATE -> {
                answer(there, action, unknown, reply);
                time.in(
                        there + time.between(0, 10 * Schedule.SECOND),
                        "the cloud does late " + action,
                        () -> {
                            var _ = happen(action);
                        });
            }
            case DONE_THEN_ERROR ->
                    time.in(
                            there,
                            "the cloud does " + action,
                            () -> {
                                var _ = happen(action);
                                answer(
                                        time.between(0, Schedule.SECOND),
                                        action,
                                        refused(Refusal.UNAVAILABLE, action),
                                        reply);
                            });
            case DONE_TWICE ->
                    time.in(
                            there,
                            "the cloud does twice " + action,
                            () -> {
                                var _ = happen(action);
                                arrive(action, reply, 1);
                            });
            case ANSWERED_TWICE ->
                    time.in(there, "the cloud does " + action, () -> arrive(action, reply, 2));
            case DONE_IN_PART ->
                    time.in(there, "the cloud does in part " + action, () -> part(action, reply));
            case LAGGING_DESCRIPTION ->
                    answer(
                            there,
                            action,
                            new CloudAnswer.Done<>(world.cloud.stale(Simulation.LAG_NANOS)),
                            reply);
            case NO_DESCRIPTION ->
                    answer(there, action, refused(Refusal.UNAVAILABLE, action), reply);
            default -> throw new IllegalStateException("no fault of calls: " + fault);
        }
    }

    private Fault pick(CloudAction action) {
        List<Fault> some =
                new ArrayList<>(
                        List.of(
                                Fault.THROTTLED,
                                Fault.WRONG_REFUSAL,
                                Fault.OUTCOME_UNKNOWN,
                                Fault.ANSWERED_TWICE));
        switch (action) {
            case CloudAction.Describe _ ->
                    some.addAll(
                            List.of(
                                    Fault.LAGGING_DESCRIPTION,
                                    Fault.LAGGING_DESCRIPTION,
                                    Fault.LAGGING_DESCRIPTION,
                                    Fault.LAGGING_DESCRIPTION,
                                    Fault.NO_DESCRIPTION));
            case CloudAction.CreateInterface _, CloudAction.AttachInterface _ ->
                    some.addAll(
                            List.of(
                                    Fault.ANSWER_LOST,
                                    Fault.DONE_LATE,
                                    Fault.DONE_TWICE,
                                    Fault.DONE_THEN_ERROR));
            case CloudAction.AssignBlocks _ ->
                    some.addAll(
                            List.of(
                                    Fault.ANSWER_LOST,
                                    Fault.DONE_LATE,
                                    Fault.DONE_TWICE,
                                    Fault.DONE_IN_PART,
                                    Fault.DONE_THEN_ERROR));
            case CloudAction.UnassignBlocks _ ->
                    some.addAll(
                            List.of(
                                    Fault.ANSWER_LOST,
                                    Fault.DONE_LATE,
                                    Fault.DONE_TWICE,
                                    Fault.DONE_IN_PART));
            case CloudAction.DetachInterface _, CloudAction.DeleteInterface _ ->
                    some.addAll(List.of(Fault.ANSWER_LOST, Fault.DONE_LATE, Fault.DONE_TWICE));
        }
        return some.get(world.schedule.random.nextInt(some.size()));
    }

    private void part(CloudAction action, Consumer<CloudAnswer<?>> reply) {
        CloudAction less =
                switch (action) {
                    case CloudAction.AssignBlocks(var id, var kind, var count) ->
                            new CloudAction.AssignBlocks(
                                    id, kind, world.schedule.random.nextInt(count + 1));
                    case CloudAction.UnassignBlocks(var id, var blocks) -> {
                        int some = world.schedule.random.nextInt(blocks.size() + 1);
                        List<Cidr> taken = new ArrayList<>(blocks.subList(0, some));
                        blocks.subList(some, blocks.size()).stream()
                                .filter(block -> !world.cloud.holds(id, block))
                                .forEach(taken::add); // what is gone counts as given back
                        yield new CloudAction.UnassignBlocks(id, taken);
                    }
                    default -> action;
                };
        answer(Schedule.MILLI, action, happen(less), reply);
    }

    private void arrive(CloudAction action, Consumer<CloudAnswer<?>> reply, int times) {
        CloudAnswer<?> answer =
                world.faults
                                && action instanceof CloudAction.Describe
                                && (world.isTaking() || world.schedule.oneIn(2))
                        ? new CloudAnswer.Done<>(world.cloud.stale(Simulation.LAG_NANOS))
                        : happen(action);
        for (int i = 0; i < times; i++) {
            answer(world.schedule.between(0, 400 * Schedule.MILLI), action, answer, reply);
        }
    }

    private CloudAnswer<?> happen(CloudAction action) {
        CloudAnswer<?> answer;
        if (action instanceof CloudAction.UnassignBlocks(var id, var blocks)) {
            List<Cidr> same =
                    blocks.stream()
                            .filter(block ->
                                    Objects.equals(meant.get(block), world.cloud.grants(block)))
                            .toList();
            same.stream().filter(block -> world.cloud.holds(id, block)).forEach(this::unused);
            answer = world.cloud.unassignBlocks(id, same);
            if (answer instanceof CloudAnswer.Done) {
                answer = new CloudAnswer.Done<>(blocks); // what is gone counts as given back
            }
        } else {
            answer = action.call(world.cloud);
        }
        if (action instanceof CloudAction.DetachInterface(var id)) {
            world.schedule.within(
                    200 * Schedule.MILLI,
                    "the link of " + id + " is gone",
                    () -> world.interfaceLinkGone(id));
        }
        return answer;
    }

    private void unused(Cidr block) {
        world.tally.check(
                Invariant.IN_USE_STAYS_ASSIGNED,
                !world.pods.inUse(block),
                () -> block + " is given back while a pod has it");
    }

    private void answer(
            long inNanos,
            CloudAction action,
            CloudAnswer<?> answer,
            Consumer<CloudAnswer<?>> reply) {
        world.schedule.in(
                inNanos,
                answer instanceof CloudAnswer.Refused<?>(var refusal, _)
                        ? "answer " + refusal + " to " + action
                        : "answer to " + action,
                () -> reply.accept(answer));
    }

    private static CloudAnswer<CloudInterface> refused(Refusal refusal, CloudAction action) {
        return SimulatedCloud.refused(refusal, action.toString());
    }
}
