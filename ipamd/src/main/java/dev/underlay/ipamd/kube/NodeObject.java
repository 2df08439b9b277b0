package dev.underlay.ipamd.kube;

import dev.underlay.ipamd.observe.Events;
import dev.underlay.ipamd.observe.GuardedLoop;
import dev.underlay.ipamd.observe.Metrics;
import dev.underlay.pool.Cordon;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeStatus;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Watches this node's own Node object. */
final class NodeObject implements AutoCloseable {
    /** How soon a watch that ended is noticed; it announces nothing by itself. */
    private static final Duration LOOK_EVERY = Duration.ofSeconds(2);

    private final String name;
    private final NodeListener listener;
    private final SharedIndexInformer<Node> informer;
    private final Metrics metrics;
    private @Nullable GuardedLoop look;
    private Cordon told = Cordon.UNKNOWN;
    private int toldPods;
    private String trouble = "";

    /**
     * Asks for nothing yet.
     *
     * @param listener hears of each change, from {@link Cordon#UNKNOWN} on
     */
    NodeObject(KubernetesClient client, String name, NodeListener listener, Metrics metrics) {
        this.metrics = metrics;
        this.name = name;
        this.listener = listener;
        this.informer =
                client.nodes()
                        .withName(name)
                        .runnableInformer(0)
                        .exceptionHandler((_, cause) -> {
                            failed(cause);
                            return true; // It is tried for ever.
                        })
                        .addEventHandler(new Changes());
    }

    void start() {
        var _ = informer.start();
        look =
                GuardedLoop.start(
                        Thread.ofVirtual(), "node-object", LOOK_EVERY, metrics, this::tell);
    }

    private synchronized void tell() {
        Cordon now = read();
        if (now != told) {
            told = now;
            trouble = "";
            listener.cordon(now);
        }
        for (Node node : informer.getStore().list()) {
            int pods = capacity(node);
            if (pods > 0 && pods != toldPods) {
                toldPods = pods;
                listener.podCapacity(pods);
            }
        }
    }

    /** 0 while the kubelet has not said. */
    private static int capacity(Node node) {
        return Optional.ofNullable(node.getStatus())
                .map(NodeStatus::getCapacity)
                .map(capacity -> capacity.get("pods"))
                .map(pods -> pods.getNumericalAmount().intValue())
                .orElse(0);
    }

    private Cordon read() {
        if (!informer.isWatching()) {
            return Cordon.UNKNOWN;
        }
        List<Node> nodes = informer.getStore().list();
        if (nodes.isEmpty()) {
            warnOnce("there is no such Node; is " + KubeSettings.NODE_NAME + " right?");
            return Cordon.UNKNOWN;
        }
        return Boolean.TRUE.equals(nodes.getFirst().getSpec().getUnschedulable())
                ? Cordon.CORDONED
                : Cordon.OPEN;
    }

    private void failed(Throwable cause) {
        warnOnce(String.valueOf(cause.getMessage()));
    }

    private synchronized void warnOnce(String text) {
        if (!text.equals(trouble)) {
            trouble = text;
            Events.warn("node.unread", "node", name, "error", text);
        }
    }

    private final class Changes implements ResourceEventHandler<Node> {
        @Override
        public void onAdd(Node node) {
            tell();
        }

        @Override
        public void onUpdate(Node before, Node node) {
            tell();
        }

        @Override
        public void onDelete(Node node, boolean finalStateUnknown) {
            tell();
        }
    }

    @Override
    public void close() {
        if (look != null) {
            look.close();
        }
        informer.close();
    }
}
