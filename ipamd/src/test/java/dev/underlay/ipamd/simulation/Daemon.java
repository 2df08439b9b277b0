package dev.underlay.ipamd.simulation;

import dev.underlay.cni.wiring.PodLink;
import dev.underlay.ipamd.journal.Journal;
import dev.underlay.ipamd.observe.Metrics;
import dev.underlay.ipamd.owner.Mailbox;
import dev.underlay.ipamd.owner.PoolOwner;
import dev.underlay.ipamd.owner.Recovery;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;

/**
 * One life of the daemon: production's parts as {@code Daemon} in {@code ipamd} puts them together,
 * with the owner's thread run by hand. It can be killed before any of its effects; what its journal
 * has by then is kept, perhaps without the end of what was written since the effect before.
 */
final class Daemon implements Mailbox {
    private static final String BOOT = "boot-1";
    private static final int MAX_WAITING = 100;

    final PoolOwner owner;
    final Journal journal;
    private final Simulation world;
    private final Path path;
    private final Deque<Runnable> messages = new ArrayDeque<>();
    private boolean dead;
    private boolean running;
    private int effectsLeft = Integer.MAX_VALUE;
    private long safeBytes;
    private byte[] left = new byte[0];
    private long wakeNanos = Long.MAX_VALUE;
    private int tokens;

    Daemon(Simulation world, Path path, int life, Metrics metrics) throws IOException {
        this.world = world;
        this.path = path;
        Journal.Opened opened = Journal.open(path, BOOT, world.schedule.nowNanos());
        this.journal = opened.journal();
        world.tally.check(
                Invariant.NO_BUG,
                opened.damage().isEmpty(),
                () -> "the journal is damaged: " + opened.damage());
        this.owner =
                new PoolOwner(
                        this,
                        world.schedule::nowNanos,
                        journal,
                        new PoolOwner.Config(
                                world.settings,
                                Simulation.WAIT_NANOS,
                                MAX_WAITING,
                                () -> "token-" + life + "-" + tokens++),
                        new PoolOwner.Ports(
                                new FaultyCalls(world, this), world.node.face(this), metrics));
    }

    /** What a start does with the journal and the links of the kernel. */
    void recover(List<PodLink> links) {
        Recovery recovery =
                Recovery.of(
                        journal.state(),
                        links,
                        world.schedule.nowNanos(),
                        world.settings.cooldownNanos());
        world.pods.cutOff(recovery.cutOff());
        owner.recover(recovery.state());
    }

    // ---- death

    boolean dead() {
        return dead;
    }

    /** Dies before one of its next effects. */
    void armKill(int effects) {
        effectsLeft = effects;
    }

    /**
     * Something is about to leave the daemon.
     *
     * @return false when it was killed before that
     */
    boolean effect() {
        if (!dead && --effectsLeft < 0) {
            die();
        }
        if (!dead) {
            safeBytes = journal.bytes();
        }
        return !dead;
    }

    /** Killed now. */
    void die() {
        if (dead) {
            return;
        }
        dead = true;
        world.schedule.note("KILLED");
        world.tally.fault(Fault.KILLED);
        try {
            left = Files.readAllBytes(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (safeBytes < left.length && world.schedule.oneIn(2)) {
            world.tally.fault(Fault.JOURNAL_TORN);
            left = Arrays.copyOf(left, (int) world.schedule.between(safeBytes, left.length - 1));
        }
        messages.clear();
    }

    /** Leaves the file as the kill left it. */
    void bury() throws IOException {
        journal.close();
        Files.write(path, left);
    }

    // ---- the owner's thread

    @Override
    public void post(Runnable task) {
        if (!dead) {
            messages.add(task);
        }
    }

    /**
     * The end of something that came from outside: the owner's thread runs at once, or a little
     * later, with what comes until then.
     */
    void turn() {
        if (running || dead) {
            return;
        }
        if (world.schedule.oneIn(4)) {
            world.schedule.within(2 * Schedule.MILLI, "the owner's thread", this::run);
        } else {
            run();
        }
    }

    void run() {
        if (dead) {
            return;
        }
        running = true;
        OptionalLong wake = OptionalLong.empty();
        try {
            do {
                while (!dead && !messages.isEmpty()) {
                    messages.remove().run();
                }
                if (!dead) {
                    wake = owner.settle();
                }
            } while (!dead && !messages.isEmpty());
        } catch (RuntimeException e) {
            if (!dead) { // what the dead still do has no effect
                throw e;
            }
        }
        running = false;
        if (!dead) {
            safeBytes = journal.bytes();
            wake.ifPresent(this::wakeAt);
        }
    }

    private void wakeAt(long atNanos) {
        long now = world.schedule.nowNanos();
        world.tally.check(
                Invariant.NO_SPIN, atNanos > now, () -> "wakes at " + atNanos + ", it is " + now);
        if (atNanos < wakeNanos || wakeNanos <= now) {
            wakeNanos = atNanos;
            world.schedule.in(atNanos - now, "wake", this::run);
        }
    }

    /** What is done with an answer of this life: leaving the daemon is an effect. */
    <T> void then(CompletableFuture<T> answer, BiConsumer<T, Throwable> what) {
        var _ =
                answer.whenComplete((value, failure) -> {
                    if (effect()) {
                        what.accept(value, failure);
                    }
                });
    }
}
