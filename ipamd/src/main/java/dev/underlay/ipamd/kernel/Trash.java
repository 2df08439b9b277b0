package dev.underlay.ipamd.kernel;

import dev.underlay.cni.linux.Fd;
import dev.underlay.cni.wiring.PodLink;
import dev.underlay.cni.wiring.PodSpec;
import dev.underlay.cni.wiring.WiredPod;
import dev.underlay.ipamd.observe.Events;
import dev.underlay.ipamd.serve.PodNetwork;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Pods' links, of which those that were taken down are deleted in the background and in batches:
 * one batch costs one grace period of the kernel (about 20 ms), however many links it has.
 */
public final class Trash implements PodNetwork, AutoCloseable {
    /** How long links may gather; every deletion holds the kernel's lock that ADDs need too. */
    private static final long GATHER_MILLIS = 250;

    private final KernelPods pods;
    private final Semaphore work = new Semaphore(0);
    private final Thread thread =
            Thread.ofPlatform().name("trash").daemon(true).unstarted(this::run);
    private final Set<String> named = new HashSet<>();

    /** Does nothing before {@link #start}. */
    public Trash(KernelPods pods) {
        this.pods = pods;
    }

    /** Starts with what an earlier process left. */
    public void start() {
        thread.start();
        work.release();
    }

    @Override
    public WiredPod wire(Fd routeSocket, Fd namespace, Map<String, Fd> descriptors, PodSpec spec)
            throws IOException {
        return pods.wire(routeSocket, namespace, descriptors, spec);
    }

    /** Whoever takes a pod down, a DEL or an ADD that is undone, its link is deleted soon. */
    @Override
    public void unwire(Optional<Fd> routeSocket, PodLink link) throws IOException {
        pods.unwire(routeSocket, link);
        work.release();
    }

    @Override
    public void check(Fd routeSocket, PodLink link, PodSpec spec) throws IOException {
        pods.check(routeSocket, link, spec);
    }

    private void run() {
        try {
            while (true) {
                work.acquire();
                TimeUnit.MILLISECONDS.sleep(GATHER_MILLIS);
                work.drainPermits();
                empty();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // Closed; the next process goes on.
        }
    }

    private void empty() {
        try {
            List<String> foreign = pods.emptyTrash();
            foreign.stream()
                    .filter(named::add)
                    .forEach(name -> Events.warn("trash.foreign", "link", name));
        } catch (IOException e) {
            Events.warn("trash.failed", "error", e.getMessage());
        }
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
