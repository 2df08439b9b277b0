package dev.underlay.cni.netlink;

import dev.underlay.cni.linux.Errno;
import java.io.IOException;

/** A request that the kernel refused or did not answer: the operation, its object and the cause. */
public final class NetlinkException extends IOException {
    private static final long serialVersionUID = 1L;

    private final int errno;

    /**
     * @param what the operation and its object, such as {@code add route 10.0.0.5/32 dev 7 table
     *     20000}
     * @param errno the positive errno value of the answer
     * @param kernelWords the kernel's extended acknowledgement, empty when it gave none
     */
    public NetlinkException(String what, int errno, String kernelWords) {
        super(
                what
                        + ": "
                        + Errno.describe(errno)
                        + (kernelWords.isEmpty() ? "" : " (" + kernelWords + ")"));
        this.errno = errno;
    }

    /** The positive errno value; compare with the constants of {@link Errno}. */
    public int errno() {
        return errno;
    }

    /** Whether the kernel says that the object to be deleted or changed does not exist. */
    public boolean isGone() {
        return switch (errno) {
            case Errno.ENOENT, Errno.ESRCH, Errno.ENODEV, Errno.EADDRNOTAVAIL -> true;
            default -> false;
        };
    }
}
