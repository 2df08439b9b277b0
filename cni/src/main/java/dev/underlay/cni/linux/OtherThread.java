package dev.underlay.cni.linux;

import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;

/** Work that must run on a thread other than the caller's, as if the caller did it itself. */
public final class OtherThread {
    private OtherThread() {}

    /**
     * Waits for the work and returns or throws what it returned or threw.
     *
     * @param where where the work runs, for the error when the caller is interrupted
     * @throws IOException the work's own, one around another checked exception of its, or one that
     *     says that the caller was interrupted; the work goes on then
     */
    public static <T> T result(Future<T> work, String where) throws IOException {
        try {
            return work.get();
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case IOException io -> throw io;
                case RuntimeException runtime -> throw runtime;
                case Error error -> throw error;
                case null, default -> throw new IOException(e.getCause());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting for " + where, e);
        }
    }
}
