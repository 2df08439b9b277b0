package dev.underlay.ipamd.simulation;

import dev.underlay.cni.wiring.Attachment;
import dev.underlay.cni.wiring.PodLink;
import dev.underlay.ipamd.owner.AddAnswer;
import dev.underlay.ipamd.owner.DelAnswer;
import dev.underlay.ipamd.owner.Sandbox;
import dev.underlay.ipamd.owner.Turn;
import dev.underlay.pool.AttachmentKey;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.IpAddress;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The runtime with its sandboxes, the launchers, and the daemon's two verbs step by step as {@code
 * AddVerb} and {@code DelVerb} take them; and the kernel's links of pods, which are the truth about
 * who uses which address.
 */
final class Pods {
    /** One place for a sandbox; sandboxes that follow each other have the same container id. */
    private static final class Pod {
        final AttachmentKey key;
        long inode;
        @Nullable Turn add;
        @Nullable Turn del;
        boolean deleted = true;
        boolean running;
        boolean stays;
        boolean intent;

        Pod(AttachmentKey key) {
            this.key = key;
        }

        boolean idle() {
            return deleted && add == null && del == null && !intent;
        }

        Sandbox sandbox() {
            return new Sandbox(key, inode, "shop", key.containerId());
        }
    }

    /** An ADD that has no answer yet. */
    private record Pending(Daemon at, long arrival, long sinceNanos, boolean alone) {}

    private final Simulation world;
    private final List<Pod> pods = new ArrayList<>();
    private final TreeMap<AttachmentKey, PodLink> kernel = new TreeMap<>();
    private final Map<IpAddress, Long> restsUntil = new HashMap<>();
    private final Map<Turn, Pending> pending = new HashMap<>();

    /** Granted, and not wired yet. */
    private final Map<Turn, List<IpAddress>> granted = new HashMap<>();

    private final Set<Turn> givenUp = new HashSet<>();
    private long nextInode = 4_000_000_000L;
    private int nextIndex = 10;
    private long arrivals;

    Pods(Simulation world, int places) {
        this.world = world;
        for (int i = 0; i < places; i++) {
            pods.add(new Pod(new AttachmentKey("underlay", "c" + i, "eth0")));
        }
    }

    // ---- the truth

    List<PodLink> links() {
        return List.copyOf(kernel.values());
    }

    /** How many sandboxes there are, coming and going ones counted. */
    int count() {
        return (int) pods.stream().filter(pod -> !pod.idle()).count();
    }

    /** How many ADDs wait for an answer. */
    int waiting() {
        return pending.size();
    }

    int running() {
        return (int) pods.stream().filter(pod -> pod.running).count();
    }

    boolean allAtRest() {
        return pending.isEmpty()
                && pods.stream().allMatch(pod -> pod.idle() || (pod.running && pod.del == null));
    }

    boolean inUse(Cidr block) {
        return Stream.concat(
                        kernel.values().stream().map(Pods::addresses), granted.values().stream())
                .flatMap(List::stream)
                .anyMatch(block::contains);
    }

    // ---- the life of a sandbox

    /** A new sandbox, if there is a place for it. */
    boolean start(boolean stays) {
        List<Pod> idle = pods.stream().filter(Pod::idle).toList();
        if (idle.isEmpty()) {
            return false;
        }
        Pod pod = idle.get(world.schedule.random.nextInt(idle.size()));
        pod.inode = nextInode++;
        pod.stays = stays;
        world.tally.pods++;
        issueAdd(pod);
        return true;
    }

    /** All sandboxes end now. */
    void endAll() {
        for (Pod pod : pods) {
            pod.stays = false;
            if (pod.running && pod.del == null) {
                issueDel(pod);
            }
        }
    }

    /** A call of this sandbox ended, or died with the daemon. */
    private void ended(Pod pod) {
        if (pod.add != null || pod.del != null || pod.deleted) {
            return;
        }
        if (pod.running) {
            if (!pod.stays) {
                long lives = world.schedule.between(Schedule.SECOND, 8 * Schedule.MINUTE);
                long inode = pod.inode;
                world.schedule.in(
                        lives,
                        "the end of " + pod.key,
                        () -> {
                            if (pod.inode == inode && pod.running && pod.del == null) {
                                end(pod);
                            }
                        });
            }
            return;
        }
        if (pod.stays || world.schedule.oneIn(2)) {
            world.schedule.within(2 * Schedule.SECOND, "again " + pod.key, () -> again(pod));
        } else {
            issueDel(pod);
        }
    }

    private void again(Pod pod) {
        if (pod.add == null && pod.del == null && !pod.deleted && !pod.running) {
            issueAdd(pod);
        }
    }

    private void end(Pod pod) {
        Schedule time = world.schedule;
        if (world.faults && time.oneIn(8)) {
            vanish(pod);
            return;
        }
        if (world.faults && time.oneIn(10)) {
            issueAdd(pod); // the runtime has forgotten that it is done
            return;
        }
        issueDel(pod);
    }

    /** The namespace goes, with its end of the pair and so with ours; nobody calls. */
    private void vanish(Pod pod) {
        world.tally.fault(Fault.NAMESPACE_VANISHED);
        PodLink gone = kernel.get(pod.key);
        if (gone != null && unlink(pod.key, gone)) {
            world.linkGone(gone.index());
        }
        pod.running = false;
        if (world.schedule.oneIn(2)) {
            issueDel(pod);
        } else {
            pod.deleted = true;
        }
    }

    // ---- ADD

    private void issueAdd(Pod pod) {
        Daemon daemon = world.daemon();
        pod.deleted = false;
        if (daemon == null) {
            world.schedule.within(2 * Schedule.SECOND, "no daemon " + pod.key, () -> ended(pod));
            return;
        }
        boolean alone = pod.del == null && daemon.journal.state().lease(pod.key).isEmpty();
        Turn.Add turn = daemon.owner.add(pod.sandbox());
        pod.add = turn;
        pending.put(turn, new Pending(daemon, arrivals++, world.schedule.nowNanos(), alone));
        daemon.then(
                turn.answer(),
                (answer, _) -> {
                    Pending mine = pending.remove(turn);
                    if (answer instanceof AddAnswer.Granted fresh && mine != null) {
                        granted(turn, fresh, mine);
                    }
                    world.schedule.within(
                            10 * Schedule.MILLI,
                            "ADD of " + pod.key + ": " + answer.getClass().getSimpleName(),
                            () -> {
                                if (!daemon.dead() && !givenUp.contains(turn)) {
                                    answered(pod, daemon, turn, answer);
                                }
                            });
                });
        if (world.faults && world.schedule.oneIn(10)) {
            world.schedule.within(
                    80 * Schedule.SECOND, "gone " + pod.key, () -> giveUp(pod, daemon, turn));
        }
        if (world.faults && world.schedule.oneIn(15)) {
            world.schedule.within(
                    20 * Schedule.SECOND,
                    "a DEL of " + pod.key + " overtakes",
                    () -> {
                        if (turn.equals(pod.add) && pod.del == null) {
                            issueDel(pod);
                        }
                    });
        }
        daemon.turn();
    }

    /** Checked the moment an address is granted. */
    private void granted(Turn.Add turn, AddAnswer.Granted answer, Pending mine) {
        long now = world.schedule.nowNanos();
        List<IpAddress> addresses = answer.lease().addresses();
        granted.put(turn, addresses);
        Tally tally = world.tally;
        if (!mine.alone) {
            return; // perhaps its own address again
        }
        for (IpAddress address : addresses) {
            tally.check(
                    Invariant.ROUTED_BEFORE_LEASED,
                    world.node.routes(address),
                    () -> address + " for " + turn.key());
            long rest = restsUntil.getOrDefault(address, 0L);
            tally.check(
                    Invariant.COOLED_BEFORE_LEASED,
                    rest < now,
                    () ->
                            "%s for %s cools for %d ns more"
                                    .formatted(address, turn.key(), rest - now));
            tally.check(
                    Invariant.FLOWS_FORGOTTEN,
                    !world.node.remembers(address) || rest + 10 * Schedule.SECOND < now,
                    () -> address + " for " + turn.key());
        }
        pending.forEach((other, waits) ->
                tally.check(
                        Invariant.FIRST_COME,
                        waits.arrival > mine.arrival || !waits.alone || waits.at != mine.at,
                        () -> turn.key() + " was served before " + other.key()));
    }

    private void giveUp(Pod pod, Daemon daemon, Turn.Add turn) {
        if (daemon.dead() || !pending.containsKey(turn)) {
            return;
        }
        world.tally.fault(Fault.CALLER_GONE);
        givenUp.add(turn);
        abandon(pod, daemon, turn, false);
    }

    private void abandon(Pod pod, Daemon daemon, Turn.Add turn, boolean reachable) {
        daemon.then(
                daemon.owner.abandon(turn, reachable),
                (_, _) -> {
                    pending.remove(turn);
                    granted.remove(turn);
                    over(pod, turn);
                });
        daemon.turn();
    }

    private void over(Pod pod, Turn.Add turn) {
        if (turn.equals(pod.add)) {
            pod.add = null;
            ended(pod);
        }
    }

    private void answered(Pod pod, Daemon daemon, Turn.Add turn, AddAnswer answer) {
        switch (answer) {
            case AddAnswer.Refused _ -> over(pod, turn);
            case AddAnswer.Stored _ -> {
                pod.running = kernel.containsKey(pod.key);
                over(pod, turn);
            }
            case AddAnswer.Granted fresh -> {
                fresh.leftover()
                        .filter(link -> unlink(pod.key, link))
                        .ifPresent(_ -> world.schedule.note("  the leftover goes"));
                world.schedule.within(
                        10 * Schedule.MILLI,
                        "wire " + pod.key,
                        () -> {
                            if (!daemon.dead()) {
                                wire(pod, daemon, turn, fresh);
                            }
                        });
            }
        }
    }

    private void wire(Pod pod, Daemon daemon, Turn.Add turn, AddAnswer.Granted fresh) {
        if (world.faults && world.schedule.oneIn(15)) {
            world.tally.fault(Fault.WIRING_REFUSED);
            abandon(pod, daemon, turn, fresh.leftover().isPresent());
            return;
        }
        List<IpAddress> addresses = fresh.lease().addresses();
        PodLink link = link(pod.sandbox(), addresses, nextIndex++);
        world.tally.check(
                Invariant.ADDRESS_IN_USE_ONCE,
                kernel.put(pod.key, link) == null,
                () -> pod.key + " has a link already");
        addresses.forEach(world.node::remember);
        granted.remove(turn);
        world.schedule.within(
                10 * Schedule.MILLI,
                "wired " + pod.key,
                () -> {
                    if (daemon.dead()) {
                        return;
                    }
                    if (world.faults && world.schedule.oneIn(15)) {
                        world.tally.fault(Fault.CALLER_GONE);
                        unlink(pod.key, link);
                        abandon(pod, daemon, turn, true);
                        return;
                    }
                    wired(pod, daemon, turn, link);
                });
    }

    private void wired(Pod pod, Daemon daemon, Turn.Add turn, PodLink link) {
        daemon.then(
                daemon.owner.wired(turn, "{}", link),
                (kept, _) -> {
                    if (kept) {
                        pod.running = true;
                        over(pod, turn);
                    } else {
                        unlink(pod.key, link);
                        abandon(pod, daemon, turn, true);
                    }
                });
        daemon.turn();
    }

    // ---- DEL

    private void issueDel(Pod pod) {
        Daemon daemon = world.daemon();
        if (daemon == null) {
            leaveIntent(pod);
            return;
        }
        Turn.Del turn = daemon.owner.del(pod.key, OptionalLong.empty());
        pod.del = turn;
        pod.running = false;
        daemon.then(
                turn.answer(),
                (answer, failure) ->
                        world.schedule.within(
                                10 * Schedule.MILLI,
                                "DEL of " + pod.key + ": " + answer,
                                () -> {
                                    if (!daemon.dead()) {
                                        if (failure == null) {
                                            answered(pod, daemon, turn, answer);
                                        } else {
                                            over(pod, turn, false);
                                        }
                                    }
                                }));
        daemon.turn();
    }

    private void answered(Pod pod, Daemon daemon, Turn.Del turn, DelAnswer answer) {
        switch (answer) {
            case DelAnswer.Nothing _ -> {
                world.tally.check(
                        Invariant.DEL_FINDS_LEASE,
                        !kernel.containsKey(pod.key),
                        () -> "nothing known of " + pod.key + ", whose link stands");
                over(pod, turn, true);
            }
            case DelAnswer.Unwire(var what) -> {
                if (unwires(pod.key, what.link())) {
                    daemon.then(daemon.owner.released(turn), (_, _) -> over(pod, turn, true));
                } else {
                    daemon.owner.kept(turn);
                    over(pod, turn, false);
                }
                daemon.turn();
            }
        }
    }

    private void over(Pod pod, Turn.Del turn, boolean done) {
        if (!turn.equals(pod.del)) {
            return;
        }
        pod.del = null;
        if (!done) {
            world.schedule.within(
                    2 * Schedule.SECOND,
                    "DEL again of " + pod.key,
                    () -> {
                        if (pod.del == null && !pod.deleted) {
                            issueDel(pod);
                        }
                    });
            return;
        }
        pod.deleted = true;
    }

    /** The launcher finds no daemon: the runtime is told that all is well. */
    private void leaveIntent(Pod pod) {
        long at = world.schedule.nowNanos();
        PodLink link = kernel.get(pod.key);
        if (link != null && world.schedule.oneIn(2)) {
            unlink(pod.key, link); // the namespace goes before the daemon is back
        }
        pod.deleted = true;
        pod.running = false;
        pod.intent = true;
        sweep(pod, at);
    }

    private void sweep(Pod pod, long at) {
        world.schedule.within(
                3 * Schedule.SECOND,
                "the intent of " + pod.key,
                () -> {
                    Daemon daemon = world.daemon();
                    if (daemon == null) {
                        sweep(pod, at);
                        return;
                    }
                    Turn.Del turn = daemon.owner.del(pod.key, OptionalLong.of(at));
                    pod.del = turn;
                    daemon.then(
                            turn.answer(), (answer, _) -> carryOut(pod, daemon, turn, answer, at));
                    daemon.turn();
                });
    }

    private void carryOut(Pod pod, Daemon daemon, Turn.Del turn, DelAnswer answer, long at) {
        world.schedule.within(
                10 * Schedule.MILLI,
                "the intent's DEL of " + pod.key + ": " + answer,
                () -> {
                    if (daemon.dead()) {
                        return;
                    }
                    if (!(answer instanceof DelAnswer.Unwire(var what))) {
                        world.tally.check(
                                Invariant.DEL_FINDS_LEASE,
                                !kernel.containsKey(pod.key),
                                () -> "nothing known of " + pod.key + ", whose link stands");
                        pod.del = null;
                        pod.intent = false;
                        return;
                    }
                    if (unwires(pod.key, what.link())) {
                        daemon.then(
                                daemon.owner.released(turn),
                                (_, _) -> {
                                    pod.del = null;
                                    pod.intent = false;
                                });
                    } else {
                        daemon.owner.kept(turn);
                        pod.del = null;
                        sweep(pod, at);
                    }
                    daemon.turn();
                });
    }

    /** Takes the link of a DEL down; false when the kernel refuses. */
    private boolean unwires(AttachmentKey key, Optional<PodLink> link) {
        if (link.isEmpty() || !kernel.containsValue(link.get())) {
            return true;
        }
        if (world.faults && world.schedule.oneIn(12)) {
            world.tally.fault(Fault.WIRING_REFUSED);
            return false;
        }
        unlink(key, link.get());
        return true;
    }

    /** The link goes; from now on its address rests. */
    private boolean unlink(AttachmentKey key, PodLink link) {
        if (!kernel.remove(key, link)) {
            return false;
        }
        long until = world.schedule.nowNanos() + world.settings.cooldownNanos();
        addresses(link).forEach(address -> restsUntil.put(address, until));
        return true;
    }

    // ---- the daemon's death

    /** The calls of a daemon that died are over; who called tries again, or not. */
    void daemonDied() {
        pending.clear();
        granted.clear();
        givenUp.clear();
        for (Pod pod : pods) {
            if (pod.add == null && pod.del == null) {
                continue;
            }
            boolean deleting = pod.del != null;
            pod.add = null;
            pod.del = null;
            if (pod.intent) {
                sweep(pod, world.schedule.nowNanos());
            } else {
                world.schedule.within(
                        3 * Schedule.SECOND,
                        "after the kill " + pod.key,
                        () -> {
                            if (pod.add == null && pod.del == null && !pod.deleted) {
                                if (deleting) {
                                    issueDel(pod);
                                } else {
                                    pod.running = false;
                                    ended(pod);
                                }
                            }
                        });
            }
        }
    }

    /** Nobody knows any more how long an address rests. */
    void journalLost() {
        restsUntil.clear();
    }

    /** A start takes down links that are nobody's. */
    void cutOff(List<PodLink> nobodys) {
        for (PodLink link : nobodys) {
            kernel.values().remove(link);
        }
    }

    // ---- after every step

    void verify() {
        Tally tally = world.tally;
        Set<IpAddress> used = new HashSet<>();
        kernel.forEach((key, link) -> {
            for (IpAddress address : addresses(link)) {
                tally.check(
                        Invariant.ADDRESS_IN_USE_ONCE,
                        used.add(address),
                        () -> key + " and another pod have " + address);
                tally.check(
                        Invariant.IN_USE_STAYS_ASSIGNED,
                        world.cloud.assigned(address),
                        () -> key + " has " + address + ", which the cloud has not assigned");
            }
        });
        granted.forEach((turn, addresses) -> {
            PodLink own = kernel.get(turn.key());
            for (IpAddress address : addresses) {
                tally.check(
                        Invariant.ADDRESS_IN_USE_ONCE,
                        used.add(address) || (own != null && addresses(own).contains(address)),
                        () -> turn.key() + " and another pod have " + address);
                tally.check(
                        Invariant.IN_USE_STAYS_ASSIGNED,
                        world.cloud.assigned(address),
                        () -> turn.key() + " gets " + address + ", not assigned by the cloud");
            }
        });
        long now = world.schedule.nowNanos();
        pending.forEach((turn, waits) ->
                tally.check(
                        Invariant.ADD_ANSWERED_IN_TIME,
                        !waits.alone
                                || now
                                        <= waits.sinceNanos
                                                + Simulation.WAIT_NANOS
                                                + Schedule.SECOND,
                        () -> turn.key() + " waits for " + (now - waits.sinceNanos) + " ns"));
        Daemon daemon = world.daemon();
        if (daemon == null) {
            return;
        }
        kernel.forEach((key, link) ->
                tally.check(
                        Invariant.LIVING_POD_HAS_LEASE,
                        daemon.journal
                                .state()
                                .lease(key)
                                .filter(lease -> lease.addresses().equals(addresses(link)))
                                .isPresent(),
                        () -> key + " has " + addresses(link)));
    }

    private static List<IpAddress> addresses(PodLink link) {
        return link.addresses().stream().map(one -> IpAddress.ofBytes(one.getAddress())).toList();
    }

    private static PodLink link(Sandbox sandbox, List<IpAddress> addresses, int index) {
        AttachmentKey key = sandbox.key();
        return new PodLink(
                index,
                "ul" + index,
                "",
                2,
                Optional.of(
                        new Attachment(
                                key.network(),
                                key.containerId(),
                                key.interfaceName(),
                                sandbox.namespaceInode(),
                                sandbox.podNamespace(),
                                sandbox.podName())),
                addresses.stream().map(one -> InetAddress.ofLiteral(one.toString())).toList());
    }
}
