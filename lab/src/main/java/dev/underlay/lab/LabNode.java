package dev.underlay.lab;

import dev.underlay.localvpc.fabric.Netns;
import dev.underlay.localvpc.state.Instance;

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
    /** The primary interface's own address. */
    String address() {
        return instance.primaryAddress().getHostAddress();
    }

    Place place() {
        return new Place(name, netns, address());
    }
}
