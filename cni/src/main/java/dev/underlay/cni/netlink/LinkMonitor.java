package dev.underlay.cni.netlink;

import dev.underlay.cni.linux.Errno;
import dev.underlay.cni.linux.Fd;
import dev.underlay.cni.linux.LinuxException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Tells when links appear, change and disappear in the namespace it was opened in. Open it before
 * the first look at what is there, so that nothing falls between. One thread uses it; {@link
 * #close()} may come from another and takes effect at the end of the wait.
 */
public final class LinkMonitor implements AutoCloseable {
    private static final int RTMGRP_LINK = 1; // linux/rtnetlink.h
    private static final int AF_BRIDGE = 7; // linux/socket.h

    /** What happened. */
    public sealed interface Event {
        /** The link is there, with these properties; it may be new or changed. */
        record Present(Link link) implements Event {}

        /** The link is gone. */
        record Gone(Link link) implements Event {}

        /** Events came faster than they were read: look at everything again. */
        record Lost() implements Event {}
    }

    private final NetlinkSocket socket;
    private final Deque<Event> waiting = new ArrayDeque<>();

    private LinkMonitor(NetlinkSocket socket) {
        this.socket = socket;
    }

    /** Subscribes in the calling thread's network namespace. */
    public static LinkMonitor open() throws LinuxException {
        Fd fd = NetlinkSocket.create(NetlinkSocket.NETLINK_ROUTE);
        try {
            NetlinkSocket socket = new NetlinkSocket(fd, RouteSocket.ANSWER_TIMEOUT_MILLIS);
            socket.bind(RTMGRP_LINK);
            return new LinkMonitor(socket);
        } catch (LinuxException e) {
            fd.close();
            throw e;
        }
    }

    /** Waits for the next event; empty when the time is over. */
    public Optional<Event> next(Duration limit) throws IOException {
        long end = System.nanoTime() + limit.toNanos();
        while (waiting.isEmpty()) {
            long left = end - System.nanoTime();
            if (left <= 0) {
                return Optional.empty();
            }
            socket.timeout(left / 1_000_000 + 1); // 0 would wait for ever
            receive();
        }
        return Optional.of(waiting.remove());
    }

    /**
     * Waits until a link stands that matches, which may be one that stood before.
     *
     * @param look a socket of the same namespace
     */
    public Optional<Link> await(RouteSocket look, Predicate<Link> wanted, Duration limit)
            throws IOException {
        long end = System.nanoTime() + limit.toNanos();
        Optional<Link> found = look.links().stream().filter(wanted).findFirst();
        while (found.isEmpty()) {
            Optional<Event> event = next(Duration.ofNanos(end - System.nanoTime()));
            if (event.isEmpty()) {
                return Optional.empty();
            }
            found =
                    switch (event.get()) {
                        case Event.Present(var link) -> Optional.of(link).filter(wanted);
                        case Event.Gone _ -> Optional.empty();
                        case Event.Lost _ -> look.links().stream().filter(wanted).findFirst();
                    };
        }
        return found;
    }

    @Override
    public void close() {
        socket.fd().close();
    }

    private void receive() throws IOException {
        try {
            ByteBuffer datagram = socket.receive("wait for link events");
            while (datagram.remaining() >= Message.HEADER_BYTES) {
                ByteBuffer message = RouteSocket.next(datagram);
                switch (RouteSocket.typeOf(message)) {
                    case Links.RTM_NEWLINK ->
                            link(message).map(Event.Present::new).ifPresent(waiting::add);
                    case Links.RTM_DELLINK ->
                            link(message).map(Event.Gone::new).ifPresent(waiting::add);
                    default -> {}
                }
            }
        } catch (LinuxException e) {
            switch (e.errno()) {
                case Errno.EAGAIN -> {}
                case Errno.ENOBUFS -> waiting.add(new Event.Lost());
                default -> throw e;
            }
        }
    }

    /**
     * The link a message is about; none where a bridge speaks of its port: it leaves, not the link.
     */
    private static Optional<Link> link(ByteBuffer message) {
        ByteBuffer body = RouteSocket.bodyOf(message);
        boolean ofBridge = body.get(body.position()) == AF_BRIDGE;
        return ofBridge ? Optional.empty() : Optional.of(Link.parse(body));
    }
}
