package dev.underlay.ipamd.kube;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;

/** The connection to the API server, which may be away at any time, also at the start. */
public final class ApiServer implements AutoCloseable {
    private final KubernetesClient client;
    private final NodeObject node;
    private final Leadership leadership;

    private ApiServer(
            KubernetesClient client,
            KubeSettings settings,
            Leadership.Times times,
            NodeListener listener) {
        this.client = client;
        this.node = new NodeObject(client, settings.nodeName(), listener);
        this.leadership = new Leadership(client, settings, times);
    }

    /**
     * Starts to watch this node's object; returns at once.
     *
     * @param listener hears of each change, on threads of the client
     */
    public static ApiServer start(KubeSettings settings, NodeListener listener) {
        return start(
                new KubernetesClientBuilder().build(),
                settings,
                Leadership.Times.PRODUCTION,
                listener);
    }

    static ApiServer start(
            KubernetesClient client,
            KubeSettings settings,
            Leadership.Times times,
            NodeListener listener) {
        ApiServer server = new ApiServer(client, settings, times, listener);
        server.node.start();
        return server;
    }

    /** Stands for election from now on. */
    public Leadership stand() {
        leadership.start();
        return leadership;
    }

    @Override
    public void close() {
        leadership.close();
        node.close();
        client.close();
    }
}
