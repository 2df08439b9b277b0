package dev.underlay.ipamd.kernel;

import dev.underlay.cni.linux.Fd;
import dev.underlay.cni.netlink.RouteSocket;
import dev.underlay.cni.wiring.HostEnd;
import dev.underlay.cni.wiring.PodLink;
import dev.underlay.cni.wiring.PodSpec;
import dev.underlay.cni.wiring.PodWiring;
import dev.underlay.cni.wiring.WiredPod;
import dev.underlay.ipamd.observe.Metrics;
import dev.underlay.ipamd.serve.PodNetwork;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/** Pods' links through route sockets of the daemon's own namespace, one per call at a time. */
public final class KernelPods implements PodNetwork, AutoCloseable {
    /** Sockets kept for the next calls; more are made in a burst and closed after it. */
    private static final int KEPT_SOCKETS = 16;

    private record Worker(RouteSocket host, PodWiring wiring) {}

    private final Trash trash;
    private final BlockingQueue<Worker> idle = new LinkedBlockingQueue<>(KEPT_SOCKETS);

    @FunctionalInterface
    private interface Work<T> {
        T with(PodWiring wiring) throws IOException;
    }

    /** Opens no socket before the first call. */
    public KernelPods(Metrics metrics) {
        this.trash = new Trash(this::emptyTrash, metrics);
    }

    @Override
    public WiredPod wire(Fd routeSocket, Fd namespace, Map<String, Fd> descriptors, PodSpec spec)
            throws IOException {
        RouteSocket pod = RouteSocket.over(routeSocket);
        return run(wiring -> wiring.wire(pod, namespace, descriptors, spec));
    }

    @Override
    public void unwire(Optional<Fd> routeSocket, PodLink link) throws IOException {
        Optional<RouteSocket> pod =
                routeSocket.isPresent()
                        ? Optional.of(RouteSocket.over(routeSocket.get()))
                        : Optional.empty();
        run(wiring -> {
            wiring.unwire(pod, link);
            return link;
        });
        trash.wake();
    }

    @Override
    public void check(Fd routeSocket, PodLink link, PodSpec spec) throws IOException {
        RouteSocket pod = RouteSocket.over(routeSocket);
        run(wiring -> {
            wiring.check(pod, link, spec);
            return link;
        });
    }

    /** All pod links that stand. */
    public List<PodLink> list() throws IOException {
        return run(PodWiring::list);
    }

    /** All pod links that stand, with what hangs on their host ends. */
    public List<HostEnd> hostEnds() throws IOException {
        return run(PodWiring::hostEnds);
    }

    /** Puts back what is missing on the host's end of a pod's link; takes nothing away. */
    public void restore(PodLink link, PodSpec spec) throws IOException {
        run(wiring -> {
            wiring.restore(link, spec);
            return link;
        });
    }

    /** From now on the links of pods that were taken down, by whomever, are deleted. */
    public void startEmptyingTrash() {
        trash.start();
    }

    private List<String> emptyTrash() throws IOException {
        return run(PodWiring::emptyTrash);
    }

    private <T> T run(Work<T> work) throws IOException {
        Worker worker = idle.poll();
        if (worker == null) {
            RouteSocket host = RouteSocket.open();
            worker = new Worker(host, new PodWiring(host));
        }
        try {
            return work.with(worker.wiring);
        } finally {
            if (!idle.offer(worker)) {
                worker.host.close();
            }
        }
    }

    @Override
    public void close() {
        trash.close();
        Worker worker = idle.poll();
        while (worker != null) {
            worker.host.close();
            worker = idle.poll();
        }
    }
}
