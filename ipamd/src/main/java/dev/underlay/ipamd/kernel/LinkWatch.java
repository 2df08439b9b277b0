package dev.underlay.ipamd.kernel;

import dev.underlay.cni.netlink.Link;
import dev.underlay.cni.netlink.LinkMonitor;
import dev.underlay.cni.netlink.RouteSocket;
import dev.underlay.ipamd.observe.Events;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** Hears from the kernel which links come and go, on a thread of its own. */
public final class LinkWatch implements AutoCloseable {
    private static final Duration LOOK_AT_STOP = Duration.ofSeconds(1);

    private record Waiter(Predicate<Link> wanted, CompletableFuture<Link> found) {}

    /** Hears of links; called on the watch's thread, must not block. */
    public interface Listener {
        /** The link with this index is gone. */
        void gone(int index);

        /** Events were lost; these are the links that stand. */
        void standing(Set<Integer> indexes);
    }

    private final LinkMonitor monitor;
    private final RouteSocket look;
    private final Map<Integer, Link> links = new TreeMap<>();
    private final List<Waiter> waiters = new ArrayList<>();
    private volatile boolean closed;

    private LinkWatch(LinkMonitor monitor, RouteSocket look) {
        this.monitor = monitor;
        this.look = look;
    }

    /**
     * Opens the watch in the calling thread's namespace; what stands there is known from now on.
     */
    public static LinkWatch open() throws IOException {
        LinkWatch watch = new LinkWatch(LinkMonitor.open(), RouteSocket.open());
        watch.lookAtAll();
        return watch;
    }

    /** Starts to listen. */
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
        while (!closed) {
            try {
                Optional<LinkMonitor.Event> event = monitor.next(LOOK_AT_STOP);
                if (event.isPresent()) {
                    hear(event.get(), listener);
                }
            } catch (IOException e) {
                if (!closed) {
                    Events.warn("links.failed", "error", e.getMessage());
                }
            }
        }
        monitor.close();
        look.close();
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
                lookAtAll();
                synchronized (links) {
                    listener.standing(Set.copyOf(links.keySet()));
                }
            }
        }
    }

    private void lookAtAll() throws IOException {
        List<Link> all = look.links();
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
        closed = true;
    }
}
