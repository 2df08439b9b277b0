package dev.underlay.cni.linux;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import jnr.ffi.LastError;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;

/**
 * System calls as Java methods: each checks its result, repeats on EINTR and turns a failure into a
 * {@link LinuxException}. All calls block the calling thread; run them on platform threads.
 */
public final class Linux {
    public static final int AF_UNIX = 1; // linux/socket.h
    public static final int AF_NETLINK = 16; // linux/socket.h
    public static final int SOCK_STREAM = 1; // asm-generic/socket.h
    public static final int SOCK_RAW = 3; // asm-generic/socket.h
    public static final int SOCK_CLOEXEC = 0x80000; // asm-generic/fcntl.h, O_CLOEXEC
    public static final int O_RDONLY = 0; // asm-generic/fcntl.h
    public static final int O_WRONLY = 1; // asm-generic/fcntl.h
    public static final int O_CLOEXEC = 0x80000; // asm-generic/fcntl.h
    public static final int CLONE_NEWNET = 0x40000000; // linux/sched.h

    private static final int CLOCK_BOOTTIME = 7; // linux/time.h
    private static final LibC LIBC = LibraryLoader.create(LibC.class).load("c");
    private static final Runtime RUNTIME = Runtime.getRuntime(LIBC);

    private Linux() {}

    /** A system call that returns a negative number on failure and sets errno. */
    @FunctionalInterface
    public interface Call {
        long run(LibC libc);
    }

    /**
     * Runs one call, again while it is interrupted.
     *
     * @param what the call and its object, for the error
     * @throws LinuxException when it fails with anything but EINTR
     */
    public static long check(String what, Call call) throws LinuxException {
        while (true) {
            long result = call.run(LIBC);
            if (result >= 0) {
                return result;
            }
            int errno = LastError.getLastError(RUNTIME);
            if (errno != Errno.EINTR) {
                throw new LinuxException(what, errno);
            }
        }
    }

    /** Opens a path; {@code O_CLOEXEC} is added. */
    public static Fd open(String path, int flags) throws LinuxException {
        return new Fd((int) check("open " + path, c -> c.open(path, flags | O_CLOEXEC, 0)));
    }

    /** Makes a socket; {@code SOCK_CLOEXEC} is added. */
    public static Fd socket(int domain, int type, int protocol) throws LinuxException {
        return new Fd((int) check("socket", c -> c.socket(domain, type | SOCK_CLOEXEC, protocol)));
    }

    /** Takes ownership of a descriptor number that a system call returned or a peer sent. */
    public static Fd own(int number) {
        return new Fd(number);
    }

    /** Nanoseconds since boot, suspend included ({@code CLOCK_BOOTTIME}). */
    public static long bootTimeNanos() {
        ByteBuffer timespec = buffer(16);
        try {
            check("clock_gettime", c -> c.clock_gettime(CLOCK_BOOTTIME, timespec));
        } catch (LinuxException e) {
            throw new IllegalStateException("the kernel has no CLOCK_BOOTTIME", e);
        }
        return timespec.getLong(0) * 1_000_000_000L + timespec.getLong(8);
    }

    /** The inode of an open file; for a namespace it is the namespace's identity. */
    public static long inode(Fd fd) throws LinuxException {
        ByteBuffer stat = buffer(256); // struct stat is 144 bytes on x86-64 and 128 on arm64
        check("fstat " + fd, c -> c.fstat(fd.number(), stat));
        return stat.getLong(8); // st_ino, the second member on both
    }

    /** A zeroed direct buffer in native byte order, as every structure of the kernel wants it. */
    public static ByteBuffer buffer(int size) {
        return ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder());
    }

    /** {@code struct sockaddr_un} for a path of at most 107 bytes (linux/un.h). */
    public static ByteBuffer unixAddress(String path) {
        byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
        if (bytes.length > 107) {
            throw new IllegalArgumentException(
                    "socket path longer than 107 bytes: " + path + "; choose a shorter folder");
        }
        ByteBuffer address = buffer(110);
        address.putShort(0, (short) AF_UNIX);
        address.put(2, bytes);
        return address;
    }

    /** Where a direct buffer begins in memory, whatever its position. Keep the buffer reachable. */
    static long address(ByteBuffer buffer) {
        return Pointer.wrap(RUNTIME, buffer).address();
    }

    static String errorText(int errno) {
        return LIBC.strerror(errno);
    }

    static void closeQuietly(int number) {
        LIBC.close(number);
    }
}
