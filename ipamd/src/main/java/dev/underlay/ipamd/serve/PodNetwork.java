package dev.underlay.ipamd.serve;

import dev.underlay.cni.linux.Fd;
import dev.underlay.cni.wiring.PodLink;
import dev.underlay.cni.wiring.PodSpec;
import dev.underlay.cni.wiring.WiredPod;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;

/** A pod's part of the kernel. Methods block and may run on several threads at once. */
public interface PodNetwork {
    /**
     * Wires a pod; when it fails, nothing of it is left.
     *
     * @param routeSocket a route socket in the pod's namespace
     * @param namespace the pod's namespace
     * @param descriptors all that the launcher sent, sysctl files among them
     */
    WiredPod wire(Fd routeSocket, Fd namespace, Map<String, Fd> descriptors, PodSpec spec)
            throws IOException;

    /**
     * Makes a pod unreachable and frees its interface's name; what is gone already is fine. The
     * link itself is deleted later.
     *
     * @param routeSocket a route socket in the pod's namespace, if that still lives
     */
    void unwire(Optional<Fd> routeSocket, PodLink link) throws IOException;

    /**
     * Compares a pod's wiring with what was promised.
     *
     * @throws IOException naming the first thing that is broken
     */
    void check(Fd routeSocket, PodLink link, PodSpec spec) throws IOException;
}
