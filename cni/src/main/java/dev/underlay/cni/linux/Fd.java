package dev.underlay.cni.linux;

/**
 * An open file descriptor that this process owns. Closing is idempotent; after it {@link #number()}
 * throws. Not thread-safe, except that {@code close} may be called from any thread.
 */
public final class Fd implements AutoCloseable {
    private final int number;
    private volatile boolean open = true;

    Fd(int number) {
        this.number = number;
    }

    /**
     * The number, for a system call.
     *
     * @throws IllegalStateException after {@link #close()}
     */
    public int number() {
        if (!open) {
            throw new IllegalStateException("descriptor " + number + " is closed");
        }
        return number;
    }

    @Override
    public synchronized void close() {
        if (open) {
            open = false;
            // Linux frees the number even when close() reports an error (close(2)).
            Linux.closeQuietly(number);
        }
    }

    @Override
    public String toString() {
        return "fd " + number + (open ? "" : " (closed)");
    }
}
