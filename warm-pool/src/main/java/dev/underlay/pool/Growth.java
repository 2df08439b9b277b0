package dev.underlay.pool;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;

/**
 * Finds room for the whole deficit at once: first on the interfaces that are here, one call for
 * each, then on new ones that are made with their addresses. Where a call is in flight or a look is
 * due, the room is kept for a later call and nothing else is asked for in its place.
 *
 * <p>A block takes one slot of an interface, whatever its size. Where prefixes are wanted and the
 * subnet lately had none, single addresses are asked for, not more of them than pods need soon.
 *
 * <p>All pods have their IPv6 addresses out of one /80 on the primary interface, which is enough
 * for ever: its routes are those of the node, whatever interface a pod's IPv4 address is on.
 */
final class Growth {
    private final Pool pool;
    private final PoolSettings settings;
    private final NodeIdentity.Limits limits;
    private final long nowNanos;
    private final Supplier<String> tokens;

    private final boolean whole;
    private final long wanted;
    private final List<CloudAction> actions = new ArrayList<>();
    private long left;
    private long singles;
    private long budget;
    private long found;
    private Optional<Outlook.Stuck> obstacle = Optional.empty();
    private final Optional<Outlook.Stuck> ipv6;

    Growth(
            Pool pool,
            PoolSettings settings,
            NodeIdentity.Limits limits,
            Demand demand,
            long nowNanos,
            Supplier<String> tokens) {
        this.pool = pool;
        this.settings = settings;
        this.limits = limits;
        this.nowNanos = nowNanos;
        this.tokens = tokens;
        Families families = pool.inventory().families;
        ipv6 = families.has(IpAddress.Family.IPV6) ? ipv6() : Optional.empty();
        Counts counts = pool.counts(nowNanos);
        Targets.Want want =
                families.has(IpAddress.Family.IPV4)
                        ? Targets.want(settings, counts, demand, perInterface(limits))
                        : Targets.Want.NOTHING;
        wanted = want.slots();
        whole = want.whole();
        left = wanted;
        singles = want.single();
        budget = Targets.ceiling(settings, counts);
        if (budget == 0) {
            meet(podLimit());
        }
        pool.inventory().interfaces().forEach(this::fill);
        pool.flights().creating().forEach(this::reserve);
        create();
    }

    /** How many addresses for pods an interface can hold. */
    static int perInterface(NodeIdentity.Limits limits) {
        return limits.addressesPerInterface() - 1; // its primary address is not a pod's
    }

    /** The calls to make. */
    List<CloudAction> actions() {
        return actions;
    }

    /** How many addresses are missing. */
    long wanted() {
        return wanted;
    }

    /** For how many of them there is room that can be had now or after a call in flight. */
    long found() {
        return found;
    }

    /** What stood in the way first, if something did. */
    Optional<Outlook.Stuck> obstacle() {
        return obstacle;
    }

    /** What stands in the way of the /80, if it is needed and cannot be had. */
    Optional<Outlook.Stuck> ipv6Obstacle() {
        return ipv6;
    }

    private Optional<Outlook.Stuck> ipv6() {
        Inventory inventory = pool.inventory();
        if (!inventory.nodeServes()) {
            return Optional.of(noIpv6OfItsOwn());
        }
        boolean here =
                inventory.blocks().stream()
                        .filter(block -> block.family() == IpAddress.Family.IPV6)
                        .anyMatch(block ->
                                Choice.leasable(block)
                                        && inventory
                                                .find(block.interfaceId)
                                                .filter(Growth::staying)
                                                .isPresent());
        boolean coming =
                pool.flights().all().stream()
                        .map(Answers::kind)
                        .anyMatch(Answers.ASSIGN_IPV6::equals);
        Optional<PooledInterface> primary =
                inventory.interfaces().stream().filter(PooledInterface::primary).findFirst();
        if (here || coming || primary.isEmpty()) {
            return Optional.empty();
        }
        if (!limits.prefixes()) {
            return Optional.of(noPrefixes());
        }
        String id = primary.get().id;
        Optional<Hold> hold = hold(id).or(() -> hold(Answers.ASSIGN_IPV6));
        if (hold.isPresent()) {
            return hold.map(Prospect::stuck);
        }
        boolean movable = !pool.flights().busy(id) && !pool.flights().doubted(id);
        if (movable && primary.get().standing == Standing.CONFIRMED) {
            actions.add(new CloudAction.AssignBlocks(id, BlockKind.PREFIX_80, 1));
        }
        if (pool.inventory().families == Families.IPV6) {
            found += BlockKind.PREFIX_80.usable(); // now, or after a call in flight
        }
        return Optional.empty();
    }

    private static boolean staying(PooledInterface one) {
        return one.life == InterfaceLife.REQUESTED || one.life == InterfaceLife.ATTACHED;
    }

    private void fill(PooledInterface one) {
        BlockKind kind = kind(one.subnetId().orElse(""));
        boolean ours = !(one.primary() && settings.customNetworking());
        Flights flights = pool.flights();
        int blocks = pool.inventory().ipv4Blocks(one.id) + flights.assigning(one.id);
        int room = room(blocks);
        if (!staying(one)
                || !ours
                || one.standing != Standing.CONFIRMED
                || room <= 0
                || left <= 0) {
            return;
        }
        if (one.life == InterfaceLife.REQUESTED
                || flights.busy(one.id)
                || flights.doubted(one.id)) {
            take(room, kind);
            return;
        }
        Optional<Hold> hold =
                hold(one.id)
                        .or(() -> one.subnetId().flatMap(this::hold))
                        .or(() -> hold(Answers.ASSIGN));
        if (hold.isPresent()) {
            meet(Prospect.stuck(hold.get()));
            return;
        }
        int count = take(room, kind);
        if (count > 0) {
            actions.add(new CloudAction.AssignBlocks(one.id, kind, count));
        }
    }

    /** The rest of an interface in the making is assigned once it is here. */
    private void reserve(InterfaceRequest making) {
        take(room(making.blocks()), making.kind());
    }

    private void create() {
        ArrayDeque<InterfaceRequest> wishes = new ArrayDeque<>(pool.flights().unfulfilled());
        long interfaces = interfaces();
        while (left > 0 && budget > 0) {
            if (interfaces >= maxInterfaces()) {
                meet(interfaceLimit(interfaces));
                return;
            }
            Optional<Hold> hold = hold(Answers.CREATE);
            if (hold.isPresent()) {
                meet(Prospect.stuck(hold.get()));
                return;
            }
            InterfaceRequest wish = wishes.poll();
            BlockKind kind = wish == null ? kind(Answers.CREATE) : wish.kind();
            int count = take(perInterface(limits), kind); // what a wish lacks is assigned later
            if (count == 0) {
                return;
            }
            if (wish == null) {
                wish = new InterfaceRequest(tokens.get(), kind, count);
            }
            actions.add(new CloudAction.CreateInterface(wish));
            interfaces++;
        }
    }

    /**
     * Uses room, at most as much as is wanted; all of it where whole interfaces are wanted. What
     * begins below the number of pods that may run, an interface or a prefix, may reach beyond it.
     *
     * @param room free slots
     * @return how many blocks fill it
     */
    private int take(int room, BlockKind kind) {
        long want = whole ? Long.MAX_VALUE : kind.delegated() ? left : Math.min(left, singles);
        if (left <= 0 || Math.min(want, budget) <= 0) {
            return 0;
        }
        int size = kind.usable();
        long fit = Math.ceilDiv(Math.min(want, whole ? want : budget), (long) size);
        int blocks = (int) Math.min(room, fit);
        long addresses = (long) blocks * size;
        left -= addresses;
        singles -= addresses;
        budget -= addresses;
        found += addresses;
        return blocks;
    }

    /** What to ask a subnet for, or a kind of call that chooses one. */
    private BlockKind kind(String subject) {
        return hold(Answers.prefixes(subject)).isPresent()
                ? BlockKind.SECONDARY_ADDRESS
                : settings.kind();
    }

    private int room(int blocks) {
        return Math.max(0, perInterface(limits) - blocks);
    }

    private long interfaces() {
        long here =
                pool.inventory().interfaces().stream()
                        .filter(one -> one.life != InterfaceLife.DETACHED)
                        .count();
        return here + pool.flights().creating().size() + pool.inventory().excludedAttached();
    }

    private int maxInterfaces() {
        return Math.min(limits.interfaces(), settings.maxEni().orElse(Integer.MAX_VALUE));
    }

    private Optional<Hold> hold(String subject) {
        return pool.flights().holds().on(subject, nowNanos);
    }

    private void meet(Outlook.Stuck what) {
        if (obstacle.isEmpty()) {
            obstacle = Optional.of(what);
        }
    }

    private Outlook.Stuck noPrefixes() {
        return new Outlook.Stuck(
                Outlook.Obstacle.CONFIGURATION,
                "the node's type takes no prefixes, and IPv6 addresses come out of one; use a type"
                        + " that does (EC2: built on Nitro) or unset ENABLE_IPv6",
                OptionalLong.empty());
    }

    private Outlook.Stuck noIpv6OfItsOwn() {
        return new Outlook.Stuck(
                Outlook.Obstacle.CONFIGURATION,
                "the node has no IPv6 address of its own, and ENABLE_IPv6 is true; give it one (launch"
                        + " nodes in a subnet that assigns them) and restart ipamd, or unset"
                        + " ENABLE_IPv6",
                OptionalLong.empty());
    }

    private Outlook.Stuck podLimit() {
        return new Outlook.Stuck(
                Outlook.Obstacle.POD_LIMIT,
                "the node has addresses for all of the "
                        + settings.maxPods().orElse(0)
                        + " pods that it may run; raise max pods or run the pod elsewhere",
                OptionalLong.empty());
    }

    private Outlook.Stuck interfaceLimit(long interfaces) {
        String limit =
                settings.maxEni().orElse(Integer.MAX_VALUE) < limits.interfaces()
                        ? "MAX_ENI allows " + settings.maxEni().getAsInt() + "; raise it"
                        : "its type allows "
                                + limits.interfaces()
                                + " with "
                                + perInterface(limits)
                                + (settings.prefixDelegation() ? " prefixes" : " pod addresses")
                                + " each; use a larger type";
        return new Outlook.Stuck(
                Outlook.Obstacle.INTERFACE_LIMIT,
                "all addresses of the node's "
                        + interfaces
                        + " interfaces are in use: "
                        + limit
                        + " or run the pod elsewhere",
                OptionalLong.empty());
    }
}
