package dev.underlay.cni.linux;

import java.io.IOException;

/** A system call that the kernel refused: what was tried and the errno it gave. */
public final class LinuxException extends IOException {
    private static final long serialVersionUID = 1L;

    private final int errno;

    /**
     * @param what the call and the thing it was made on, such as {@code open /run/netns/a}
     * @param errno the positive errno value, as in {@code asm-generic/errno.h}
     */
    public LinuxException(String what, int errno) {
        super(what + ": " + Errno.describe(errno));
        this.errno = errno;
    }

    /** The positive errno value; compare with the constants of {@link Errno}. */
    public int errno() {
        return errno;
    }
}
