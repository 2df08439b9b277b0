package dev.underlay.pool;

import java.util.List;
import java.util.Optional;

/**
 * What a node is, as its metadata service says.
 *
 * @param instanceId the cloud's name of the machine
 * @param instanceType its type, such as {@code m5.large}
 * @param zone its availability zone
 * @param primaryInterfaceId the interface it booted with
 * @param primaryMac that interface's MAC, lower case with colons
 * @param primaryAddress the node's own IPv4 address
 * @param primaryIpv6 the node's own IPv6 address, the first of that interface; empty when it has
 *     none
 * @param networkCidrs the network's CIDRs at this moment, ordered, of both families
 * @param limits how much its type may hold
 */
public record NodeIdentity(
        String instanceId,
        String instanceType,
        String zone,
        String primaryInterfaceId,
        String primaryMac,
        IpAddress primaryAddress,
        Optional<IpAddress> primaryIpv6,
        List<Cidr> networkCidrs,
        Limits limits) {
    /**
     * The limits of an instance type.
     *
     * @param interfaces how many interfaces it may have, the primary one counted
     * @param addressesPerInterface IPv4 slots of each, its primary address counted; a prefix takes
     *     one slot
     * @param prefixes whether it takes prefixes; on AWS every type but those on Xen
     */
    public record Limits(int interfaces, int addressesPerInterface, boolean prefixes) {
        /** A type that takes prefixes. */
        public Limits(int interfaces, int addressesPerInterface) {
            this(interfaces, addressesPerInterface, true);
        }
    }

    /** Keeps its own copy of the list. */
    public NodeIdentity {
        networkCidrs = List.copyOf(networkCidrs);
    }
}
