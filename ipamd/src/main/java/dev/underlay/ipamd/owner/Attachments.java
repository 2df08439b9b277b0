package dev.underlay.ipamd.owner;

import dev.underlay.cni.protocol.CniError;
import dev.underlay.cni.wiring.PodLink;
import dev.underlay.ipamd.journal.JournalRecord.Held;
import dev.underlay.ipamd.journal.JournalRecord.Leased;
import dev.underlay.ipamd.journal.JournalRecord.Released;
import dev.underlay.ipamd.journal.JournalRecord.Wired;
import dev.underlay.ipamd.observe.Events;
import dev.underlay.ipamd.observe.Metrics;
import dev.underlay.pool.AttachmentKey;
import dev.underlay.pool.Lease;
import dev.underlay.pool.LeaseAnswer;
import dev.underlay.pool.Pool;
import dev.underlay.pool.WaitQueue;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;

/**
 * Every attachment's turns and leases. On the owner's thread only.
 *
 * <pre>
 *   ADD: (its turn) -> waiting -> granted -> wired | abandoned
 *   DEL: (its turn) -> nothing | unwiring -> released | kept
 * </pre>
 *
 * <p>The head of an attachment's line has the turn. A DEL takes the turn from an ADD that waits for
 * an address; behind an ADD that is being wired it waits.
 */
final class Attachments {
    /** How many calls about one attachment may be queued; a runtime sends one after the other. */
    private static final int MAX_LINE = 8;

    private final Pool pool;
    private final Ledger ledger;
    private final LongSupplier clock;
    private final LongSupplier coolForNanos;
    private final Limits limits;
    private final Metrics metrics;
    private final WaitQueue<Turn.Add> waiting;
    private final Map<AttachmentKey, Deque<Turn>> lines = new HashMap<>();
    private final Map<AttachmentKey, PodLink> links = new HashMap<>();
    private NoAddress outlook = NoAddress.STARTING;

    /**
     * Bounds of an ADD.
     *
     * @param waiting how many may wait at once
     * @param waitNanos how long one waits, nanoseconds
     */
    record Limits(int waiting, long waitNanos) {}

    /**
     * @param coolForNanos how long an address rests after a pod, nanoseconds; asked at each release
     */
    Attachments(
            Pool pool,
            Ledger ledger,
            LongSupplier clock,
            LongSupplier coolForNanos,
            Limits limits,
            Metrics metrics) {
        this.pool = pool;
        this.ledger = ledger;
        this.clock = clock;
        this.coolForNanos = coolForNanos;
        this.limits = limits;
        this.metrics = metrics;
        this.waiting = new WaitQueue<>(limits.waiting());
    }

    // ---- turns

    void queue(Turn turn) {
        Deque<Turn> line = lines.computeIfAbsent(turn.key(), _ -> new ArrayDeque<>());
        if (line.size() >= MAX_LINE) {
            refuse(turn);
            return;
        }
        line.add(turn);
        if (turn instanceof Turn.Del
                && line.peek() instanceof Turn.Add first
                && waiting.cancel(first.key()).isPresent()) {
            first.answer()
                    .complete(
                            new AddAnswer.Refused(
                                    CniError.tryAgain(
                                            "a DEL of the same sandbox came while this ADD waited"
                                                    + " for an address; nothing was leased",
                                            "")));
            finish(first);
        } else if (line.size() == 1) {
            start(turn);
        }
    }

    private static void refuse(Turn turn) {
        String crowded = MAX_LINE + " calls about " + turn.key() + " are queued already";
        switch (turn) {
            case Turn.Add add ->
                    add.answer().complete(new AddAnswer.Refused(CniError.tryAgain(crowded, "")));
            case Turn.Del del ->
                    del.answer().completeExceptionally(new IllegalStateException(crowded));
        }
    }

    private void start(Turn turn) {
        switch (turn) {
            case Turn.Add add -> startAdd(add);
            case Turn.Del del -> startDel(del);
        }
    }

    /** Ends the turn of the head of a line; late and repeated calls change nothing. */
    private void finish(Turn turn) {
        Deque<Turn> line = lines.get(turn.key());
        if (line == null || !turn.equals(line.peek())) {
            return;
        }
        line.remove();
        Turn next = line.peek();
        if (next == null) {
            lines.remove(turn.key());
        } else {
            start(next);
        }
    }

    /** Ends a turn that has nothing to leave behind, whether it came up already or not. */
    private void leave(Turn turn) {
        if (hasTurn(turn)) {
            finish(turn);
        } else if (lines.containsKey(turn.key())) {
            lines.get(turn.key()).remove(turn);
        }
    }

    private boolean hasTurn(Turn turn) {
        Deque<Turn> line = lines.get(turn.key());
        return line != null && turn.equals(line.peek());
    }

    // ---- ADD

    private void startAdd(Turn.Add add) {
        Optional<Leased> held = ledger.state().lease(add.key());
        if (held.isPresent()) {
            repeat(add, held.get());
            return;
        }
        if (waiting.size() == 0 && grant(add)) {
            return;
        }
        metrics.waited();
        if (!waiting.offer(add.key(), add, clock.getAsLong() + limits.waitNanos())) {
            answer(add, noAddress(limits.waiting() + " pods wait for an address already"));
        }
    }

    /** A runtime repeats an ADD, or an earlier daemon died in the middle of it. */
    private void repeat(Turn.Add add, Leased held) {
        if (held.namespaceInode() != add.sandbox().namespaceInode()) {
            answer(
                    add,
                    new AddAnswer.Refused(
                            CniError.attachedElsewhere(
                                    add.key().containerId(), add.key().interfaceName())));
            return;
        }
        Optional<String> result = ledger.state().result(add.key());
        if (result.isPresent()) {
            answer(add, new AddAnswer.Stored(result.get()));
            return;
        }
        add.answer()
                .complete(new AddAnswer.Granted(held, Optional.ofNullable(links.get(held.key()))));
    }

    private void answer(Turn.Add add, AddAnswer answer) {
        add.answer().complete(answer);
        finish(add);
    }

    /** False when a family that the pod needs has no address free. */
    private boolean grant(Turn.Add add) {
        long now = clock.getAsLong();
        List<Lease> leases =
                switch (pool.lease(add.key(), now)) {
                    case LeaseAnswer.Leased(var fresh) -> fresh;
                    case LeaseAnswer.AlreadyLeased(var known) -> known;
                    case LeaseAnswer.NoneFree() -> List.of();
                };
        if (leases.isEmpty()) {
            return false;
        }
        Leased lease = leased(add.sandbox(), leases, now);
        try {
            ledger.intend(List.of(lease));
        } catch (IOException e) {
            pool.release(add.key(), now, 0);
            answer(
                    add,
                    new AddAnswer.Refused(
                            CniError.tryAgain(
                                    "the lease could not be journalled: " + e.getMessage(), "")));
            return true;
        }
        add.answer().complete(new AddAnswer.Granted(lease, Optional.empty()));
        return true;
    }

    private static Leased leased(Sandbox sandbox, List<Lease> leases, long atNanos) {
        return new Leased(
                sandbox.key(),
                sandbox.namespaceInode(),
                sandbox.podNamespace(),
                sandbox.podName(),
                leases.stream().map(one -> new Held(one.address(), one.interfaceId())).toList(),
                atNanos);
    }

    /** The pod is wired; false when the lease was lost meanwhile. */
    boolean wired(Turn.Add add, String result, PodLink link) {
        if (!hasTurn(add) || ledger.state().lease(add.key()).isEmpty()) {
            return false;
        }
        ledger.note(List.of(new Wired(add.key(), result)));
        links.put(add.key(), link);
        finish(add);
        return true;
    }

    /** The caller gives up its ADD, wherever it stands, and has taken down what it wired. */
    void abandon(Turn.Add add, boolean wasReachable) {
        if (waiting.cancel(add.key()).filter(add::equals).isPresent()) {
            add.answer()
                    .complete(new AddAnswer.Refused(CniError.tryAgain("the caller has gone", "")));
            finish(add);
            return;
        }
        if (hasTurn(add)) {
            release(add.key(), wasReachable ? coolForNanos.getAsLong() : 0);
            finish(add);
            return;
        }
        leave(add);
    }

    // ---- DEL

    private void startDel(Turn.Del del) {
        Optional<Leased> held =
                ledger.state()
                        .lease(del.key())
                        .filter(lease ->
                                del.beforeNanos().isEmpty()
                                        || lease.atNanos() < del.beforeNanos().getAsLong());
        del.answer()
                .complete(
                        held.<DelAnswer>map(lease ->
                                        new DelAnswer.Unwire(
                                                new StandingLease(lease, link(del.key()))))
                                .orElseGet(DelAnswer.Nothing::new));
        if (held.isEmpty()) {
            finish(del);
        }
    }

    /** The pod's links are down. */
    void released(Turn.Del del) {
        if (hasTurn(del)) {
            release(del.key(), coolForNanos.getAsLong());
            finish(del);
        }
    }

    /** The pod's links could not be taken down; the lease stays and the runtime repeats its DEL. */
    void kept(Turn.Del del) {
        leave(del);
    }

    /** A link vanished: if it was a pod's, the pod's namespace is gone, perhaps without a DEL. */
    void linkGone(int index) {
        links.entrySet().stream()
                .filter(one -> one.getValue().index() == index)
                .map(Map.Entry::getKey)
                .findFirst()
                .ifPresent(this::orphaned);
    }

    private void orphaned(AttachmentKey key) {
        if (lines.containsKey(key)) {
            return; // A call about it runs and sees for itself.
        }
        Events.info("address.orphaned", "container", key.containerId());
        release(key, coolForNanos.getAsLong());
    }

    /**
     * The lease ends in the pool and in the journal; the pool may not know it, when the cloud has
     * not said yet whose address it is.
     */
    private void release(AttachmentKey key, long restNanos) {
        long now = clock.getAsLong();
        links.remove(key);
        pool.release(key, now, restNanos);
        ledger.state()
                .lease(key)
                .map(over -> new Released(key, over.addresses(), now + restNanos, now))
                .ifPresent(released -> ledger.note(List.of(released)));
    }

    // ---- after every event

    /** Refuses those who waited too long, then serves the others in their order. */
    void serveQueue(int free) {
        for (Turn.Add late : waiting.expire(clock.getAsLong())) {
            answer(
                    late,
                    noAddress(
                            "no address came within "
                                    + limits.waitNanos() / 1_000_000_000L
                                    + " s"));
        }
        for (int left = free; left > 0; left--) {
            Optional<Turn.Add> next = waiting.poll();
            if (next.isEmpty()) {
                return;
            }
            if (!grant(next.get())) {
                answer(next.get(), noAddress("no address is free"));
            }
        }
    }

    /** What stands in the way of an address, for the words of a refusal. */
    void outlook(NoAddress why) {
        outlook = why;
    }

    private AddAnswer.Refused noAddress(String what) {
        return new AddAnswer.Refused(outlook.error(what, clock.getAsLong()));
    }

    int waitingCount() {
        return waiting.size();
    }

    OptionalLong nextDeadlineNanos() {
        return waiting.nextDeadlineNanos();
    }

    void knowLink(AttachmentKey key, PodLink link) {
        links.put(key, link);
    }

    Optional<PodLink> link(AttachmentKey key) {
        return Optional.ofNullable(links.get(key));
    }

    /** The links of all pods, by index; each was in the kernel before it came in here. */
    Set<Integer> linkIndexes() {
        return links.values().stream().map(PodLink::index).collect(Collectors.toUnmodifiableSet());
    }

    /** Attachments that have a lease and no call under way. */
    List<AttachmentKey> idle() {
        return ledger.state().leases().stream()
                .map(Leased::key)
                .filter(key -> !lines.containsKey(key))
                .toList();
    }
}
