package dev.underlay.ipamd.kube;

import dev.underlay.ipamd.observe.Metrics;
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
            NodeListener listener,
            Metrics metrics) {
        this.client = client;
        this.node = new NodeObject(client, settings.nodeName(), listener, metrics);
        this.leadership = new Leadership(client, settings, times, metrics);
    }

    /**
     * Starts to watch this node's object; returns at once.
     *
     * @param listener hears of each change, on threads of the client
     */
    public static ApiServer start(KubeSettings settings, NodeListener listener, Metrics metrics) {
        return start(
                new KubernetesClientBuilder().build(),
                settings,
                Leadership.Times.PRODUCTION,
                listener,
                metrics);
    }

    static ApiServer start(
            KubernetesClient client,
            KubeSettings settings,
            Leadership.Times times,
            NodeListener listener,
            Metrics metrics) {
        ApiServer server = new ApiServer(client, settings, times, listener, metrics);
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
