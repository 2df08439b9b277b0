package dev.underlay.cni.socket;

import dev.underlay.cni.linux.Errno;
import dev.underlay.cni.linux.Fd;
import dev.underlay.cni.linux.LinuxException;
import dev.underlay.cni.linux.UnixSocket;
import dev.underlay.cni.protocol.CniError;
import dev.underlay.cni.protocol.CniRequest;
import dev.underlay.cni.protocol.SpecVersion;
import dev.underlay.cni.socket.LauncherProtocol.MalformedException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Serves launchers on a root-only unix socket.
 *
 * <p>A thread accepts, reads, calls the handler and answers, with no hand-over in between; there is
 * always one more waiting in {@code accept} until the limit is reached, and the kernel's backlog is
 * the queue behind it. ADDs may wait long for an address, so they may hold only their share of the
 * threads: a crowd of them never keeps a DEL or STATUS out.
 */
public final class LauncherServer implements AutoCloseable {
    private static final int BACKLOG = 512; // a burst of one node's pods fits several times
    private static final int READ_BYTES = 16 * 1024; // a usual request has 1 to 4 KiB
    private static final long STACK_BYTES = 512 * 1024;
    private static final long CLOSE_WITHIN_MILLIS = 2000;
    private static final long ACCEPT_PAUSE_NANOS = 50_000_000; // while descriptors are used up

    private final Fd listener;
    private final LauncherHandler handler;
    private final Limits limits;
    private final Semaphore adds;
    private final Set<Thread> threads = ConcurrentHashMap.newKeySet();
    private final AtomicInteger waiting = new AtomicInteger();
    private volatile boolean closed;

    /**
     * Bounds of one server.
     *
     * @param adds ADDs at once; one more is answered with code 11
     * @param others threads that ADDs cannot hold
     * @param idle threads that stay when nothing is asked
     * @param readWithin from connect until the whole request is here
     * @param writeWithin until the whole answer is taken
     */
    public record Limits(
            int adds, int others, int idle, Duration readWithin, Duration writeWithin) {
        /** 256 ADDs is more than any node has addresses to wait for within a queue's minute. */
        public static final Limits DEFAULT =
                new Limits(256, 32, 8, Duration.ofSeconds(5), Duration.ofSeconds(5));

        public Limits {
            if (adds < 1 || others < 1 || idle < 1) {
                throw new IllegalArgumentException("every number of threads must be at least 1");
            }
        }
    }

    private LauncherServer(Fd listener, LauncherHandler handler, Limits limits) {
        this.listener = listener;
        this.handler = handler;
        this.limits = limits;
        this.adds = new Semaphore(limits.adds);
    }

    /**
     * Listens and serves from now on. The socket (mode 0600) appears under its path only when it
     * can be connected to; a stale one is replaced. A missing folder is made with mode 0700. Two
     * that start at the same moment for one path are the caller's to prevent.
     *
     * @throws IOException when another process listens there, when others could write to the
     *     folder, or when the kernel refuses
     */
    public static LauncherServer start(Path socketPath, LauncherHandler handler, Limits limits)
            throws IOException {
        Path folder = socketPath.toAbsolutePath().getParent();
        if (folder == null) {
            throw new IOException(socketPath + " cannot be a socket; name a file in a folder");
        }
        if (!Files.isDirectory(folder)) {
            Files.createDirectories(
                    folder,
                    PosixFilePermissions.asFileAttribute(
                            PosixFilePermissions.fromString("rwx------")));
        }
        String mode = PosixFilePermissions.toString(Files.getPosixFilePermissions(folder));
        if (mode.charAt(4) == 'w' || mode.charAt(7) == 'w') {
            throw new IOException(
                    folder + " has mode " + mode + "; make it writable for root only");
        }
        refuseSecondListener(socketPath);
        // Always the same name, so that one that was killed here leaves nothing to the next.
        Path early = folder.resolve("." + socketPath.getFileName() + ".new");
        Files.deleteIfExists(early);
        Fd listener = UnixSocket.bind(early.toString());
        try {
            Files.setPosixFilePermissions(early, PosixFilePermissions.fromString("rw-------"));
            UnixSocket.listen(listener, BACKLOG);
            Files.move(early, socketPath, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            listener.close();
            Files.deleteIfExists(early);
            throw e;
        }
        LauncherServer server = new LauncherServer(listener, handler, limits);
        server.addThread();
        return server;
    }

    /** Stops listening, interrupts running calls and waits a short while for their answers. */
    @Override
    public void close() {
        synchronized (this) {
            closed = true; // no thread is added from now on, and all there are have started
        }
        try {
            UnixSocket.shutdown(listener);
        } catch (IOException e) {
            handler.note("launcher.close-failed", String.valueOf(e.getMessage()));
        }
        long endNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(CLOSE_WITHIN_MILLIS);
        threads.forEach(Thread::interrupt);
        for (Thread thread : threads) {
            long leftNanos = endNanos - System.nanoTime();
            try {
                thread.join(Duration.ofNanos(Math.max(1, leftNanos)));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                break;
            }
        }
        listener.close();
    }

    private static void refuseSecondListener(Path socketPath) throws IOException {
        try (Fd other = UnixSocket.connect(socketPath.toString())) {
            throw new IOException(
                    "another daemon listens on " + socketPath + " (" + other + "); stop it first");
        } catch (LinuxException e) {
            if (e.errno() != Errno.ENOENT && e.errno() != Errno.ECONNREFUSED) {
                throw e;
            }
        }
    }

    // ---- threads

    private synchronized void addThread() {
        if (closed) {
            return;
        }
        waiting.incrementAndGet();
        Thread thread =
                Thread.ofPlatform()
                        .name("cni-" + threads.size())
                        .daemon(true)
                        .stackSize(STACK_BYTES)
                        .unstarted(this::serve);
        threads.add(thread);
        try {
            thread.start();
        } catch (OutOfMemoryError e) {
            // No more threads can be had; those there are go on.
            threads.remove(thread);
            waiting.decrementAndGet();
            handler.note("launcher.thread-refused", String.valueOf(e.getMessage()));
        }
    }

    private void serve() {
        UnixSocket.Receiver receiver = new UnixSocket.Receiver(READ_BYTES);
        try {
            do {
                Fd caller = accept();
                if (caller == null) {
                    return;
                }
                try (caller) {
                    if (waiting.decrementAndGet() == 0
                            && threads.size() < limits.adds + limits.others) {
                        addThread();
                    }
                    converse(caller, receiver);
                } catch (IOException | RuntimeException e) {
                    handler.note("launcher.lost", e.toString());
                }
                // An interrupt was for the call that is over.
                Thread.interrupted();
            } while (staysIdle());
        } finally {
            threads.remove(Thread.currentThread());
        }
    }

    /**
     * Counts this thread among those that wait, unless there are enough. In one step: a thread that
     * was counted for a moment would keep the last of the others from adding the next.
     */
    private boolean staysIdle() {
        return waiting.getAndUpdate(n -> n < limits.idle ? n + 1 : n) < limits.idle;
    }

    /** The next caller, or null when the server is closed. */
    private @Nullable Fd accept() {
        while (!closed) {
            try {
                return UnixSocket.accept(listener);
            } catch (LinuxException e) {
                if (!closed && e.errno() != Errno.ECONNABORTED) {
                    handler.note("launcher.accept-failed", String.valueOf(e.getMessage()));
                    LockSupport.parkNanos(ACCEPT_PAUSE_NANOS);
                }
            }
        }
        return null;
    }

    // ---- one call

    private void converse(Fd caller, UnixSocket.Receiver receiver) throws IOException {
        int uid = UnixSocket.peerUid(caller);
        if (uid != 0) {
            handler.note("launcher.refused", "a process of user " + uid + " connected");
            return;
        }
        List<Fd> descriptors = new ArrayList<>();
        LauncherReply reply;
        try {
            reply = answer(read(caller, receiver, descriptors), caller);
        } catch (MalformedException e) {
            handler.note("launcher.malformed", String.valueOf(e.getMessage()));
            reply =
                    LauncherReply.failure(
                            CniError.notUnderstood(String.valueOf(e.getMessage())),
                            SpecVersion.NEWEST);
        } finally {
            // Before the answer leaves: an open one would keep the pod's namespace alive.
            descriptors.forEach(Fd::close);
        }
        write(caller, LauncherProtocol.encode(reply));
    }

    private LauncherReply answer(LauncherCall call, Fd caller) {
        boolean add = "ADD".equals(call.environment().get("CNI_COMMAND"));
        if (add && !adds.tryAcquire()) {
            return LauncherReply.failure(
                    CniError.tryAgain(
                            limits.adds + " ADDs already wait on this node; wait for them", ""),
                    CniRequest.answerVersion(call.standardInput()));
        }
        try {
            return handler.handle(call, () -> hungUp(caller));
        } catch (RuntimeException | Error e) {
            StringWriter stack = new StringWriter();
            e.printStackTrace(new PrintWriter(stack));
            handler.note("launcher.bug", stack.toString());
            return LauncherReply.failure(
                    CniError.bug(e), CniRequest.answerVersion(call.standardInput()));
        } finally {
            if (add) {
                adds.release();
            }
        }
    }

    private static boolean hungUp(Fd caller) {
        try {
            return UnixSocket.isHungUp(caller);
        } catch (LinuxException e) {
            return true;
        }
    }

    private LauncherCall read(Fd caller, UnixSocket.Receiver receiver, List<Fd> descriptors)
            throws IOException {
        long endNanos = System.nanoTime() + limits.readWithin.toNanos();
        ByteBuffer frame = heap(LauncherProtocol.HEADER_BYTES);
        while (frame.hasRemaining()) {
            if (!UnixSocket.awaitReadable(caller, endNanos - System.nanoTime())) {
                throw new MalformedException(
                        "no whole request within " + limits.readWithin.toMillis() + " ms");
            }
            // What comes is at most this frame, so a second one stays unread.
            ByteBuffer bytes = receiver.receive(caller, frame.remaining(), descriptors);
            if (!bytes.hasRemaining()) {
                throw new MalformedException("the request ends after " + frame.position());
            }
            if (descriptors.size() > UnixSocket.MAX_DESCRIPTORS) {
                throw new MalformedException("too many descriptors");
            }
            frame.put(bytes);
            if (frame.position() == LauncherProtocol.HEADER_BYTES
                    && frame.capacity() == LauncherProtocol.HEADER_BYTES) {
                int length = LauncherProtocol.length(frame);
                frame = heap(length).put(frame.flip());
            }
        }
        return LauncherProtocol.decode(frame.position(LauncherProtocol.HEADER_BYTES), descriptors);
    }

    private static ByteBuffer heap(int length) {
        return ByteBuffer.allocate(length).order(ByteOrder.nativeOrder());
    }

    private void write(Fd caller, ByteBuffer frame) throws IOException {
        long endNanos = System.nanoTime() + limits.writeWithin.toNanos();
        while (frame.hasRemaining()) {
            if (!UnixSocket.awaitWritable(caller, endNanos - System.nanoTime())) {
                throw new IOException("the launcher takes no answer");
            }
            UnixSocket.send(caller, frame);
        }
    }
}
