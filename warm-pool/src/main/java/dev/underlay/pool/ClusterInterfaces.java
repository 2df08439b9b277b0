package dev.underlay.pool;

import java.time.Instant;
import java.util.List;

/**
 * The interfaces of a whole cluster, as one node of it sees them: the port through which those that
 * ended nodes left behind are removed. Calls block, and their refusals are answers, as with {@link
 * CloudNetwork}.
 */
public interface ClusterInterfaces {
    /**
     * All interfaces that were made for nodes of this cluster and are attached to nothing.
     *
     * @return {@link Refusal#MISCONFIGURED} where no cluster's name is set: nothing tells the
     *     cluster's interfaces from others then
     */
    CloudAnswer<List<UnattachedInterface>> unattached();

    /**
     * Writes when an interface was made into its tag.
     *
     * @return the interface's id
     */
    CloudAnswer<String> dateInterface(String interfaceId, Instant made);

    /**
     * Deletes an interface that is attached to nothing; one that is gone counts as deleted.
     *
     * @return the interface's id
     */
    CloudAnswer<String> deleteUnattached(String interfaceId);
}
