package dev.underlay.cni.wiring;

/**
 * Which sandbox a host link belongs to. It is written into the link's alias, so that the kernel
 * holds a full copy of the journal's leases.
 *
 * @param network the name of the network configuration
 * @param containerId the sandbox, {@code CNI_CONTAINERID}
 * @param interfaceName the name inside the pod, {@code CNI_IFNAME}
 * @param namespaceInode the inode of the pod's network namespace
 * @param podNamespace the pod's Kubernetes namespace, empty outside Kubernetes
 * @param podName the pod's name, empty outside Kubernetes
 */
public record Attachment(
        String network,
        String containerId,
        String interfaceName,
        long namespaceInode,
        String podNamespace,
        String podName) {}
