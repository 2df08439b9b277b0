package dev.underlay.ipamd.kube;

import dev.underlay.pool.Cordon;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.util.function.Consumer;

/** The connection to the API server, which may be away at any time, also at the start. */
public final class ApiServer implements AutoCloseable {
    private final KubernetesClient client;
    private final NodeObject node;
    private final Leadership leadership;

    private ApiServer(
            KubernetesClient client,
            KubeSettings settings,
            Leadership.Times times,
            Consumer<Cordon> cordon) {
        this.client = client;
        this.node = new NodeObject(client, settings.nodeName(), cordon);
        this.leadership = new Leadership(client, settings, times);
    }

    /**
     * Starts to watch this node's object; returns at once.
     *
     * @param cordon hears of each change, from {@link Cordon#UNKNOWN} on; must not block
     */
    public static ApiServer start(KubeSettings settings, Consumer<Cordon> cordon) {
        return start(
                new KubernetesClientBuilder().build(),
                settings,
                Leadership.Times.PRODUCTION,
                cordon);
    }

    static ApiServer start(
            KubernetesClient client,
            KubeSettings settings,
            Leadership.Times times,
            Consumer<Cordon> cordon) {
        ApiServer server = new ApiServer(client, settings, times, cordon);
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
