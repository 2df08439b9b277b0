package dev.underlay.pool;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SortedSet;
import org.jspecify.annotations.Nullable;

/**
 * The node's pod addresses: interfaces, their blocks, and who holds what. It does what it is told
 * and keeps its invariants; what to ask the cloud for is the {@link Planner}'s matter.
 *
 * <p>One thread owns a pool. No method blocks. Times are nanoseconds since boot and come in as
 * arguments; they never go back. All orders are defined: the same calls give the same answers.
 */
public final class Pool {
    private final Inventory inventory = new Inventory();
    private final Flights flights = new Flights();
    private final Peaks peaks = new Peaks();
    private NodeIdentity.@Nullable Limits limits;

    /** An empty pool that knows neither limits nor interfaces. */
    public Pool() {}

    /** Sets what the node's type may hold; before, nothing is planned but a look. */
    public void setLimits(NodeIdentity.Limits limits) {
        this.limits = limits;
    }

    /** Sets which addresses a pod gets; IPv4 until then. While no pod has other ones. */
    public void setFamilies(Families families) {
        inventory.families = families;
    }

    /**
     * Says whether the node has an IPv6 address of its own; until then it has. Without one no pod
     * that needs IPv6 gets an address.
     */
    public void setNodeHasIpv6(boolean has) {
        inventory.nodeHasIpv6 = has;
    }

    /**
     * Puts in what the journal knows of the cloud, before the cloud can be asked: all of it is
     * {@link Standing#UNCONFIRMED}.
     */
    public void restoreInterfaces(List<CloudInterface> remembered, long nowNanos) {
        for (CloudInterface one : remembered) {
            if (inventory.find(one.id()).isPresent() || !(one.managed() || one.primary())) {
                continue;
            }
            InterfaceLife life =
                    one.attachment().isPresent() ? InterfaceLife.ATTACHED : InterfaceLife.REQUESTED;
            inventory
                    .add(new PooledInterface(one.id(), life, Standing.UNCONFIRMED, nowNanos))
                    .describe(one);
            for (Cidr block : one.blocks()) {
                inventory.put(block, one.id(), Standing.UNCONFIRMED, nowNanos);
            }
        }
    }

    /**
     * Puts in a call that the journal knows to have begun, without an answer: its outcome is
     * unknown. What it was to take stays closed; an interface that it was to make is looked for
     * and, while more addresses are needed, asked for again with the same token.
     */
    public void restoreUnfinished(CloudAction action, long nowNanos) {
        switch (action) {
            case CloudAction.UnassignBlocks(var id, var leaving) ->
                    leaving.forEach(block -> leaveUnfinished(block, id, nowNanos));
            case CloudAction.DetachInterface(var id) -> leaveUnfinished(id, nowNanos);
            case CloudAction.DeleteInterface(var id) -> leaveUnfinished(id, nowNanos);
            case CloudAction.CreateInterface _,
                    CloudAction.AttachInterface _,
                    CloudAction.AssignBlocks _,
                    CloudAction.Describe _ -> {}
        }
        new Answers(inventory, flights, nowNanos).unknown(action);
    }

    private void leaveUnfinished(Cidr cidr, String interfaceId, long nowNanos) {
        Optional<Block> known = inventory.find(cidr.network());
        if (known.filter(block -> !block.interfaceId.equals(interfaceId)).isPresent()) {
            inventory.returned(cidr, interfaceId, nowNanos); // and has come to another since
            return;
        }
        boolean inUse = known.filter(block -> block.inUse(nowNanos)).isPresent();
        if (!inUse && inventory.find(interfaceId).isPresent()) {
            inventory.put(cidr, interfaceId, Standing.UNCONFIRMED, nowNanos).life =
                    BlockLife.DRAINING;
        }
    }

    private void leaveUnfinished(String interfaceId, long nowNanos) {
        PooledInterface one =
                inventory
                        .find(interfaceId)
                        .orElseGet(() ->
                                inventory.add(
                                        new PooledInterface(
                                                interfaceId,
                                                InterfaceLife.DRAINING,
                                                Standing.UNCONFIRMED,
                                                nowNanos)));
        if (!one.primary() && !inventory.inUse(interfaceId, nowNanos)) {
            one.move(InterfaceLife.DRAINING, nowNanos);
        }
    }

    /**
     * Puts in the lease of a living pod, known from the journal or the kernel. It wins over
     * everything: an interface or block that is not known yet is kept for it.
     *
     * @return leases that had to give way (another owner of the address, another address of the
     *     owner in the same family); they are over
     */
    public List<Lease> adopt(Lease lease, long nowNanos) {
        List<Lease> displaced = new ArrayList<>();
        Block block = inventory.findOrOrphan(lease.interfaceId(), lease.address(), nowNanos);
        for (Lease old : leasesOf(lease.owner())) {
            boolean sameFamily = old.address().family() == lease.address().family();
            if (sameFamily && !old.address().equals(lease.address())) {
                displaced.add(old);
                end(old, new AddressState.Cooling(nowNanos - 1));
            }
        }
        if (block.state(lease.address()) instanceof AddressState.Leased(var holder)
                && !holder.equals(lease.owner())) {
            displaced.add(new Lease(holder, lease.address(), block.interfaceId));
            inventory.disown(holder, lease.address());
        }
        block.life = BlockLife.ASSIGNED;
        start(block, lease.address(), lease.owner());
        inventory
                .find(block.interfaceId)
                .filter(one -> one.life == InterfaceLife.DRAINING && !flights.busy(one.id))
                .ifPresent(one -> one.move(InterfaceLife.ATTACHED, nowNanos));
        return List.copyOf(displaced);
    }

    /** Puts in an address that still cools; a leased one stays leased. */
    public void restoreCooling(
            String interfaceId, IpAddress address, long coolUntilNanos, long nowNanos) {
        Block block = inventory.findOrOrphan(interfaceId, address, nowNanos);
        if (!(block.state(address) instanceof AddressState.Leased)) {
            block.set(address, new AddressState.Cooling(coolUntilNanos));
        }
    }

    /**
     * Has all addresses that are here and have no pod rest until then: nobody knows who had them.
     */
    public void restAll(long untilNanos, long nowNanos) {
        if (untilNanos > nowNanos) {
            inventory.blocks().forEach(block -> block.rest(untilNanos));
        }
    }

    /** Says that the daemon has configured the interface's link, of the primary one too. */
    public void linkReady(String interfaceId) {
        inventory.readyLinks().add(interfaceId);
    }

    /** Says that the interface's link is gone; its leases stay, nothing new is leased from it. */
    public void linkGone(String interfaceId, long nowNanos) {
        inventory.readyLinks().remove(interfaceId);
        inventory.find(interfaceId).ifPresent(one -> one.withoutLinkSinceNanos = nowNanos);
    }

    /**
     * Takes an address of each family for a pod, all or none: from the fullest interface, there
     * from the fullest block, a single address before an empty prefix, there one never used before,
     * else the one idle longest; unconfirmed ones last.
     */
    public LeaseAnswer lease(AttachmentKey owner, long nowNanos) {
        List<Lease> had = leasesOf(owner);
        if (!had.isEmpty()) {
            return new LeaseAnswer.AlreadyLeased(had);
        }
        List<Choice.Slot> chosen = new ArrayList<>();
        for (IpAddress.Family family : inventory.families.all()) {
            Choice.of(inventory, family, nowNanos).ifPresent(chosen::add);
        }
        if (chosen.size() < inventory.families.all().size() || !inventory.nodeServes()) {
            return new LeaseAnswer.NoneFree();
        }
        chosen.forEach(slot -> start(slot.block(), slot.address(), owner));
        peaks.leased(inventory.inUse(nowNanos), nowNanos);
        return new LeaseAnswer.Leased(leasesOf(owner));
    }

    /** The families that a pod needs and of which no address can be leased now. */
    public List<IpAddress.Family> missing(long nowNanos) {
        return inventory.families.all().stream()
                .filter(family -> Choice.of(inventory, family, nowNanos).isEmpty())
                .toList();
    }

    /** The leases of a pod: none, or one of each family, IPv4 first. */
    public List<Lease> leasesOf(AttachmentKey owner) {
        SortedSet<IpAddress> addresses = inventory.owners().get(owner);
        return addresses == null ? List.of() : leases(owner, addresses);
    }

    private List<Lease> leases(AttachmentKey owner, Collection<IpAddress> addresses) {
        return addresses.stream()
                .map(address -> new Lease(owner, address, blockOf(address).interfaceId))
                .toList();
    }

    /**
     * Takes a pod's addresses back; they cool. Doing so twice is fine.
     *
     * @param coolForNanos how long nobody else may have them; 0 or more
     * @return the leases that are over; empty when the pod had none
     */
    public List<Lease> release(AttachmentKey owner, long nowNanos, long coolForNanos) {
        List<Lease> over = leasesOf(owner);
        for (Lease lease : over) {
            AddressState held = blockOf(lease.address()).state(lease.address());
            switch (AddressState.release(held, owner, nowNanos, coolForNanos)) {
                case AddressState.Change.Moved(var cooling) -> end(lease, cooling);
                case AddressState.Change.AlreadySo _ ->
                        throw new IllegalStateException(lease + " is not leased");
                case AddressState.Change.Refused(var reason) ->
                        throw new IllegalStateException(lease + ": " + reason);
            }
        }
        return over;
    }

    /**
     * The addresses that have cooled and wait for the node to forget the flows of their last pods,
     * ordered. Until {@link #forgotten} says so they are not leased, but for {@link
     * Timing#FORGET_NANOS} at most.
     */
    public List<IpAddress> cooled(long nowNanos) {
        return inventory.blocks().stream()
                .flatMap(block -> block.touched().entrySet().stream())
                .filter(slot -> AddressState.cooled(slot.getValue(), nowNanos))
                .map(Map.Entry::getKey)
                .toList();
    }

    /** When the next of the addresses that rest can be leased; empty while none rests. */
    public OptionalLong nextCooledNanos(long nowNanos) {
        return inventory.blocks().stream()
                .filter(Choice::leasable)
                .filter(inventory::counted)
                .flatMapToLong(block -> block.restsUntilNanos(nowNanos))
                .min();
    }

    /** Says that nothing in the node names these addresses; those that have cooled are free. */
    public void forgotten(Collection<IpAddress> addresses, long nowNanos) {
        for (IpAddress address : addresses) {
            inventory
                    .find(address)
                    .ifPresent(block ->
                            block.set(
                                    address,
                                    AddressState.forgotten(block.state(address), nowNanos)));
        }
    }

    /**
     * Says that a call to the cloud starts. What it will bring counts as on its way; what it will
     * take is not leased any more.
     *
     * @throws IllegalStateException when it is in flight already, and when it would take what is in
     *     use, unconfirmed or the primary interface; the planner never asks for that
     */
    public void begin(CloudAction action, long nowNanos) {
        require(!flights.flying(action), action + " is in flight already");
        switch (action) {
            case CloudAction.UnassignBlocks(_, var leaving) ->
                    leaving.forEach(cidr -> drain(cidr, nowNanos));
            case CloudAction.DetachInterface(var id) -> drain(id, nowNanos);
            case CloudAction.DeleteInterface(var id) -> {
                requireIdle(id, nowNanos);
                inventory.find(id).ifPresent(one -> one.move(InterfaceLife.DETACHED, nowNanos));
            }
            case CloudAction.CreateInterface _,
                    CloudAction.AttachInterface _,
                    CloudAction.AssignBlocks _,
                    CloudAction.Describe _ -> {}
        }
        flights.begin(action, nowNanos);
    }

    /**
     * Says how a call ended: brings in what it brought, drops what it took, holds a refusal against
     * the thing that caused it. A description's answer goes through here as well.
     *
     * @param answer of the type that {@link CloudAction#call} returned for this action
     */
    public void end(CloudAction action, CloudAnswer<?> answer, long nowNanos) {
        long begunAtNanos = flights.end(action);
        new Answers(inventory, flights, nowNanos).take(action, answer, begunAtNanos);
    }

    /** The pool in numbers. */
    public Counts counts(long nowNanos) {
        return Census.of(inventory, flights, nowNanos);
    }

    /** All leases, ordered by owner, each one's IPv4 first. */
    public List<Lease> leases() {
        return inventory.owners().entrySet().stream()
                .flatMap(held -> leases(held.getKey(), held.getValue()).stream())
                .toList();
    }

    /** All interfaces that are not excluded, ordered: the primary first, then by id. */
    public List<InterfaceView> interfaces() {
        return inventory.interfaces().stream().map(this::view).toList();
    }

    /** The calls in flight, in the order in which they began. */
    public List<CloudAction> inFlight() {
        return flights.all();
    }

    /**
     * What the journal must keep so that the next process goes on where this one ended, each for
     * {@link #restoreUnfinished}: interfaces asked for, and blocks and interfaces that are on their
     * way out or have left so shortly before that a description may still list them.
     */
    public List<CloudAction> unfinished() {
        List<CloudAction> all = new ArrayList<>();
        flights.asked().forEach(request -> all.add(new CloudAction.CreateInterface(request)));
        for (PooledInterface one : inventory.interfaces()) {
            List<Cidr> leaving = inventory.leavingOf(one.id);
            switch (one.life) {
                case DRAINING, DETACHED -> all.add(new CloudAction.DetachInterface(one.id));
                case REQUESTED, ATTACHED -> {
                    if (!leaving.isEmpty()) {
                        all.add(new CloudAction.UnassignBlocks(one.id, leaving));
                    }
                }
            }
        }
        inventory.goneInterfaces().forEach(id -> all.add(new CloudAction.DeleteInterface(id)));
        return List.copyOf(all);
    }

    /** The last refusals, also those that hold nothing back any more, ordered by subject. */
    public List<Hold> holds() {
        return flights.holds().all();
    }

    Inventory inventory() {
        return inventory;
    }

    Flights flights() {
        return flights;
    }

    Peaks peaks() {
        return peaks;
    }

    Optional<NodeIdentity.Limits> limits() {
        return Optional.ofNullable(limits);
    }

    private Block blockOf(IpAddress leased) {
        return inventory.find(leased).orElseThrow();
    }

    private void start(Block block, IpAddress address, AttachmentKey owner) {
        block.set(address, new AddressState.Leased(owner));
        inventory.own(owner, address);
    }

    private void end(Lease lease, AddressState to) {
        blockOf(lease.address()).set(lease.address(), to);
        inventory.disown(lease.owner(), lease.address());
    }

    private void drain(Cidr cidr, long nowNanos) {
        Block block =
                inventory
                        .find(cidr.network())
                        .filter(found -> found.cidr.equals(cidr))
                        .orElseThrow(() -> new IllegalStateException(cidr + " is not here"));
        require(!block.inUse(nowNanos), cidr + " is in use");
        require(block.standing == Standing.CONFIRMED, cidr + " is " + block.standing);
        block.life = BlockLife.DRAINING;
    }

    private void drain(String interfaceId, long nowNanos) {
        requireIdle(interfaceId, nowNanos);
        PooledInterface one = inventory.find(interfaceId).orElseThrow();
        require(!one.primary(), interfaceId + " is the primary interface");
        one.move(InterfaceLife.DRAINING, nowNanos);
    }

    private void requireIdle(String interfaceId, long nowNanos) {
        require(!inventory.inUse(interfaceId, nowNanos), interfaceId + " is in use");
    }

    private static void require(boolean kept, String otherwise) {
        if (!kept) {
            throw new IllegalStateException(otherwise);
        }
    }

    private InterfaceView view(PooledInterface one) {
        List<Block> blocks = inventory.blocksOf(one.id);
        List<Cidr> present =
                blocks.stream()
                        .filter(block -> block.standing != Standing.MISSING)
                        .map(block -> block.cidr)
                        .toList();
        return new InterfaceView(
                one.id,
                one.cloud().map(cloud -> cloud.with(cloud.attachment(), present)),
                one.life,
                one.standing,
                inventory.readyLinks().contains(one.id),
                blocks.stream().map(Pool::view).toList());
    }

    private static InterfaceView.BlockView view(Block block) {
        return new InterfaceView.BlockView(
                block.cidr,
                block.life,
                block.standing,
                block.touched().entrySet().stream()
                        .map(slot -> new InterfaceView.Slot(slot.getKey(), slot.getValue()))
                        .toList());
    }
}
