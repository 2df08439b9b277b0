package dev.underlay.pool;

import java.util.List;

/**
 * The port to the cloud: what a node asks for its own interfaces and addresses. One implementation
 * per cloud.
 *
 * <p>Every method blocks until the cloud answered or the call's deadline passed; call it on a
 * virtual thread, never on the thread that owns the pool. An expected refusal is a {@link
 * CloudAnswer}, never an exception. Implementations retry, limit and break calls by themselves,
 * look before they repeat an ambiguous one, and may be called from several threads at once.
 */
public interface CloudNetwork {
    /** What this node is and what its type may hold, from metadata; changes only in its CIDRs. */
    CloudAnswer<NodeIdentity> identify();

    /**
     * All interfaces attached to this node and those that carry its tag, as the API (not metadata)
     * knows them. While it does not show the primary interface the answer is {@link
     * Refusal#UNAVAILABLE}: then it lags behind the instance's start and nothing of it is to be
     * believed.
     */
    CloudAnswer<List<CloudInterface>> describeInterfaces();

    /**
     * The CIDRs inside which traffic is never translated: the network's own, in a defined order.
     */
    CloudAnswer<List<Cidr>> networkCidrs();

    /**
     * Makes an unattached interface that already holds addresses; the same token never makes a
     * second one.
     */
    CloudAnswer<CloudInterface> createInterface(InterfaceRequest request);

    /**
     * Attaches an interface and makes it go when the instance ends. Attaching what is attached
     * already is done.
     *
     * @param deviceIndex a free index; {@link Refusal#DEVICE_INDEX_TAKEN} asks for another
     */
    CloudAnswer<CloudInterface> attachInterface(String interfaceId, int deviceIndex);

    /**
     * Asks for more blocks on an interface.
     *
     * @param count 1 or more blocks of the kind
     * @return the blocks that are new; fewer than asked for are possible
     */
    CloudAnswer<List<Cidr>> assignBlocks(String interfaceId, BlockKind kind, int count);

    /** Gives blocks back; what is gone already counts as given back. */
    CloudAnswer<List<Cidr>> unassignBlocks(String interfaceId, List<Cidr> blocks);

    /**
     * Detaches an interface and waits until the cloud calls it available; detached already is done.
     */
    CloudAnswer<CloudInterface> detachInterface(String interfaceId);

    /** Deletes an unattached interface; deleted already is done. */
    CloudAnswer<String> deleteInterface(String interfaceId);
}
