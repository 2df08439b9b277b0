package dev.underlay.pool;

import java.util.List;
import java.util.Optional;

/**
 * The node's pod addresses: interfaces, their blocks, and who holds what. It does what it is told
 * and keeps its invariants; what to ask the cloud for is the {@link Planner}'s matter.
 *
 * <p>One thread owns a pool. No method blocks. Times are nanoseconds since boot and come in as
 * arguments; they never go back. All orders are defined: the same calls give the same answers.
 */
@SuppressWarnings("DoNotCallSuggester") // bodies follow
public final class Pool {
    /** An empty pool that knows neither limits nor interfaces. */
    public Pool() {}

    /** Sets what the node's type may hold; before, nothing is planned but a look. */
    public void setLimits(NodeIdentity.Limits limits) {
        throw new UnsupportedOperationException();
    }

    /**
     * Puts in what the journal knows of the cloud, before the cloud can be asked: all of it is
     * {@link Standing#UNCONFIRMED}.
     */
    public void restoreInterfaces(List<CloudInterface> remembered, long nowNanos) {
        throw new UnsupportedOperationException();
    }

    /**
     * Puts in a wish whose token is in the journal without an outcome: the planner looks whether it
     * came true, and repeats it with the same token while more addresses are needed.
     */
    public void restoreRequest(InterfaceRequest request, long nowNanos) {
        throw new UnsupportedOperationException();
    }

    /**
     * Puts in the lease of a living pod, known from the journal or the kernel. It wins over
     * everything: an interface or block that is not known yet is kept for it.
     *
     * @return leases that had to give way (another owner of the address, another address of the
     *     owner); they are over
     */
    public List<Lease> adopt(Lease lease, long nowNanos) {
        throw new UnsupportedOperationException();
    }

    /** Puts in an address that still cools; a leased one stays leased. */
    public void restoreCooling(String interfaceId, IpAddress address, long coolUntilNanos) {
        throw new UnsupportedOperationException();
    }

    /** Says that the daemon has configured the interface's link, of the primary one too. */
    public void linkReady(String interfaceId) {
        throw new UnsupportedOperationException();
    }

    /** Says that the interface's link is gone; its leases stay, nothing new is leased from it. */
    public void linkGone(String interfaceId) {
        throw new UnsupportedOperationException();
    }

    /**
     * Takes an address for a pod: from the fullest interface, there from the fullest block, there
     * one never used before, else the one idle longest; unconfirmed ones last.
     */
    public LeaseAnswer lease(AttachmentKey owner, long nowNanos) {
        throw new UnsupportedOperationException();
    }

    /** The lease of a pod. */
    public Optional<Lease> leaseOf(AttachmentKey owner) {
        throw new UnsupportedOperationException();
    }

    /**
     * Takes a pod's address back; it cools. Doing so twice is fine.
     *
     * @param coolForNanos how long nobody else may have it; 0 or more
     * @return the lease that is over; empty when the pod had none
     */
    public Optional<Lease> release(AttachmentKey owner, long nowNanos, long coolForNanos) {
        throw new UnsupportedOperationException();
    }

    /**
     * Says that a call to the cloud starts. What it will bring counts as on its way; what it will
     * take is not leased any more.
     */
    public void begin(CloudAction action, long nowNanos) {
        throw new UnsupportedOperationException();
    }

    /**
     * Says how a call ended: brings in what it brought, drops what it took, holds a refusal against
     * the thing that caused it. A description's answer goes through here as well.
     *
     * @param answer of the type that {@link CloudAction#call} returned for this action
     */
    public void end(CloudAction action, CloudAnswer<?> answer, long nowNanos) {
        throw new UnsupportedOperationException();
    }

    /** The pool in numbers. */
    public Counts counts(long nowNanos) {
        throw new UnsupportedOperationException();
    }

    /** All leases, ordered by owner. */
    public List<Lease> leases() {
        throw new UnsupportedOperationException();
    }

    /** All interfaces that are not excluded, ordered: the primary first, then by id. */
    public List<InterfaceView> interfaces() {
        throw new UnsupportedOperationException();
    }

    /** The calls in flight, in the order in which they began. */
    public List<CloudAction> inFlight() {
        throw new UnsupportedOperationException();
    }

    /** The refusals that hold something back, ordered by subject. */
    public List<Hold> holds() {
        throw new UnsupportedOperationException();
    }
}
