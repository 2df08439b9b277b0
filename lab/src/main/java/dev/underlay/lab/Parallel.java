package dev.underlay.lab;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** The same work for many things, some at a time. */
final class Parallel {
    /** Work for one thing. */
    @FunctionalInterface
    interface Work<T, R> {
        R on(T thing) throws Exception;
    }

    private Parallel() {}

    /**
     * Does the work for all, at most {@code width} at once, and returns the results in order.
     *
     * @throws IOException the first failure, after all have ended
     */
    static <T, R> List<R> map(int width, List<T> things, Work<T, R> work) throws IOException {
        try (ExecutorService threads = Executors.newFixedThreadPool(Math.max(1, width))) {
            List<Future<R>> futures = new ArrayList<>();
            for (T thing : things) {
                futures.add(threads.submit(() -> work.on(thing)));
            }
            List<R> results = new ArrayList<>();
            IOException failure = null;
            for (Future<R> future : futures) {
                try {
                    results.add(future.get());
                } catch (ExecutionException e) {
                    if (failure == null) {
                        failure =
                                e.getCause() instanceof IOException io
                                        ? io
                                        : new IOException(String.valueOf(e.getCause()), e);
                    }
                }
            }
            if (failure != null) {
                throw failure;
            }
            return results;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
