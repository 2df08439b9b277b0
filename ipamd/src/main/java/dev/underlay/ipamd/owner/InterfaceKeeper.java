package dev.underlay.ipamd.owner;

import dev.underlay.ipamd.observe.Events;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudAction;
import dev.underlay.pool.CloudAnswer;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.InterfaceLife;
import dev.underlay.pool.InterfaceView;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.Pool;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * Keeps the kernel in step with the pool's interfaces: a block is routed before any of its
 * addresses may be leased and until the cloud has taken it back. Once a block is routed, what the
 * node remembers of its addresses' former lives goes: on other nodes, or while the daemon was away.
 * On the owner's thread only.
 *
 * <pre>
 *   BARE -> CONFIGURING   the cloud attached it
 *   CONFIGURING -> READY  the kernel has it; its addresses may be leased
 *   CONFIGURING -> BARE   the kernel refused; tried again after a pause
 *   READY -> BARE         detached, or its link vanished
 * </pre>
 */
final class InterfaceKeeper {
    /** First pause after a failure; doubled each time. */
    private static final long FIRST_PAUSE_NANOS = 1_000_000_000L;

    private static final int MAX_PAUSE_DOUBLINGS = 5;

    private enum Phase {
        BARE,
        CONFIGURING,
        READY
    }

    private static final class Kept {
        private CloudInterface cloud;
        private Phase phase = Phase.BARE;
        private Set<Cidr> routed = Set.of();

        /** Whether what is being configured must be configured again. */
        private boolean outdated;

        /** Done when the kernel has all that was added to {@link #routed}. */
        private CompletableFuture<Void> routing = CompletableFuture.completedFuture(null);

        private int failures;
        private long notBeforeNanos = Long.MIN_VALUE;
        private String problem = "";

        Kept(CloudInterface cloud) {
            this.cloud = cloud;
        }
    }

    private final Pool pool;
    private final NodeNetwork network;
    private final Mailbox mailbox;
    private final LongSupplier clock;
    private final Supplier<Set<IpAddress>> living;
    private final Map<String, Kept> kept = new TreeMap<>();

    /** Whether the kernel may have what no interface needs: an earlier process may have left it. */
    private boolean remains = true;

    private Optional<IpAddress> ownIpv6 = Optional.empty();

    /** Calls whose answers are prepared: the pool has not heard of them. */
    private final Set<CloudAction> preparing = new HashSet<>();

    /**
     * @param living every address that a pod has, of which the pool may not know yet
     */
    InterfaceKeeper(
            Pool pool,
            NodeNetwork network,
            Mailbox mailbox,
            LongSupplier clock,
            Supplier<Set<IpAddress>> living) {
        this.living = living;
        this.pool = pool;
        this.network = network;
        this.mailbox = mailbox;
        this.clock = clock;
    }

    /**
     * Routes the blocks that an answer brings, before the pool hears of them. An interface may
     * become ready or break meanwhile, so the same is asked again until it is done at once; then
     * the pool hears of the answer and {@link #heard} follows.
     *
     * @return done when all is routed that can be; never fails
     */
    CompletableFuture<Void> prepare(CloudAction action, CloudAnswer<?> answer) {
        preparing.add(action);
        List<CompletionStage<Void>> routed = new ArrayList<>();
        if (answer instanceof CloudAnswer.Done<?>(var value)) {
            switch (action) {
                case CloudAction.AssignBlocks assign ->
                        routed.add(route(assign.interfaceId(), blocksIn(value)));
                case CloudAction.Describe _ ->
                        interfacesIn(value).forEach(i -> routed.add(route(i.id(), i.blocks())));
                case CloudAction.AttachInterface _,
                        CloudAction.CreateInterface _,
                        CloudAction.DeleteInterface _,
                        CloudAction.DetachInterface _,
                        CloudAction.UnassignBlocks _ -> {}
            }
        }
        return CompletableFuture.allOf(
                routed.stream()
                        .map(CompletionStage::toCompletableFuture)
                        .toArray(CompletableFuture[]::new));
    }

    /** The pool has heard of the answer to this call. */
    void heard(CloudAction action) {
        preparing.remove(action);
    }

    /** Adds to the routed blocks of an interface that is ready; others get theirs with the rest. */
    private CompletionStage<Void> route(String interfaceId, Collection<Cidr> blocks) {
        Kept one = kept.get(interfaceId);
        if (one == null || one.phase != Phase.READY) {
            return CompletableFuture.completedFuture(null);
        }
        if (one.routed.containsAll(blocks)) {
            return one.routing; // another answer has brought them, perhaps just now
        }
        Set<Cidr> all = new TreeSet<>(one.routed);
        all.addAll(blocks);
        List<Cidr> fresh = blocks.stream().filter(block -> !one.routed.contains(block)).toList();
        Set<IpAddress> inUse = living.get();
        one.routing =
                CompletableFuture.allOf(
                        one.routing,
                        setBlocks(one, all)
                                .thenCompose(_ -> network.forgetFlows(fresh, inUse))
                                .toCompletableFuture());
        return one.routing;
    }

    private CompletionStage<Void> setBlocks(Kept one, Set<Cidr> blocks) {
        one.routed = blocks;
        return network.setBlocks(one.cloud, List.copyOf(blocks))
                .exceptionally(e -> {
                    mailbox.post(() -> failed(one, e));
                    return null;
                });
    }

    /** Compares the kernel's interfaces with the pool's and starts what is missing. */
    void reconcile(List<InterfaceView> views) {
        List<InterfaceView> present = views.stream().filter(InterfaceKeeper::isHere).toList();
        Set<String> ids = present.stream().map(InterfaceView::id).collect(Collectors.toSet());
        // What went is taken down first: another one may have come to its device index.
        List.copyOf(kept.keySet()).stream().filter(id -> !ids.contains(id)).forEach(this::drop);
        present.forEach(view -> keep(view.cloud().orElseThrow(), blocksOf(view)));
    }

    private static boolean isHere(InterfaceView view) {
        return view.cloud().flatMap(CloudInterface::attachment).isPresent()
                && (view.life() == InterfaceLife.ATTACHED || view.life() == InterfaceLife.DRAINING);
    }

    private void keep(CloudInterface cloud, Set<Cidr> blocks) {
        Kept one = kept.computeIfAbsent(cloud.id(), _ -> new Kept(cloud));
        one.cloud = cloud;
        switch (one.phase) {
            case BARE -> {
                if (clock.getAsLong() >= one.notBeforeNanos) {
                    configure(one, blocks);
                }
            }
            case READY -> {
                // What the pool does not know may be a block that it is about to hear of.
                if (preparing.isEmpty() && !one.routed.equals(blocks)) {
                    // Nobody waits: what goes is leased to nobody.
                    setBlocks(one, blocks);
                }
            }
            case CONFIGURING -> {}
        }
    }

    private void configure(Kept one, Set<Cidr> blocks) {
        one.phase = Phase.CONFIGURING;
        one.outdated = false;
        one.routed = blocks;
        String id = one.cloud.id();
        List<Cidr> all = List.copyOf(blocks);
        Set<IpAddress> inUse = living.get();
        network.configure(one.cloud, all)
                .thenCompose(_ -> network.forgetFlows(all, inUse))
                .whenComplete((_, e) ->
                        mailbox.post(() -> {
                            if (kept.get(id) != one) {
                                return; // Detached meanwhile.
                            }
                            if (e != null) {
                                failed(one, e);
                            } else {
                                configured(one);
                            }
                        }));
    }

    private void configured(Kept one) {
        if (one.outdated || !one.routed.containsAll(blocksOf(one.cloud.id()))) {
            one.phase = Phase.BARE; // More came meanwhile: at once again, with it.
            return;
        }
        one.phase = Phase.READY;
        one.failures = 0;
        one.problem = "";
        pool.linkReady(one.cloud.id());
        Events.info(
                "interface.ready",
                "eni",
                one.cloud.id(),
                "address",
                one.cloud.primaryAddress(),
                "blocks",
                one.routed.size());
    }

    private void failed(Kept one, Throwable cause) {
        if (kept.get(one.cloud.id()) != one) {
            return;
        }
        Throwable root = cause.getCause() == null ? cause : cause.getCause();
        one.phase = Phase.BARE;
        one.problem = one.cloud.id() + ": " + root.getMessage();
        one.notBeforeNanos =
                clock.getAsLong()
                        + (FIRST_PAUSE_NANOS << Math.min(one.failures, MAX_PAUSE_DOUBLINGS));
        one.failures++;
        pool.linkGone(one.cloud.id(), clock.getAsLong());
        Events.warn(
                "interface.failed",
                "eni",
                one.cloud.id(),
                "tries",
                one.failures,
                "error",
                root.getMessage());
    }

    /**
     * Says which IPv6 address is the node's own, empty for one that needs none. Where the kernel
     * refuses, the primary interface counts as broken, and is configured with it after a pause.
     */
    void ownIpv6(String primaryId, Optional<IpAddress> address) {
        if (address.equals(ownIpv6)) {
            return;
        }
        ownIpv6 = address;
        network.ownIpv6(address)
                .exceptionally(e -> {
                    mailbox.post(() -> ownIpv6Refused(primaryId, e));
                    return null;
                });
    }

    private void ownIpv6Refused(String primaryId, Throwable cause) {
        Kept primary = kept.get(primaryId);
        if (primary == null) {
            return;
        }
        switch (primary.phase) {
            case READY -> failed(primary, cause);
            case CONFIGURING -> primary.outdated = true; // perhaps it was there too early
            case BARE -> {} // What comes next is configured with it.
        }
    }

    /** The kernel announced that the interface's link vanished. */
    void linkGone(String interfaceId) {
        Kept one = kept.get(interfaceId);
        if (one != null && one.phase == Phase.READY) {
            remove(one.cloud);
            failed(one, new IllegalStateException("its link vanished from the node"));
        }
    }

    private void drop(String id) {
        Kept one = kept.remove(id);
        if (one != null) {
            pool.linkGone(id, clock.getAsLong());
            remove(one.cloud); // also after a failure: the kernel may have a part of it
        }
    }

    private void remove(CloudInterface cloud) {
        unlessRefused(network.remove(cloud), cloud.id());
    }

    /** Once the cloud has said what is there: takes away what is left of other interfaces. */
    void tidy(List<InterfaceView> views) {
        if (!remains) {
            return;
        }
        remains = false;
        unlessRefused(
                network.keepOnly(
                        views.stream()
                                .flatMap(view -> view.cloud().stream())
                                .filter(one -> one.attachment().isPresent())
                                .toList()),
                "others");
    }

    private void unlessRefused(CompletionStage<Void> removal, String what) {
        removal.whenComplete((_, e) -> {
            if (e != null) {
                Events.warn("interface.remains", "eni", what, "error", e.getMessage());
                mailbox.post(() -> remains = true);
            }
        });
    }

    /** What is broken, one sentence each. */
    List<String> problems() {
        return kept.values().stream().map(one -> one.problem).filter(p -> !p.isEmpty()).toList();
    }

    /** When a failed one is tried again. */
    OptionalLong nextTryNanos() {
        return kept.values().stream()
                .filter(one -> one.phase == Phase.BARE && one.failures > 0)
                .mapToLong(one -> one.notBeforeNanos)
                .min();
    }

    private Set<Cidr> blocksOf(String id) {
        return pool.interfaces().stream()
                .filter(view -> view.id().equals(id))
                .findFirst()
                .map(InterfaceKeeper::blocksOf)
                .orElse(Set.of());
    }

    static Set<Cidr> blocksOf(InterfaceView view) {
        Set<Cidr> blocks = new TreeSet<>();
        view.blocks().forEach(block -> blocks.add(block.cidr()));
        return blocks;
    }

    private static List<Cidr> blocksIn(Object value) {
        return value instanceof List<?> list
                ? list.stream().filter(Cidr.class::isInstance).map(Cidr.class::cast).toList()
                : List.of();
    }

    static List<CloudInterface> interfacesIn(Object value) {
        return value instanceof List<?> list
                ? list.stream()
                        .filter(CloudInterface.class::isInstance)
                        .map(CloudInterface.class::cast)
                        .toList()
                : List.of();
    }
}
