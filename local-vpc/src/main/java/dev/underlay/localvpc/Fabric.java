package dev.underlay.localvpc;

import java.net.InetAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the cloud's answers do to packets. The state of the API calls it under its lock, in the
 * order of the answers; an implementation makes the kernel agree before it returns.
 */
public interface Fabric {
    /**
     * An interface of the VPC as the wire sees it.
     *
     * @param id the API's name, such as {@code eni-0ab1}
     * @param mac lower case with colons
     * @param primaryAddress its own IPv4 address
     * @param primaryIpv6 its first IPv6 address; null if it has none
     * @param subnetAddress the first address of its subnet; the gateway is one further
     * @param subnetPrefixLength the subnet's prefix length
     */
    record Port(
            String id,
            String mac,
            InetAddress primaryAddress,
            @Nullable InetAddress primaryIpv6,
            InetAddress subnetAddress,
            int subnetPrefixLength) {
        /** One without IPv6. */
        public Port(
                String id,
                String mac,
                InetAddress primaryAddress,
                InetAddress subnetAddress,
                int subnetPrefixLength) {
            this(id, mac, primaryAddress, null, subnetAddress, subnetPrefixLength);
        }
    }

    /**
     * A block of addresses.
     *
     * @param network its first address
     * @param prefixLength 32, 28, 128 or 80
     */
    record Block(InetAddress network, int prefixLength) {}

    /**
     * An instance boots: its namespace appears with a configured primary interface and a default
     * route, for each family of which it has an address.
     */
    void boot(String instanceId, Port primary);

    /**
     * A secondary interface appears in the instance, down and bare; nothing is mapped to it yet.
     */
    void plug(String instanceId, Port port);

    /**
     * A secondary interface appears in the instance, down and bare, when these blocks are mapped to
     * it: whoever sees the device can use its addresses.
     */
    default void plug(String instanceId, Port port, List<Block> mapped) {
        plug(instanceId, port);
        mapped.forEach(block -> map(port.id(), block.network(), block.prefixLength()));
    }

    /** The interface disappears from its instance with all its mappings. */
    void unplug(String portId);

    /**
     * Packets to the block go to the port from here on, and the port may send from it. A /32, /28,
     * /128 or /80.
     */
    void map(String portId, InetAddress network, int prefixLength);

    /** Packets to the block are unreachable and the port may not send from it. */
    void unmap(String portId, InetAddress network, int prefixLength);

    /** The instance and its namespace are gone. */
    void terminate(String instanceId);
}
