package dev.underlay.ipamd.simulation;

import dev.underlay.ipamd.observe.Metrics;
import dev.underlay.ipamd.owner.StatusReport;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.NodeIdentity;
import dev.underlay.pool.PoolSettings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A node's life from one seed: some hundred steps with faults and kills, then none, in which
 * everything must come to rest. A step is one thing that happens (an answer, a call, a link that
 * goes) and all that the daemon does about it; after each one the invariants are checked against
 * what pods, kernel and cloud really have. The same seed gives the same life.
 */
final class Simulation {
    static final long WAIT_NANOS = 60 * Schedule.SECOND;

    /** A description lags by so much at most; the pool reckons with a minute. */
    static final long LAG_NANOS = 20 * Schedule.SECOND;

    /** Ticks of a second: the longest hold of a refusal is ten minutes, then a pod waits one. */
    static final int TICKS_TO_CONVERGE = 11 * 60;

    /** Idle addresses go back after five minutes, their leftovers at the look after that. */
    static final int TICKS_TO_REST = 60 * 60;

    private static final List<NodeIdentity.Limits> TYPES =
            List.of(
                    new NodeIdentity.Limits(2, 4),
                    new NodeIdentity.Limits(3, 4),
                    new NodeIdentity.Limits(3, 10),
                    new NodeIdentity.Limits(4, 15));

    private static final List<Map<String, String>> SETTINGS =
            List.of(
                    Map.of(),
                    Map.of("WARM_IP_TARGET", "2", "MINIMUM_IP_TARGET", "6"),
                    Map.of("WARM_ENI_TARGET", "1"),
                    Map.of("MINIMUM_IP_TARGET", "4"),
                    Map.of(),
                    Map.of("WARM_IP_TARGET", "1", "MAX_ENI", "2", "IP_COOLDOWN_PERIOD", "90"),
                    Map.of("WARM_ENI_TARGET", "0"),
                    Map.of("ENABLE_PREFIX_DELEGATION", "true"),
                    Map.of("ENABLE_PREFIX_DELEGATION", "true", "WARM_PREFIX_TARGET", "1"),
                    Map.of("ENABLE_PREFIX_DELEGATION", "true", "WARM_IP_TARGET", "5"));

    /** Makes the stream that draws families another one than the schedule's. */
    private static final long FAMILIES = 6L << 32;

    final Schedule schedule;
    final Tally tally = new Tally();
    final PoolSettings settings;
    final NodeIdentity.Limits limits;
    final SimulatedCloud cloud;
    final SimulatedNode node;
    final Pods pods;

    /** Whether anything may go wrong. */
    boolean faults;

    /** Whether the cloud's API cannot be reached. */
    boolean cutOff;

    /** One call in so many fails. */
    int faultOneIn = 4;

    /** When something was given back last. */
    private long takenAtNanos = Long.MIN_VALUE / 2;

    private final Path journal;
    private final Metrics metrics = new Metrics();
    private final int capacity;
    private @Nullable Daemon daemon;
    private int lives;

    Simulation(long seed, Path folder) {
        this(
                new Schedule(seed),
                TYPES.get(Math.floorMod(seed, TYPES.size())),
                settings(
                        withFamilies(seed, SETTINGS.get(Math.floorMod(seed / 4, SETTINGS.size())))),
                folder);
    }

    Simulation(Schedule schedule, NodeIdentity.Limits limits, PoolSettings settings, Path folder) {
        this.schedule = schedule;
        this.limits = limits;
        this.settings = settings;
        this.journal = folder.resolve("journal");
        int interfaces = Math.min(limits.interfaces(), settings.maxEni().orElse(99));
        this.capacity = interfaces * (limits.addressesPerInterface() - 1);
        this.cloud = new SimulatedCloud(schedule, limits, settings.families());
        this.node = new SimulatedNode(this);
        this.pods = new Pods(this, capacity + 4);
        schedule.in(0, "start", this::start);
    }

    /**
     * One seed of eight has pods of both families, and one IPv6 alone. A stream of its own says
     * which, so that the others' lives do not depend on it.
     */
    private static Map<String, String> withFamilies(long seed, Map<String, String> environment) {
        Map<String, String> all = new HashMap<>(environment);
        switch (new SplittableRandom(seed ^ FAMILIES).nextInt(8)) {
            case 0 -> all.putAll(Map.of("ENABLE_IPv4", "true", "ENABLE_IPv6", "true"));
            case 1 -> all.putAll(Map.of("ENABLE_IPv6", "true", "ENABLE_PREFIX_DELEGATION", "true"));
            default -> {}
        }
        return all;
    }

    static PoolSettings settings(Map<String, String> environment) {
        if (PoolSettings.fromEnvironment(environment)
                instanceof PoolSettings.Parsed.Good(var settings)) {
            return settings;
        }
        throw new IllegalArgumentException("bad settings: " + environment);
    }

    /** The daemon, while it lives. */
    @Nullable Daemon daemon() {
        return daemon == null || daemon.dead() ? null : daemon;
    }

    // ---- a life

    /**
     * So many steps with faults, then the rest.
     *
     * @throws Violation when an invariant does not hold
     */
    void live(int steps) {
        faults = true;
        faultOneIn = 2 + schedule.random.nextInt(4);
        if (limits.interfaces() > 2 && schedule.oneIn(5)) {
            cloud.addForeign(1);
        }
        arrivals();
        troubles();
        kills();
        while (tally.steps < steps) {
            step(Long.MAX_VALUE);
        }
        faults = false;
        cutOff = false;
        cloud.subnetFull = false;
        Daemon last = daemon();
        if (last != null) {
            last.armKill(Integer.MAX_VALUE);
        }
        comeToRest();
    }

    /** Without faults: whoever comes is served, and when all have gone nothing is left. */
    private void comeToRest() {
        run(TICKS_TO_CONVERGE);
        int room = Math.max(0, capacity(cloud) - pods.count());
        int staying = room == 0 ? 0 : schedule.random.nextInt(room);
        for (int i = 0; i < staying; i++) {
            pods.start(true);
        }
        run(90);
        tally.check(
                Invariant.CONVERGED,
                pods.running() >= staying,
                () -> staying + " pods came, " + pods.running() + " run: " + outlook());
        run(TICKS_TO_REST);
        atRest();
        endAllAndComeToRest();
    }

    /** Without faults: when all pods have gone nothing is left. */
    void endAllAndComeToRest() {
        pods.endAll();
        run(TICKS_TO_REST);
        tally.check(
                Invariant.CONVERGED,
                pods.links().isEmpty() && pods.count() == 0,
                () -> pods.count() + " pods do not end");
        atRest();
    }

    /** The node's addresses, without those of others' interfaces. */
    private int capacity(SimulatedCloud now) {
        long foreign = now.all().stream().filter(one -> !one.managed()).count();
        int interfaces =
                (int)
                        Math.min(
                                limits.interfaces() - foreign,
                                settings.maxEni().orElse(99) - foreign);
        return Math.max(1, interfaces) * (limits.addressesPerInterface() - 1);
    }

    private void arrivals() {
        schedule.within(
                20 * Schedule.SECOND,
                "pods come",
                () -> {
                    if (!faults) {
                        return;
                    }
                    if (schedule.oneIn(6)) {
                        burst();
                    } else {
                        pods.start(false);
                    }
                    if (schedule.oneIn(10)) { // a lull, in which addresses go back
                        schedule.within(15 * Schedule.MINUTE, "pods come again", this::arrivals);
                    } else {
                        arrivals();
                    }
                });
    }

    /** Something is given back; it would be a pity if pods came just now. */
    void taking() {
        takenAtNanos = schedule.nowNanos();
        if (faults && schedule.oneIn(2)) {
            schedule.within(3 * Schedule.SECOND, "pods come now", this::burst);
        }
    }

    /** Whether descriptions may still show what was given back; more goes wrong then. */
    boolean isTaking() {
        return schedule.nowNanos() < takenAtNanos + LAG_NANOS;
    }

    /** Whether something may be on its way out of which only the journal knows. */
    private boolean isUnsettled() {
        return schedule.nowNanos() < takenAtNanos + 80 * Schedule.SECOND;
    }

    private void burst() {
        int pods = 1 + schedule.random.nextInt(capacity + 2);
        for (int i = 0; i < pods; i++) {
            this.pods.start(false);
        }
    }

    private void troubles() {
        schedule.within(
                Schedule.MINUTE,
                "trouble",
                () -> {
                    if (faults) {
                        trouble();
                        troubles();
                    }
                });
    }

    private void trouble() {
        switch (schedule.random.nextInt(5)) {
            case 0 -> {
                if (schedule.oneIn(4)) {
                    tally.fault(Fault.CUT_OFF);
                    cutOff = true;
                    schedule.within(5 * Schedule.MINUTE, "healed", () -> cutOff = false);
                }
            }
            case 1 -> {
                if (schedule.oneIn(2)) {
                    tally.fault(Fault.SUBNET_FULL);
                    cloud.subnetFull = true;
                    schedule.within(3 * Schedule.MINUTE, "room", () -> cloud.subnetFull = false);
                }
            }
            case 2 -> {
                tally.fault(Fault.METADATA_LAGS);
                Daemon lives = daemon();
                if (lives != null) {
                    lives.owner.networkCidrs(
                            schedule.oneIn(2) ? List.of() : List.of(SimulatedCloud.NETWORK));
                    lives.turn();
                }
            }
            case 3 -> {
                List<CloudInterface> all = cloud.all();
                String id = all.get(schedule.random.nextInt(all.size())).id();
                tally.fault(Fault.LINK_VANISHED);
                interfaceLinkGone(id);
            }
            default -> {
                Daemon lives = daemon();
                if (lives != null) { // events were lost: a look at all links
                    CompletableFuture<Set<Integer>> known = lives.owner.podLinks();
                    lives.turn();
                    Set<Integer> missing = new TreeSet<>(known.getNow(Set.of()));
                    pods.links().forEach(link -> missing.remove(link.index()));
                    missing.forEach(lives.owner::linkGone);
                    lives.turn();
                }
            }
        }
    }

    private void kills() {
        schedule.within(
                90 * Schedule.SECOND,
                "a kill is near",
                () -> {
                    if (!faults) {
                        return;
                    }
                    Daemon lives = daemon();
                    if (lives != null) {
                        if (schedule.oneIn(4)) {
                            lives.die();
                        } else {
                            lives.armKill(schedule.random.nextInt(40));
                        }
                    }
                    kills();
                });
    }

    void interfaceLinkGone(String id) {
        Daemon lives = daemon();
        if (lives != null) {
            lives.owner.interfaceLinkGone(id);
            lives.turn();
        }
    }

    /** The kernel tells it a little later, or nobody does and the next start sees it. */
    void linkGone(int index) {
        Daemon then = daemon();
        schedule.within(
                100 * Schedule.MILLI,
                "link " + index + " is gone",
                () -> {
                    if (then != null && !then.dead()) {
                        then.owner.linkGone(index);
                        then.turn();
                    }
                });
    }

    private void start() {
        try {
            if (!Files.exists(journal)) {
                pods.journalLost();
            }
            Daemon next = new Daemon(this, journal, lives++, metrics);
            daemon = next;
            next.recover(pods.links());
            schedule.within(
                    2 * Schedule.SECOND,
                    "metadata answers",
                    () -> {
                        if (!next.dead()) {
                            next.owner.identified(cloud.node());
                            next.turn();
                        }
                    });
            next.run();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void buryAndStart(Daemon dead) {
        daemon = null;
        pods.daemonDied();
        try {
            dead.bury();
            if (faults && !isUnsettled() && schedule.oneIn(8)) {
                tally.fault(Fault.JOURNAL_LOST);
                schedule.note("  fault JOURNAL_LOST");
                Files.delete(journal);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        tally.restarts++;
        schedule.within(3 * Schedule.SECOND, "start", this::start);
    }

    // ---- steps

    /** Runs for so many seconds. */
    void run(int ticks) {
        long end = schedule.nowNanos() + ticks * Schedule.SECOND;
        while (step(end)) {
            // until then
        }
    }

    /** One step; false when nothing happens until then. */
    boolean step(long untilNanos) {
        boolean happened;
        try {
            happened = schedule.next(untilNanos);
            if (happened) {
                tally.steps++;
                Daemon now = daemon;
                if (now != null && now.dead()) {
                    buryAndStart(now);
                }
                verify();
            }
        } catch (RuntimeException e) {
            tally.check(Invariant.NO_BUG, false, e::toString);
            throw e;
        }
        if (tally.broken != null) {
            throw tally.broken;
        }
        return happened;
    }

    private void verify() {
        pods.verify();
        long ours = cloud.all().stream().filter(one -> one.attachment().isPresent()).count();
        tally.check(
                Invariant.INTERFACES_BOUNDED,
                ours <= limits.interfaces() && cloud.all().size() <= 2 * limits.interfaces(),
                () -> cloud.all().size() + " interfaces, " + ours + " attached");
        if (tally.steps % 16 == 0) {
            report();
        }
    }

    private void report() {
        Daemon lives = daemon();
        if (lives == null) {
            return;
        }
        lives.then(lives.owner.report(), (report, _) -> compare(report, lives));
        lives.run();
    }

    private void compare(StatusReport report, Daemon lives) {
        Set<String> journalled = new HashSet<>();
        lives.journal.state().leases().stream()
                .flatMap(one -> one.held().stream())
                .filter(one -> !one.interfaceId().isEmpty()) // not placed yet
                .forEach(one -> journalled.add(one.address().toString()));
        Set<String> pooled = new HashSet<>();
        report.leases().forEach(one -> pooled.add(one.address()));
        tally.check(
                Invariant.POOL_AND_JOURNAL_AGREE,
                pooled.equals(journalled),
                () -> "pool " + pooled + ", journal " + journalled);
    }

    private String outlook() {
        Daemon lives = daemon();
        return lives == null ? "no daemon" : lives.owner.state().outlook().text();
    }

    /** Cloud, pool, journal and kernel say the same, and for two hours nobody asks for a change. */
    private void atRest() {
        Daemon lives = daemon();
        if (lives == null) {
            throw new IllegalStateException("the daemon does not live");
        }
        tally.check(Invariant.CONVERGED, pods.allAtRest(), () -> "calls of pods are under way");
        Set<Cidr> real = new HashSet<>();
        for (CloudInterface one : cloud.all()) {
            if (one.managed()) {
                real.addAll(one.blocks());
                tally.check(
                        Invariant.NOTHING_LEFT,
                        one.attachment().isPresent(),
                        () -> one.id() + " is not attached");
            }
        }
        Set<Cidr> journalled = new HashSet<>();
        lives.journal.state().interfaces().forEach(one -> journalled.addAll(one.blocks()));
        tally.check(
                Invariant.NOTHING_LEFT,
                journalled.equals(real),
                () -> "cloud " + real + ", journal " + journalled);
        Set<Cidr> routed = new HashSet<>();
        node.routed().values().forEach(routed::addAll);
        tally.check(
                Invariant.NOTHING_LEFT,
                routed.equals(real),
                () -> "cloud " + real + ", routed " + routed);
        tally.check(
                Invariant.NOTHING_LEFT,
                lives.journal.state().unfinished().isEmpty(),
                () -> "unfinished: " + lives.journal.state().unfinished());
        tally.check(
                Invariant.NOTHING_LEFT,
                lives.journal.state().leases().size() == pods.links().size(),
                () -> "leases " + lives.journal.state().leases());
        int mutations = cloud.mutations();
        run(2 * 60 * 60);
        tally.check(
                Invariant.AT_REST,
                cloud.mutations() == mutations,
                () -> cloud.mutations() - mutations + " changes at rest");
    }
}
