package dev.underlay.cni.linux;

import java.io.IOException;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Stream sockets with a path that carry descriptors, native from {@code socket()} to {@code
 * close()}: the JDK's channels cannot receive descriptors. Blocking unless it says otherwise.
 */
public final class UnixSocket {
    private static final int SOL_SOCKET = 1; // asm-generic/socket.h
    private static final int SO_PEERCRED = 17; // asm-generic/socket.h
    private static final int SCM_RIGHTS = 1; // linux/socket.h
    private static final int MSG_CTRUNC = 0x8; // linux/socket.h
    private static final int MSG_DONTWAIT = 0x40; // linux/socket.h
    private static final int MSG_NOSIGNAL = 0x4000; // linux/socket.h
    private static final int MSG_CMSG_CLOEXEC = 0x40000000; // linux/socket.h
    private static final int SHUT_RDWR = 2; // linux/net.h, as in shutdown(2)
    private static final short POLLIN = 0x1; // asm-generic/poll.h
    private static final short POLLOUT = 0x4; // asm-generic/poll.h
    private static final short POLLHUP = 0x10; // asm-generic/poll.h
    private static final int CMSG_HEADER_BYTES = 16; // struct cmsghdr on 64 bits

    /** Descriptors that one message may carry; more are an error. */
    public static final int MAX_DESCRIPTORS = 32;

    private UnixSocket() {}

    /** A socket bound to {@code path}; nobody can connect before {@link #listen}. */
    public static Fd bind(String path) throws LinuxException {
        ByteBuffer address = Linux.unixAddress(path);
        return made(s -> Linux.check("bind " + path, c -> c.bind(s, address, address.capacity())));
    }

    /** Lets callers connect; {@code backlog} of them wait in the kernel. */
    public static void listen(Fd socket, int backlog) throws LinuxException {
        Linux.check("listen", c -> c.listen(socket.number(), backlog));
    }

    /** A socket connected to the listener at {@code path}. */
    public static Fd connect(String path) throws LinuxException {
        ByteBuffer address = Linux.unixAddress(path);
        return made(s ->
                Linux.check("connect " + path, c -> c.connect(s, address, address.capacity())));
    }

    /** The next caller. Fails once {@link #shutdown} was called on the listener. */
    public static Fd accept(Fd listener) throws LinuxException {
        ByteBuffer address = Linux.buffer(110);
        ByteBuffer length = Linux.buffer(4).putInt(0, 110);
        return Linux.own(
                (int)
                        Linux.check(
                                "accept",
                                c ->
                                        c.accept4(
                                                listener.number(),
                                                address,
                                                length,
                                                Linux.SOCK_CLOEXEC)));
    }

    /** The user id of the process that connected, as this process's user namespace sees it. */
    public static int peerUid(Fd socket) throws LinuxException {
        ByteBuffer credentials = Linux.buffer(12); // struct ucred: pid, uid, gid
        ByteBuffer length = Linux.buffer(4).putInt(0, 12);
        Linux.check(
                "getsockopt SO_PEERCRED",
                c -> c.getsockopt(socket.number(), SOL_SOCKET, SO_PEERCRED, credentials, length));
        return credentials.getInt(4);
    }

    /** Waits until there is something to read, or the end. False when the time is over. */
    public static boolean awaitReadable(Fd socket, long timeoutNanos) throws LinuxException {
        return poll(socket, POLLIN, timeoutNanos) != 0;
    }

    /** Waits until something can be written, or never more. False when the time is over. */
    public static boolean awaitWritable(Fd socket, long timeoutNanos) throws LinuxException {
        return poll(socket, POLLOUT, timeoutNanos) != 0;
    }

    /** Whether the other end is closed. Does not block. */
    public static boolean isHungUp(Fd socket) throws LinuxException {
        return (poll(socket, (short) 0, 0) & POLLHUP) != 0;
    }

    /** Ends both directions and wakes every thread that waits on the socket. */
    public static void shutdown(Fd socket) throws LinuxException {
        Linux.check("shutdown", c -> c.shutdown(socket.number(), SHUT_RDWR));
    }

    /**
     * Writes what fits now, from the buffer's position, and moves it. Never raises SIGPIPE.
     *
     * @param direct a direct buffer
     */
    public static void send(Fd socket, ByteBuffer direct) throws LinuxException {
        send(socket, direct, List.of());
    }

    /** As {@link #send(Fd, ByteBuffer)}, with descriptors on the first byte. */
    public static void send(Fd socket, ByteBuffer direct, List<Fd> descriptors)
            throws LinuxException {
        ByteBuffer data = direct.slice();
        ByteBuffer control = Linux.buffer(CMSG_HEADER_BYTES + 4 * (descriptors.size() + 1));
        control.putLong(0, CMSG_HEADER_BYTES + 4L * descriptors.size());
        control.putInt(8, SOL_SOCKET).putInt(12, SCM_RIGHTS);
        for (int i = 0; i < descriptors.size(); i++) {
            control.putInt(CMSG_HEADER_BYTES + 4 * i, descriptors.get(i).number());
        }
        Message message = new Message(data, control);
        if (descriptors.isEmpty()) {
            message.header.putLong(40, 0); // msg_controllen
        }
        try {
            long sent =
                    Linux.check(
                            "sendmsg",
                            c ->
                                    c.sendmsg(
                                            socket.number(),
                                            message.header,
                                            MSG_NOSIGNAL | MSG_DONTWAIT));
            direct.position(direct.position() + (int) sent);
        } finally {
            Reference.reachabilityFence(message);
        }
    }

    /** Reads messages with descriptors; its buffers are reused, so one per thread. */
    public static final class Receiver {
        private final ByteBuffer data;
        private final ByteBuffer control = Linux.buffer(CMSG_HEADER_BYTES + 4 * MAX_DESCRIPTORS);
        private final Message message;

        /**
         * @param bytes the most that one {@link #receive} reads
         */
        public Receiver(int bytes) {
            data = Linux.buffer(bytes);
            message = new Message(data, control);
        }

        /**
         * Reads once, at most {@code limit} bytes.
         *
         * @param into receives the descriptors, also when this method fails: the caller closes them
         * @return the bytes, valid until the next call; none at the end of the stream
         * @throws IOException when the read fails or descriptors were lost
         */
        public ByteBuffer receive(Fd socket, int limit, List<Fd> into) throws IOException {
            message.header.putLong(40, control.capacity()); // msg_controllen, changed by each call
            message.vector.putLong(8, Math.min(limit, data.capacity()));
            int count =
                    (int)
                            Linux.check(
                                    "recvmsg",
                                    c ->
                                            c.recvmsg(
                                                    socket.number(),
                                                    message.header,
                                                    MSG_CMSG_CLOEXEC));
            takeDescriptors((int) message.header.getLong(40), into);
            if ((message.header.getInt(48) & MSG_CTRUNC) != 0) {
                throw new IOException("more than " + MAX_DESCRIPTORS + " descriptors in a message");
            }
            return data.slice(0, count).order(data.order());
        }

        private void takeDescriptors(int controlBytes, List<Fd> into) {
            int at = 0;
            while (at + CMSG_HEADER_BYTES <= controlBytes) {
                int length = (int) control.getLong(at);
                if (length < CMSG_HEADER_BYTES) {
                    return;
                }
                if (control.getInt(at + 8) == SOL_SOCKET && control.getInt(at + 12) == SCM_RIGHTS) {
                    int end = Math.min(at + length, controlBytes);
                    for (int i = at + CMSG_HEADER_BYTES; i + 4 <= end; i += 4) {
                        into.add(Linux.own(control.getInt(i)));
                    }
                }
                at += (length + 7) & ~7; // CMSG_ALIGN on 64 bits
            }
        }
    }

    /** {@code struct msghdr} (56 bytes on 64 bits) over one {@code struct iovec}. */
    private static final class Message {
        final ByteBuffer header = Linux.buffer(56);
        final ByteBuffer vector = Linux.buffer(16);
        private final ByteBuffer data;
        private final ByteBuffer control;

        Message(ByteBuffer data, ByteBuffer control) {
            this.data = data; // referenced, because the structures hold bare addresses
            this.control = control;
            vector.putLong(0, Linux.address(this.data)).putLong(8, data.remaining());
            header.putLong(16, Linux.address(vector)); // msg_iov
            header.putLong(24, 1); // msg_iovlen
            header.putLong(32, Linux.address(this.control)); // msg_control
            header.putLong(40, control.getLong(0) == 0 ? control.capacity() : control.getLong(0));
        }
    }

    @FunctionalInterface
    private interface Step {
        long run(int socket) throws LinuxException;
    }

    private static Fd made(Step step) throws LinuxException {
        Fd socket = Linux.socket(Linux.AF_UNIX, Linux.SOCK_STREAM, 0);
        try {
            step.run(socket.number());
            return socket;
        } catch (LinuxException e) {
            socket.close();
            throw e;
        }
    }

    /** The events that happened, 0 when the time is over. */
    private static short poll(Fd socket, short events, long timeoutNanos) throws LinuxException {
        long endNanos = System.nanoTime() + timeoutNanos;
        ByteBuffer descriptor = Linux.buffer(8); // struct pollfd
        descriptor.putInt(0, socket.number()).putShort(4, events);
        while (true) {
            long leftMillis = Math.max(0, (endNanos - System.nanoTime() + 999_999) / 1_000_000);
            long ready =
                    Linux.check(
                            "poll", c -> c.poll(descriptor, 1, (int) Math.min(leftMillis, 60_000)));
            if (ready > 0) {
                return descriptor.getShort(6);
            }
            if (leftMillis <= 60_000) {
                return 0;
            }
        }
    }
}
