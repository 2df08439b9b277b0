package dev.underlay.ipamd.kube;

import java.util.Map;
import java.util.Optional;

/**
 * Who this daemon is in its cluster.
 *
 * @param nodeName the name of the Node object
 * @param namespace where the daemon's pods run, and its Lease is
 */
public record KubeSettings(String nodeName, String namespace) {
    /** The node's name from the downward API, named as the AWS VPC CNI names it. */
    static final String NODE_NAME = "MY_NODE_NAME";

    /** The pod's namespace from the downward API. */
    static final String NAMESPACE = "MY_POD_NAMESPACE";

    private static final String DEFAULT_NAMESPACE = "kube-system";

    /**
     * Reads {@code MY_NODE_NAME} and {@code MY_POD_NAMESPACE} (default {@code kube-system}).
     * Without the first the daemon stands alone: empty. Where the API server is and who we are to
     * it comes from {@code KUBECONFIG}, else from the pod's service account.
     */
    public static Optional<KubeSettings> fromEnvironment(Map<String, String> environment) {
        String node = environment.getOrDefault(NODE_NAME, "");
        String namespace = environment.getOrDefault(NAMESPACE, "");
        return node.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        new KubeSettings(
                                node, namespace.isEmpty() ? DEFAULT_NAMESPACE : namespace));
    }
}
