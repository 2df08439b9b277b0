package dev.underlay.ipamd.kernel;

import dev.underlay.cni.netlink.Link;
import dev.underlay.cni.netlink.LinkMonitor;
import dev.underlay.cni.netlink.RouteSocket;
import dev.underlay.ipamd.observe.Events;
import dev.underlay.ipamd.observe.Metrics;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * Hears from the kernel which links come and go, on a thread of its own. Sockets that fail are
 * replaced, and everything is looked at again then.
 */
public final class LinkWatch implements AutoCloseable {
    private static final Duration LOOK_AT_STOP = Duration.ofSeconds(1);

    /** Between tries to have sockets that work. */
    private static final Duration PAUSE = Duration.ofSeconds(1);

    private record Waiter(Predicate<Link> wanted, CompletableFuture<Link> found) {}

    /** Hears of links, on the watch's thread. */
    public interface Listener {
        /** The link with this index is gone. */
        void gone(int index);

        /**
         * Events were lost: the indexes of all links that somebody counts on. It is asked before
         * the kernel is, so that a link that comes in between is not taken for one that went.
         *
         * @throws IOException when that cannot be said; it is asked again after a pause
         */
        Set<Integer> known() throws IOException;
    }

    /** Opens the sockets; another one in tests keeps them to break them. */
    @FunctionalInterface
    interface Opener {
        Sockets open() throws IOException;
    }

    /** The monitor is opened before the first look, so that nothing falls between. */
    record Sockets(LinkMonitor monitor, RouteSocket look) implements AutoCloseable {
        static Sockets open() throws IOException {
            LinkMonitor monitor = LinkMonitor.open();
            try {
                return new Sockets(monitor, RouteSocket.open());
            } catch (IOException e) {
                monitor.close();
                throw e;
            }
        }

        @Override
        public void close() {
            monitor.close();
            look.close();
        }
    }

    private final Opener opener;
    private final Metrics metrics;
    private Sockets sockets; // on the watch's thread only, once that runs
    private final Map<Integer, Link> links = new TreeMap<>();
    private final List<Waiter> waiters = new ArrayList<>();
    private final CountDownLatch closed = new CountDownLatch(1);

    private LinkWatch(Opener opener, Metrics metrics) throws IOException {
        this.opener = opener;
        this.metrics = metrics;
        this.sockets = opener.open();
    }

    /**
     * Opens the watch in the calling thread's namespace; what stands there is known from now on.
     */
    public static LinkWatch open(Metrics metrics) throws IOException {
        return open(Sockets::open, metrics);
    }

    static LinkWatch open(Opener opener, Metrics metrics) throws IOException {
        LinkWatch watch = new LinkWatch(opener, metrics);
        try {
            watch.lookAtAll();
        } catch (IOException e) {
            watch.sockets.close();
            throw e;
        }
        return watch;
    }

    /** Starts to listen, in the namespace that it was opened in. */
    public void start(Listener listener) {
        Thread.ofPlatform().name("links").daemon(true).start(() -> listen(listener));
    }

    /**
     * The link that matches, as soon as there is one.
     *
     * @param limit after which the stage fails
     */
    public CompletionStage<Link> await(Predicate<Link> wanted, Duration limit) {
        CompletableFuture<Link> found = new CompletableFuture<>();
        synchronized (links) {
            Optional<Link> there = links.values().stream().filter(wanted).findFirst();
            if (there.isPresent()) {
                return CompletableFuture.completedFuture(there.get());
            }
            waiters.removeIf(waiter -> waiter.found.isDone());
            waiters.add(new Waiter(wanted, found));
        }
        return found.orTimeout(limit.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void listen(Listener listener) {
        String trouble = "";
        while (closed.getCount() > 0) {
            try {
                if (!trouble.isEmpty()) {
                    reopen(listener);
                    trouble = "";
                    Events.info("links.heard-again");
                }
                Optional<LinkMonitor.Event> event = sockets.monitor.next(LOOK_AT_STOP);
                if (event.isPresent()) {
                    hear(event.get(), listener);
                }
            } catch (IOException | RuntimeException e) {
                metrics.fault("links");
                if (!e.toString().equals(trouble)) {
                    trouble = e.toString();
                    Events.warn("links.failed", "error", trouble);
                }
                pause();
            }
        }
        sockets.close();
    }

    private void reopen(Listener listener) throws IOException {
        sockets.close();
        sockets = opener.open();
        hear(new LinkMonitor.Event.Lost(), listener);
    }

    private void pause() {
        try {
            var _ = closed.await(PAUSE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            closed.countDown(); // Nobody else interrupts this thread.
        }
    }

    private void hear(LinkMonitor.Event event, Listener listener) throws IOException {
        switch (event) {
            case LinkMonitor.Event.Present(var link) -> present(link);
            case LinkMonitor.Event.Gone(var link) -> {
                synchronized (links) {
                    links.remove(link.index());
                }
                listener.gone(link.index());
            }
            case LinkMonitor.Event.Lost() -> {
                Set<Integer> missing = new TreeSet<>(listener.known());
                lookAtAll();
                synchronized (links) {
                    missing.removeAll(links.keySet());
                }
                missing.forEach(listener::gone);
            }
        }
    }

    private void lookAtAll() throws IOException {
        List<Link> all = sockets.look.links();
        synchronized (links) {
            links.clear();
        }
        all.forEach(this::present);
    }

    private void present(Link link) {
        List<Waiter> served = new ArrayList<>();
        synchronized (links) {
            links.put(link.index(), link);
            for (Iterator<Waiter> i = waiters.iterator(); i.hasNext(); ) {
                Waiter waiter = i.next();
                if (waiter.wanted.test(link)) {
                    i.remove();
                    served.add(waiter);
                }
            }
        }
        served.forEach(waiter -> waiter.found.complete(link));
    }

    @Override
    public void close() {
        closed.countDown();
    }
}
