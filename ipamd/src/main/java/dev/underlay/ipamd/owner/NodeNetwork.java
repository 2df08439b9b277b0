package dev.underlay.ipamd.owner;

import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.IpAddress;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;

/**
 * The node's part of the kernel, as the pool's owner asks for it. No method blocks; requests are
 * carried out in the order in which they come, and a stage that fails carries a message that names
 * the thing and the kernel's words. All requests may be repeated.
 */
public interface NodeNetwork {
    /**
     * Waits a bounded time for the interface's link, gives it its address, table and rules, and
     * routes its blocks.
     */
    CompletionStage<Void> configure(CloudInterface attached, List<Cidr> blocks);

    /** Makes these the blocks of a configured interface. */
    CompletionStage<Void> setBlocks(CloudInterface configured, List<Cidr> blocks);

    /** Takes away what {@link #configure} made; the link may be gone. */
    CompletionStage<Void> remove(CloudInterface configured);

    /** Takes away what an earlier process made for interfaces that are not among these. */
    CompletionStage<Void> keepOnly(List<CloudInterface> attached);

    /**
     * Forgets every tracked connection that names an address of these blocks, but for those of
     * living pods. Never fails, and not in order with the other requests: where the kernel cannot,
     * the node says so and goes on.
     */
    CompletionStage<Void> forgetFlows(List<Cidr> blocks, Set<IpAddress> living);

    /**
     * Says which IPv6 address of the primary interface is the node's own; empty where it has none,
     * and where pods have no IPv6 addresses: nothing of the node's IPv6 is changed then.
     */
    CompletionStage<Void> ownIpv6(Optional<IpAddress> address);

    /** Makes these the CIDRs inside which nothing is translated. */
    CompletionStage<Void> networkCidrs(List<Cidr> cidrs);
}
