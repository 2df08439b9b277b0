package dev.underlay.lab;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** Waits for what happens in other processes. */
final class Await {
    private static final long PAUSE_MILLIS = 20;

    private Await() {}

    /** Looks again until it is as wanted or the limit passes; returns the last look either way. */
    static <T> T until(Duration limit, Callable<T> look, Predicate<T> wanted) throws IOException {
        long end = System.nanoTime() + limit.toNanos();
        try {
            while (true) {
                T seen = look.call();
                if (wanted.test(seen) || System.nanoTime() > end) {
                    return seen;
                }
                TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while waiting", e);
        } catch (IOException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException(e);
        }
    }
}
