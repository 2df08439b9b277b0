package dev.underlay.cni.wiring;

/**
 * A pod that is wired.
 *
 * @param link the host end
 * @param podMac the Ethernet address of the pod's end
 */
public record WiredPod(PodLink link, String podMac) {}
