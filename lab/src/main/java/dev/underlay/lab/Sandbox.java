package dev.underlay.lab;

import dev.underlay.localvpc.fabric.Netns;

/**
 * A pod's sandbox as a container runtime sees it: a network namespace and a name for it.
 *
 * @param podName the pod's name
 * @param containerId 64 hexadecimal digits
 * @param netns the pod's network namespace
 */
record Sandbox(String podName, String containerId, Netns netns) {
    static final String POD_NAMESPACE = "lab";
    static final String INTERFACE = "eth0";

    /** What {@code CNI_NETNS} says. */
    String netnsPath() {
        return netns.path().toString();
    }
}
