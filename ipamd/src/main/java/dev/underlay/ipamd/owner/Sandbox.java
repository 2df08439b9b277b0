package dev.underlay.ipamd.owner;

import dev.underlay.pool.AttachmentKey;

/**
 * The pod interface that an ADD is about.
 *
 * @param namespaceInode the identity of the pod's network namespace
 * @param podNamespace the Kubernetes namespace, empty outside Kubernetes
 * @param podName the pod's name, empty outside Kubernetes
 */
public record Sandbox(AttachmentKey key, long namespaceInode, String podNamespace, String podName) {
    /** {@code namespace/name}, or a dash outside Kubernetes. */
    public String pod() {
        return podName.isEmpty() ? "-" : podNamespace + "/" + podName;
    }
}
