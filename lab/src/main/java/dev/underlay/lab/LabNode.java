package dev.underlay.lab;

import dev.underlay.cni.netlink.IpPrefix;
import dev.underlay.localvpc.fabric.Netns;
import dev.underlay.localvpc.state.Instance;
import java.net.InetAddress;

/**
 * One node: an instance of the VPC, its daemon and its container runtime.
 *
 * @param name what people call it, such as {@code node-1}
 * @param instance as launched
 * @param netns the instance's network namespace
 * @param folders its files
 * @param daemon its {@code ipamd}
 * @param runtime calls the plugin on it
 */
record LabNode(
        String name,
        Instance instance,
        Netns netns,
        NodeFolders folders,
        NodeProcess daemon,
        ContainerRuntime runtime) {
    /** The primary interface's own IPv4 address. */
    String address() {
        return instance.primaryAddress().getHostAddress();
    }

    Place place() {
        return place(Family.IPV4);
    }

    /** The node by its own address of a family, which it has. */
    Place place(Family family) {
        InetAddress ipv6 = instance.primaryIpv6();
        if (family == Family.IPV6 && ipv6 == null) {
            throw new IllegalStateException(name + " has no IPv6 address");
        }
        return new Place(
                name,
                netns,
                ipv6 == null || family == Family.IPV4 ? address() : IpPrefix.text(ipv6));
    }
}
