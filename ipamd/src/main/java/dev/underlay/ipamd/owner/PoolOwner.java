package dev.underlay.ipamd.owner;

import dev.underlay.cni.wiring.PodLink;
import dev.underlay.ipamd.journal.Journal;
import dev.underlay.ipamd.journal.JournalRecord.NetworkKnown;
import dev.underlay.ipamd.journal.JournalRecord.NodeKnown;
import dev.underlay.ipamd.observe.Events;
import dev.underlay.ipamd.observe.Metrics;
import dev.underlay.pool.AttachmentKey;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudAction;
import dev.underlay.pool.CloudAnswer;
import dev.underlay.pool.Cordon;
import dev.underlay.pool.Counts;
import dev.underlay.pool.Demand;
import dev.underlay.pool.Families;
import dev.underlay.pool.InterfaceView;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.NodeIdentity;
import dev.underlay.pool.Outlook;
import dev.underlay.pool.Plan;
import dev.underlay.pool.Planner;
import dev.underlay.pool.Pool;
import dev.underlay.pool.PoolSettings;
import dev.underlay.pool.Refusal;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Owns the pool. Every public method but {@link #settle} may be called from any thread: it posts a
 * message and returns. After each batch of messages the queue is served, the planner asked and its
 * calls started.
 */
public final class PoolOwner {
    private final Mailbox mailbox;
    private final LongSupplier clock;
    private final Pool pool = new Pool();
    private final Ledger ledger;
    private final Attachments attachments;
    private final InterfaceKeeper keeper;
    private final Forgetting forgetting;
    private final Config config;
    private final Ports ports;
    private final Placement placement;
    private final CloudMemory memory;
    private PoolSettings settings;

    /** Which addresses pods get: those of the settings, unless pods live that have other ones. */
    private Families families;

    private Cordon cordon = Cordon.OPEN;
    private OptionalInt podCapacity = OptionalInt.empty();
    private Optional<NodeIdentity> node = Optional.empty();
    private OptionalLong restAllUntilNanos = OptionalLong.empty();
    private boolean familiesTold;
    private boolean reconciled;
    private volatile NodeState state = NodeState.STARTING;
    private final CompletableFuture<Void> serving = new CompletableFuture<>();

    /**
     * What was set.
     *
     * @param settings what holds until {@link #settings} says otherwise
     * @param addWaitNanos how long an ADD waits for an address, nanoseconds
     * @param maxWaiting how many may wait
     * @param tokens fresh random tokens for interfaces to be made
     */
    public record Config(
            PoolSettings settings, long addWaitNanos, int maxWaiting, Supplier<String> tokens) {}

    /** What lies outside. */
    public record Ports(CloudCalls cloud, NodeNetwork network, Metrics metrics) {}

    /** Nothing is asked of anyone before the first {@link #settle}. */
    public PoolOwner(
            Mailbox mailbox, LongSupplier clock, Journal journal, Config config, Ports ports) {
        this.mailbox = mailbox;
        this.clock = clock;
        this.config = config;
        this.settings = config.settings();
        this.families = settings.families();
        pool.setFamilies(families);
        this.ports = ports;
        this.ledger = new Ledger(journal, clock, ports.metrics());
        this.placement = new Placement(pool, ledger);
        this.memory = new CloudMemory(pool, ledger);
        this.attachments =
                new Attachments(
                        pool,
                        ledger,
                        clock,
                        () -> settings().cooldownNanos(),
                        new Attachments.Limits(config.maxWaiting(), config.addWaitNanos()),
                        ports.metrics());
        this.keeper =
                new InterfaceKeeper(pool, ports.network(), mailbox, clock, this::livingAddresses);
        this.forgetting = new Forgetting(pool, ports.network(), mailbox, clock);
    }

    // ---- attachments

    /** Asks for an address; see {@link AddAnswer} for what the caller owes afterwards. */
    public Turn.Add add(Sandbox sandbox) {
        Turn.Add turn = new Turn.Add(sandbox, new CompletableFuture<>());
        mailbox.post(() -> attachments.queue(turn));
        return turn;
    }

    /**
     * The pod of a granted ADD is wired.
     *
     * @param result the CNI result, for a repeat
     * @param link the host's end
     * @return false when the lease is gone; the caller must take the links down again
     */
    public CompletableFuture<Boolean> wired(Turn.Add turn, String result, PodLink link) {
        return ask(() -> attachments.wired(turn, result, link));
    }

    /**
     * Gives an ADD up, wherever it stands; what was wired is taken down already.
     *
     * @param wasReachable whether the pod's address could have been used, so that it must cool
     */
    public CompletableFuture<Boolean> abandon(Turn.Add turn, boolean wasReachable) {
        return ask(() -> {
            attachments.abandon(turn, wasReachable);
            return true;
        });
    }

    /**
     * Asks what a DEL has to take down; see {@link DelAnswer} for what the caller owes afterwards.
     *
     * @param beforeNanos for a DEL from the past: it means only a lease that is older
     */
    public Turn.Del del(AttachmentKey key, OptionalLong beforeNanos) {
        Turn.Del turn = new Turn.Del(key, beforeNanos, new CompletableFuture<>());
        mailbox.post(() -> attachments.queue(turn));
        return turn;
    }

    /** The pod of a DEL is taken down; its address cools from now on. */
    public CompletableFuture<Boolean> released(Turn.Del turn) {
        return ask(() -> {
            attachments.released(turn);
            return true;
        });
    }

    /** The pod of a DEL could not be taken down; the lease stays. */
    public void kept(Turn.Del turn) {
        mailbox.post(() -> attachments.kept(turn));
    }

    /** The lease of an attachment as it is journalled, with its link; for CHECK. */
    public CompletableFuture<Optional<StandingLease>> standing(AttachmentKey key) {
        return ask(() ->
                ledger.state()
                        .lease(key)
                        .map(lease -> new StandingLease(lease, attachments.link(key))));
    }

    /** Attachments that have a lease and no call under way, for GC and for DELs from the past. */
    public CompletableFuture<List<AttachmentKey>> idle() {
        return ask(attachments::idle);
    }

    /**
     * The indexes of all pods' links. One that a later look at the kernel lacks is gone; one that
     * came meanwhile is not among them.
     */
    public CompletableFuture<Set<Integer>> podLinks() {
        return ask(attachments::linkIndexes);
    }

    /** The kernel announced that the link with this index vanished; it may be anyone's. */
    public void linkGone(int index) {
        mailbox.post(() -> attachments.linkGone(index));
    }

    // ---- what administrators and the cluster say

    /** Other settings hold from now on; what they make superfluous goes back in time. */
    public void settings(PoolSettings changed) {
        mailbox.post(() -> settings = changed);
    }

    /** The cluster says whether it sends pods here. Until it does, the node is open. */
    public void cordon(Cordon said) {
        mailbox.post(() -> {
            if (cordon != said) {
                Events.info("node.cordon", "cordon", said);
            }
            cordon = said;
        });
    }

    /** The cluster says how many pods the node may run; the setting holds too, if there is one. */
    public void podCapacity(int pods) {
        mailbox.post(() -> podCapacity = OptionalInt.of(pods));
    }

    private PoolSettings settings() {
        return podCapacity.isPresent() ? settings.withMaxPods(podCapacity.getAsInt()) : settings;
    }

    // ---- the node and the cloud

    /** Puts in what journal and kernel know, before the first call is served. */
    public void recover(RecoveredState recovered) {
        mailbox.post(() -> {
            long now = clock.getAsLong();
            pool.restoreInterfaces(recovered.interfaces(), now);
            recovered.leases().forEach(lease -> placement.adopt(lease, now));
            recovered
                    .cooling()
                    .forEach(c ->
                            pool.restoreCooling(
                                    c.interfaceId(), c.address(), c.coolUntilNanos(), now));
            recovered.unfinished().forEach(one -> pool.restoreUnfinished(one, now));
            recovered.links().forEach(attachments::knowLink);
            ledger.note(recovered.news());
            chooseFamilies();
            recovered.node().ifPresent(this::setNode);
            if (!recovered.networkCidrs().isEmpty()) {
                ports.network().networkCidrs(recovered.networkCidrs());
            }
            keeper.reconcile(pool.interfaces());
        });
    }

    /**
     * The journal has lost records, and with them perhaps which addresses rest: all that have no
     * pod do, those that are known now and those of the cloud's first description.
     */
    public void restAll(long untilNanos) {
        mailbox.post(() -> {
            restAllUntilNanos = OptionalLong.of(untilNanos);
            pool.restAll(untilNanos, clock.getAsLong());
        });
    }

    /** Metadata said what the node is. */
    public void identified(NodeIdentity identity) {
        mailbox.post(() -> {
            if (!node.equals(Optional.of(identity))) {
                ledger.note(List.of(new NodeKnown(identity)));
            }
            setNode(identity);
            if (settings.prefixDelegation()
                    && families.has(IpAddress.Family.IPV4)
                    && !identity.limits().prefixes()) {
                Events.warn(
                        "prefixes.unsupported",
                        "type",
                        identity.instanceType(),
                        "setting",
                        "ENABLE_PREFIX_DELEGATION",
                        "instead",
                        "single addresses");
            }
        });
        networkCidrs(identity.networkCidrs());
    }

    private void setNode(NodeIdentity identity) {
        node = Optional.of(identity);
        pool.setLimits(identity.limits());
        pool.setNodeHasIpv6(identity.primaryIpv6().isPresent());
        tellOwnIpv6();
    }

    private void tellOwnIpv6() {
        node.ifPresent(identity ->
                keeper.ownIpv6(
                        identity.primaryInterfaceId(),
                        identity.primaryIpv6().filter(_ -> families.has(IpAddress.Family.IPV6))));
    }

    /** A pod keeps what it has: other families begin once no pod of the former ones is left. */
    private void chooseFamilies() {
        Set<IpAddress.Family> living =
                livingAddresses().stream().map(IpAddress::family).collect(Collectors.toSet());
        Families now = living.isEmpty() ? settings.families() : Families.of(living);
        if (now != settings.families() && !familiesTold) {
            familiesTold = true;
            Events.warn(
                    "families.kept",
                    "families",
                    now,
                    "setting",
                    settings.families(),
                    "pods",
                    ledger.state().leases().size(),
                    "next",
                    "drain the node; the setting holds once the last of these pods has ended");
        }
        if (now != families) {
            families = now;
            pool.setFamilies(now);
            tellOwnIpv6();
            if (now == settings.families()) {
                Events.info("families.changed", "families", now);
            }
        }
    }

    /** Metadata said which CIDRs the network has; an empty list is never believed. */
    public void networkCidrs(List<Cidr> cidrs) {
        mailbox.post(() -> {
            if (!cidrs.isEmpty() && !cidrs.equals(ledger.state().networkCidrs())) {
                ledger.note(List.of(new NetworkKnown(cidrs)));
                Events.info("network.cidrs", "cidrs", cidrs);
                ports.network().networkCidrs(cidrs);
            }
        });
    }

    /** The kernel announced that an interface's link vanished. */
    public void interfaceLinkGone(String interfaceId) {
        mailbox.post(() -> keeper.linkGone(interfaceId));
    }

    /** Whoever answers twice is heard once. */
    private Consumer<CloudAnswer<?>> hearing(CloudAction action) {
        AtomicBoolean heard = new AtomicBoolean();
        return answer -> {
            if (!heard.getAndSet(true)) {
                mailbox.post(() -> answered(action, answer));
            }
        };
    }

    private void answered(CloudAction action, CloudAnswer<?> answer) {
        CompletableFuture<Void> routed = keeper.prepare(action, answer);
        if (routed.isDone()) {
            end(action, answer);
        } else {
            var _ = routed.whenComplete((_, _) -> mailbox.post(() -> answered(action, answer)));
        }
    }

    private void end(CloudAction action, CloudAnswer<?> answer) {
        long now = clock.getAsLong();
        if (action instanceof CloudAction.Describe
                && answer instanceof CloudAnswer.Done<?>(var described)) {
            placement.described(InterfaceKeeper.interfacesIn(described), now);
        }
        pool.end(action, answer, now);
        keeper.heard(action);
        ledger.note(memory.news());
        switch (answer) {
            case CloudAnswer.Done<?> _ -> {
                Events.info("cloud.done", "action", action);
                if (action instanceof CloudAction.Describe) {
                    if (!reconciled) {
                        restAllUntilNanos.ifPresent(until -> pool.restAll(until, now));
                    }
                    reconciled = true;
                    keeper.tidy(pool.interfaces());
                }
            }
            case CloudAnswer.Refused<?>(var refusal, var message) ->
                    Events.warn(
                            "cloud.refused",
                            "action",
                            action,
                            "refusal",
                            refusal,
                            "error",
                            message);
        }
    }

    private Set<IpAddress> livingAddresses() {
        return ledger.state().leases().stream()
                .flatMap(lease -> lease.addresses().stream())
                .collect(Collectors.toSet());
    }

    // ---- after every batch of messages

    /**
     * Serves the queue, plans, starts calls. On the owner's thread.
     *
     * @return the next instant at which time alone changes something
     */
    public OptionalLong settle() {
        long now = clock.getAsLong();
        if (families != settings.families()) {
            chooseFamilies();
        }
        keeper.reconcile(pool.interfaces());
        OptionalLong forgetAgain = forgetting.start(now);
        attachments.serveQueue(pool.counts(now).free());
        Plan plan =
                Planner.plan(
                        pool,
                        settings(),
                        new Demand(attachments.waitingCount(), cordon),
                        now,
                        config.tokens());
        begin(plan.actions(), now);
        attachments.outlook(
                new NoAddress(
                        plan.outlook(),
                        pool.nextCooledNanos(now),
                        families == Families.BOTH ? pool.missing(now) : List.of()));
        publish(plan.outlook(), now);
        return Stream.of(
                        plan.wakeAtNanos(),
                        attachments.nextDeadlineNanos(),
                        keeper.nextTryNanos(),
                        forgetAgain)
                .flatMapToLong(OptionalLong::stream)
                .min();
    }

    /** What the journal cannot take is not begun: a restart would not know of it. */
    private void begin(List<CloudAction> actions, long now) {
        if (actions.isEmpty()) {
            return;
        }
        actions.forEach(action -> pool.begin(action, now));
        try {
            ledger.intend(memory.news());
        } catch (IOException e) {
            CloudAnswer<?> refused =
                    new CloudAnswer.Refused<>(Refusal.UNAVAILABLE, String.valueOf(e.getMessage()));
            actions.forEach(action -> pool.end(action, refused, now));
            return;
        }
        for (CloudAction action : actions) {
            ports.metrics().planned(action.getClass().getSimpleName());
            ports.cloud().start(action, hearing(action));
        }
    }

    private void publish(Outlook outlook, long now) {
        Counts counts = pool.counts(now);
        List<InterfaceView> interfaces = pool.interfaces();
        ports.metrics()
                .now(
                        new Metrics.Gauges(
                                counts.free(),
                                counts.leased(),
                                counts.cooling(),
                                counts.requested(),
                                interfaces.size(),
                                attachments.waitingCount()),
                        ledger.bytes());
        state = new NodeState(reconciled, outlook, keeper.problems());
        if (!serving.isDone() && state.refusal(now).isEmpty()) {
            serving.complete(null);
        }
    }

    /** What STATUS and readiness are answered from; never blocks. */
    public NodeState state() {
        return state;
    }

    /** Done when an ADD could first succeed. */
    public CompletionStage<Void> serving() {
        return serving.minimalCompletionStage();
    }

    /** Everything at one moment, for people. */
    public CompletableFuture<StatusReport> report() {
        return ask(() ->
                StatusReport.of(
                        pool,
                        ledger,
                        node,
                        state,
                        attachments.waitingCount(),
                        new StatusReport.InForce(
                                settings(), families, cordon, config.addWaitNanos()),
                        clock.getAsLong()));
    }

    /** Who has and had which address, by the clock on the wall. */
    public CompletableFuture<HistoryReport> history(Instant wall) {
        return ask(() -> HistoryReport.of(ledger.state(), clock.getAsLong(), wall));
    }

    private <T> CompletableFuture<T> ask(Supplier<T> question) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        mailbox.post(() -> {
            try {
                answer.complete(question.get());
            } catch (RuntimeException e) {
                answer.completeExceptionally(e);
                throw e;
            }
        });
        return answer;
    }
}
