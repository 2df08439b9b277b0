package dev.underlay.pool;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;

/**
 * Decides what to ask the cloud for. A look comes first: at the start, and after an answer that
 * leaves a doubt, which keeps everything about the thing in doubt waiting. Then what is made is
 * attached, what is detached is deleted, what is missing is asked for ({@link Growth}), and what is
 * too much is given back ({@link GiveBack}).
 */
public final class Planner {
    private final Pool pool;
    private final Inventory inventory;
    private final Flights flights;
    private final long nowNanos;
    private final List<CloudAction> actions = new ArrayList<>();
    private long wake = Long.MAX_VALUE;

    private Planner(Pool pool, long nowNanos) {
        this.pool = pool;
        this.inventory = pool.inventory();
        this.flights = pool.flights();
        this.nowNanos = nowNanos;
    }

    /**
     * The calls that bring the pool to what the settings and the waiting pods want. It changes
     * nothing: the caller begins each action and makes its call. Call it after every event; when
     * the plan's time to wake has come, first serve the queue, then plan again.
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
        return new Planner(pool, nowNanos).plan(settings, demand, tokens);
    }

    private Plan plan(PoolSettings given, Demand asked, Supplier<String> tokens) {
        PoolSettings settings = pool.limits().map(given::on).orElse(given);
        Demand demand = settings.whileCordoned() ? new Demand(asked.waiting()) : asked;
        look(demand.waiting() > 0);
        if (pool.limits().isPresent() && flights.lookedAt().isPresent()) {
            NodeIdentity.Limits limits = pool.limits().get();
            attach(limits);
            leave();
            Growth growth = new Growth(pool, settings, limits, demand, nowNanos, tokens);
            growth.actions().forEach(this::unlessBusy);
            if (growth.wanted() == 0 && demand.waiting() == 0 && demand.cordon() == Cordon.OPEN) {
                GiveBack back = new GiveBack(pool, settings, Growth.perInterface(limits), nowNanos);
                back.actions().forEach(this::unlessBusy);
                back.nextNanos().ifPresent(this::wakeAt);
            }
        }
        wakes();
        return new Plan(
                actions,
                wake == Long.MAX_VALUE ? OptionalLong.empty() : OptionalLong.of(wake),
                Prospect.of(pool, settings, demand, nowNanos));
    }

    /** One call at a time about an interface: this one waits for the answer to the other. */
    private void unlessBusy(CloudAction action) {
        Optional<String> about = Flights.interfaceOf(action);
        if (about.isEmpty()
                || actions.stream().map(Flights::interfaceOf).noneMatch(about::equals)) {
            actions.add(action);
        }
    }

    private void look(boolean waiting) {
        CloudAction look = new CloudAction.Describe();
        OptionalLong last = flights.lookedAt();
        boolean due = last.isEmpty() || nowNanos >= last.getAsLong() + Timing.LOOK_EVERY_NANOS;
        boolean wanted = due || flights.doubtful() || (waiting && away());
        if (wanted && !flights.flying(look) && !lookHeld(waiting)) {
            actions.add(look);
        }
        last.ifPresent(at -> wakeAt(at + Timing.LOOK_EVERY_NANOS));
    }

    /** Whether the cloud was not reached since the last look. */
    private boolean away() {
        long last = flights.lookedAt().orElse(Long.MIN_VALUE);
        return flights.holds().all().stream()
                .anyMatch(hold -> hold.away() && hold.sinceNanos() > last);
    }

    /** While pods wait, a cloud that is away is looked for more often. */
    private boolean lookHeld(boolean waiting) {
        if (waiting && flights.holds().of(Answers.LOOK).filter(Hold::away).isPresent()) {
            long probe = flights.holds().of(Answers.LOOK).get().sinceNanos() + Timing.PROBE_NANOS;
            if (probe <= nowNanos) {
                return false;
            }
            wakeAt(probe);
        }
        return held(Answers.LOOK);
    }

    /** Plugs in what is made, each at the lowest free index. */
    private void attach(NodeIdentity.Limits limits) {
        Set<Integer> taken = takenIndexes();
        long plugged = plugged();
        for (PooledInterface one : inventory.interfaces()) {
            if (one.life != InterfaceLife.REQUESTED || !movable(one)) {
                continue;
            }
            if (plugged < limits.interfaces()) {
                if (!held("AttachInterface")) {
                    int index = 1; // 0 is the primary interface's
                    while (!taken.add(index)) {
                        index++;
                    }
                    plugged++;
                    actions.add(new CloudAction.AttachInterface(one.id, index));
                }
            } else if (!inventory.inUse(one.id, nowNanos) && !held("DeleteInterface")) {
                actions.add(new CloudAction.DeleteInterface(one.id)); // it has no place here
            }
        }
    }

    private Set<Integer> takenIndexes() {
        Set<Integer> taken = new TreeSet<>(flights.takenIndexes());
        for (PooledInterface one : inventory.interfaces()) {
            one.cloud()
                    .flatMap(CloudInterface::attachment)
                    .ifPresent(at -> taken.add(at.deviceIndex()));
        }
        for (CloudInterface one : inventory.excluded) {
            one.attachment().ifPresent(at -> taken.add(at.deviceIndex()));
        }
        for (CloudAction action : flights.all()) {
            if (action instanceof CloudAction.AttachInterface(_, var index)) {
                taken.add(index);
            }
        }
        return taken;
    }

    /** How many interfaces sit on the node or are being attached. */
    private long plugged() {
        long attaching =
                flights.all().stream()
                        .filter(CloudAction.AttachInterface.class::isInstance)
                        .count();
        long here =
                inventory.interfaces().stream()
                        .filter(one ->
                                one.life == InterfaceLife.ATTACHED
                                        || one.life == InterfaceLife.DRAINING)
                        .count();
        return here + attaching + inventory.excludedAttached();
    }

    /** Goes on with what is on its way out. */
    private void leave() {
        for (PooledInterface one : inventory.interfaces()) {
            if (!movable(one)) {
                continue;
            }
            boolean idle = !inventory.inUse(one.id, nowNanos);
            switch (one.life) {
                case DETACHED -> {
                    if (idle && !held("DeleteInterface")) {
                        actions.add(new CloudAction.DeleteInterface(one.id));
                    }
                }
                case DRAINING -> {
                    if (idle && !one.primary() && !held("DetachInterface")) {
                        actions.add(new CloudAction.DetachInterface(one.id));
                    }
                }
                case ATTACHED, REQUESTED -> leaveBlocks(one);
            }
        }
    }

    private void leaveBlocks(PooledInterface one) {
        List<Cidr> draining =
                inventory.blocksOf(one.id).stream()
                        .filter(block -> block.life == BlockLife.DRAINING)
                        .filter(block -> block.standing == Standing.CONFIRMED)
                        .filter(block -> !block.inUse(nowNanos))
                        .map(block -> block.cidr)
                        .toList();
        if (!draining.isEmpty() && !held("UnassignBlocks")) {
            actions.add(new CloudAction.UnassignBlocks(one.id, draining));
        }
    }

    /** Whether a call about an interface may start. */
    private boolean movable(PooledInterface one) {
        return !flights.busy(one.id)
                && !flights.doubted(one.id)
                && one.standing == Standing.CONFIRMED
                && !held(one.id);
    }

    private boolean held(String subject) {
        Optional<Hold> hold = flights.holds().on(subject, nowNanos);
        hold.ifPresent(it -> wakeAt(it.untilNanos()));
        return hold.isPresent();
    }

    /** The other instants at which time alone changes something. */
    private void wakes() {
        flights.holds().all().forEach(hold -> wakeAt(hold.untilNanos()));
        for (PooledInterface one : inventory.interfaces()) {
            if (one.life == InterfaceLife.ATTACHED && !inventory.open(one)) {
                wakeAt(one.withoutLinkSinceNanos + Timing.LINK_PATIENCE_NANOS + 1);
            }
        }
        for (Block block : inventory.blocks()) {
            block.restsUntilNanos(nowNanos)
                    .forEach(until -> {
                        wakeAt(until + 1); // its flows are to be forgotten
                        wakeAt(until + Timing.FORGET_NANOS + 1); // it is free all the same
                    });
        }
    }

    private void wakeAt(long atNanos) {
        if (atNanos > nowNanos) {
            wake = Math.min(wake, atNanos);
        }
    }
}
