package dev.underlay.cni.linux;

/**
 * Error numbers of {@code asm-generic/errno-base.h} and {@code errno.h} that callers tell apart.
 */
public final class Errno {
    public static final int ENOENT = 2;
    public static final int ESRCH = 3;
    public static final int EINTR = 4;
    public static final int EAGAIN = 11;
    public static final int EEXIST = 17;
    public static final int ENODEV = 19;
    public static final int EINVAL = 22;
    public static final int EADDRNOTAVAIL = 99;
    public static final int ECONNABORTED = 103;
    public static final int ECONNRESET = 104;
    public static final int ENOBUFS = 105;
    public static final int ECONNREFUSED = 111;

    private Errno() {}

    /** The number with the C library's words for it, such as {@code "File exists (errno 17)"}. */
    public static String describe(int errno) {
        return Linux.errorText(errno) + " (errno " + errno + ")";
    }
}
