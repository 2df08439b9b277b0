package dev.underlay.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A node on a virtual clock: pods come and go, the cloud is slow, refuses, loses its answers and
 * describes the past, and the daemon restarts. After every event the invariants are checked against
 * what pods and cloud really have.
 */
final class Simulation {
    static final long SECOND = 1_000_000_000L;
    static final long WAIT_NANOS = 60 * SECOND;

    private record Event(long atNanos, long order, String name, Runnable what) {}

    private record Snapshot(long atNanos, List<CloudInterface> all) {}

    final SimulatedCloud cloud;
    final SplittableRandom random;

    /** Whether calls fail, lose their answers and restarts happen. */
    boolean faults;

    /** Pods that gave up waiting while the node was not full. */
    int gaveUp;

    /** Pods that got an address. */
    int served;

    private final Families families;
    PoolSettings settings;
    Cordon cordon = Cordon.OPEN;
    private final NodeIdentity.Limits limits;
    private final PriorityQueue<Event> events =
            new PriorityQueue<>((a, b) ->
                    a.atNanos != b.atNanos
                            ? Long.compare(a.atNanos, b.atNanos)
                            : Long.compare(a.order, b.order));
    private final Map<AttachmentKey, List<Lease>> pods = new TreeMap<>();
    private final Map<IpAddress, Long> restsUntil = new TreeMap<>();

    /** Addresses whose flows the node may remember. */
    private final Set<IpAddress> remembered = new TreeSet<>();

    private final ArrayDeque<Snapshot> past = new ArrayDeque<>();
    private final ArrayDeque<String> log = new ArrayDeque<>();

    private Pool pool = new Pool();
    private WaitQueue<AttachmentKey> queue = new WaitQueue<>(1000);
    private Outlook outlook = new Outlook.Ready(0);
    private int life;
    private int forgetting = -1; // in which life
    private long nowNanos = 1_000 * SECOND;
    private long wakeNanos;
    private long order;
    private int podsEver;
    private int tokens;

    Simulation(NodeIdentity.Limits limits, PoolSettings settings, SplittableRandom random) {
        this.limits = limits;
        this.settings = settings;
        this.random = random;
        this.cloud = new SimulatedCloud(limits);
        remember();
        this.families = settings.families();
        pool.setLimits(limits);
        pool.setFamilies(families);
        links();
    }

    // What a test does.

    void at(long inNanos, String name, Runnable what) {
        events.add(new Event(nowNanos + inNanos, order++, name, what));
    }

    /** Runs until so much time has passed. */
    void run(long nanos) {
        long end = nowNanos + nanos;
        at(nanos, "end", () -> {});
        while (!events.isEmpty() && events.peek().atNanos <= end) {
            Event event = events.poll();
            nowNanos = event.atNanos;
            note(event.name);
            try {
                event.what.run();
                react();
                check();
            } catch (RuntimeException | AssertionError broken) {
                throw new AssertionError("event " + event.order + history(), broken);
            }
        }
    }

    String history() {
        return ", the last ones:\n" + String.join("\n", log);
    }

    void startPod(long livesForNanos) {
        AttachmentKey pod = new AttachmentKey("underlay", "pod-" + podsEver++, "eth0");
        queue.offer(pod, pod, nowNanos + WAIT_NANOS);
        at(WAIT_NANOS, "deadline", this::expire);
        if (livesForNanos < Long.MAX_VALUE) {
            at(livesForNanos, "end of " + pod, () -> endPod(pod));
        }
    }

    private void expire() {
        boolean full =
                outlook instanceof Outlook.Stuck stuck
                        && stuck.obstacle() == Outlook.Obstacle.INTERFACE_LIMIT;
        int late = queue.expire(nowNanos).size();
        gaveUp += full ? 0 : late;
    }

    int running() {
        return pods.size();
    }

    int waiting() {
        return queue.size();
    }

    Outlook outlook() {
        return outlook;
    }

    Pool pool() {
        return pool;
    }

    Counts counts() {
        return pool.counts(nowNanos);
    }

    /**
     * The daemon dies and its successor reads journal and kernel; answers on their way are lost.
     */
    void restart() {
        Pool next = new Pool();
        next.setLimits(limits);
        next.setFamilies(families);
        next.restoreInterfaces(
                pool.interfaces().stream().flatMap(one -> one.cloud().stream()).toList(), nowNanos);
        for (Lease lease : leases()) {
            assertThat(next.adopt(lease, nowNanos)).isEmpty();
        }
        for (InterfaceView one : pool.interfaces()) {
            for (InterfaceView.BlockView block : one.blocks()) {
                for (InterfaceView.Slot slot : block.slots()) {
                    if (slot.state() instanceof AddressState.Cooling(long until)
                            && until >= nowNanos) {
                        next.restoreCooling(one.id(), slot.address(), until, nowNanos);
                    }
                }
            }
        }
        pool.unfinished().forEach(action -> next.restoreUnfinished(action, nowNanos));
        pool = next;
        queue = new WaitQueue<>(1000);
        life++;
        links();
    }

    // The daemon.

    private void react() {
        forget();
        while (queue.size() > 0 && pool.counts(nowNanos).free() > 0) {
            serve(queue.poll().orElseThrow());
        }
        Plan plan =
                Planner.plan(
                        pool,
                        settings,
                        new Demand(queue.size(), cordon),
                        nowNanos,
                        () -> "token-" + tokens++);
        outlook = plan.outlook();
        for (CloudAction action : plan.actions()) {
            note("  begin " + action);
            pool.begin(action, nowNanos);
            fly(action);
        }
        plan.wakeAtNanos().ifPresent(this::wakeAt);
    }

    /** One batch at a time; a node whose kernel is slow takes longer than it may. */
    private void forget() {
        List<IpAddress> cooled = pool.cooled(nowNanos);
        if (cooled.isEmpty() || forgetting == life) {
            return;
        }
        forgetting = life;
        int then = life;
        at(
                between(0, (faults ? 2 : 1) * Timing.FORGET_NANOS / 2),
                "forgotten " + cooled,
                () -> {
                    if (then == life) {
                        forgetting = -1;
                        remembered.removeAll(cooled);
                        pool.forgotten(cooled, nowNanos);
                    }
                });
    }

    private void wakeAt(long atNanos) {
        assertThat(atNanos).as("time to wake").isGreaterThan(nowNanos);
        if (wakeNanos <= nowNanos || atNanos < wakeNanos) {
            wakeNanos = atNanos;
            at(atNanos - nowNanos, "wake", () -> {});
        }
    }

    private void serve(AttachmentKey pod) {
        if (!(pool.lease(pod, nowNanos) instanceof LeaseAnswer.Leased(var leases))) {
            throw new AssertionError("free is counted, none is leased to " + pod);
        }
        note("  leased " + leases);
        assertThat(leases).extracting(lease -> lease.address().family()).isEqualTo(families.all());
        leases.forEach(this::use);
        pods.put(pod, leases);
        served++;
    }

    private void use(Lease lease) {
        assertThat(leases()).extracting(Lease::address).doesNotContain(lease.address());
        assertThat(restsUntil.getOrDefault(lease.address(), 0L))
                .as("rest of %s", lease.address())
                .isLessThan(nowNanos);
        if (remembered.contains(lease.address())) {
            assertThat(restsUntil.getOrDefault(lease.address(), 0L) + Timing.FORGET_NANOS)
                    .as("%s has flows of its last pod", lease.address())
                    .isLessThan(nowNanos);
        }
        remembered.add(lease.address());
    }

    private void endPod(AttachmentKey pod) {
        queue.cancel(pod);
        List<Lease> leases = Optional.ofNullable(pods.remove(pod)).orElse(List.of());
        assertThat(pool.release(pod, nowNanos, settings.cooldownNanos())).isEqualTo(leases);
        for (Lease lease : leases) {
            restsUntil.put(lease.address(), nowNanos + settings.cooldownNanos());
        }
    }

    private List<Lease> leases() {
        return pods.values().stream().flatMap(List::stream).toList();
    }

    /** A link appears some time after the attach, and at once after a restart. */
    private void links() {
        for (CloudInterface one : cloud.all()) {
            if (one.attachment().isPresent()) {
                at(SECOND / 10, "link", () -> linkReady(one.id()));
            }
        }
    }

    private void linkReady(String interfaceId) {
        boolean there =
                cloud.all().stream()
                        .anyMatch(one ->
                                one.id().equals(interfaceId) && one.attachment().isPresent());
        if (there) {
            // Before a link is ready, nothing names an address of it that no pod has.
            Set<IpAddress> living = new TreeSet<>();
            leases().forEach(lease -> living.add(lease.address()));
            remembered.removeIf(
                    address -> !living.contains(address) && cloud.assigned(interfaceId, address));
            pool.linkReady(interfaceId);
        }
    }

    // The cloud.

    private void fly(CloudAction action) {
        long effect = between(50_000_000, SECOND);
        int dice = faults ? random.nextInt(100) : 100;
        if (dice < 12) {
            Refusal refusal = someRefusal(action);
            answer(action, effect, SimulatedCloud.refused(refusal, "" + action));
        } else if (dice < 24) {
            answer(
                    action,
                    between(SECOND, 10 * SECOND),
                    SimulatedCloud.refused(Refusal.UNKNOWN_OUTCOME, "" + action));
            if (random.nextBoolean()) { // it happens all the same, perhaps after the answer
                at(between(0, 12 * SECOND), "late " + action, () -> happen(action));
            }
        } else {
            int then = life;
            at(
                    effect,
                    "effect of " + action,
                    () -> {
                        CloudAnswer<?> answer = happen(action);
                        at(
                                between(50_000_000, SECOND),
                                "answer to " + action,
                                () -> {
                                    if (then == life) {
                                        pool.end(action, answer, nowNanos);
                                    }
                                });
                    });
        }
    }

    private void answer(CloudAction action, long inNanos, CloudAnswer<?> answer) {
        int then = life;
        at(
                inNanos,
                "answer to " + action + ": " + answer,
                () -> {
                    if (then == life) {
                        pool.end(action, answer, nowNanos);
                    }
                });
    }

    private Refusal someRefusal(CloudAction action) {
        List<Refusal> some =
                new ArrayList<>(
                        List.of(
                                Refusal.THROTTLED,
                                Refusal.UNAVAILABLE,
                                Refusal.BUSY,
                                Refusal.NOT_PERMITTED));
        if (action instanceof CloudAction.CreateInterface
                || action instanceof CloudAction.AssignBlocks) {
            some.add(Refusal.SUBNET_FULL);
        }
        if (Answers.asksForPrefixes(action)) {
            some.add(Refusal.NO_FREE_PREFIX);
        }
        return some.get(random.nextInt(some.size()));
    }

    private CloudAnswer<?> happen(CloudAction action) {
        if (action instanceof CloudAction.Describe) {
            return new CloudAnswer.Done<>(described());
        }
        if (action instanceof CloudAction.UnassignBlocks(_, var leaving)) {
            leaving.forEach(this::assertUnused);
        }
        CloudAnswer<?> answer = action.call(cloud);
        remember();
        if (answer instanceof CloudAnswer.Done) {
            if (action instanceof CloudAction.AttachInterface(var id, _)) {
                at(between(SECOND, 3 * SECOND), "link of " + id, () -> linkReady(id));
            } else if (action instanceof CloudAction.DetachInterface(var id)) {
                pool.linkGone(id, nowNanos);
            }
        }
        return answer;
    }

    /** What there was up to five seconds ago. */
    private List<CloudInterface> described() {
        long as = nowNanos - between(0, 5 * SECOND);
        List<CloudInterface> all = past.getFirst().all();
        for (Snapshot snapshot : past) {
            if (snapshot.atNanos <= as) {
                all = snapshot.all();
            }
        }
        return all;
    }

    private void remember() {
        past.addLast(new Snapshot(nowNanos, cloud.all()));
        while (past.size() > 200) {
            past.removeFirst();
        }
    }

    // The invariants.

    private void check() {
        assertThat(pool.leases()).containsExactlyInAnyOrderElementsOf(leases());
        for (Lease lease : leases()) {
            assertThat(cloud.assigned(lease.interfaceId(), lease.address()))
                    .as("%s is really there", lease)
                    .isTrue();
        }
        Counts counts = counts();
        assertThat(counts.leased()).isEqualTo(pods.size());
        assertThat(counts.free()).isNotNegative();
        assertThat(counts.requested()).isNotNegative();
    }

    private void assertUnused(Cidr block) {
        assertThat(leases()).extracting(Lease::address).noneMatch(block::contains);
        restsUntil.forEach((address, until) -> {
            assertThat(until < nowNanos || !block.contains(address)).as("%s", address).isTrue();
        });
    }

    private long between(long least, long most) {
        return random.nextLong(least, most + 1);
    }

    private void note(String line) {
        log.addLast(nowNanos / 1_000_000 + " ms " + line);
        if (log.size() > 60) {
            log.removeFirst();
        }
    }
}
