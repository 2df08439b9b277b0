package dev.underlay.ipamd.owner;

import dev.underlay.ipamd.observe.Events;
import dev.underlay.ipamd.observe.Metrics;
import java.util.OptionalLong;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The owner's thread and its mailbox. */
public final class OwnerThread implements Mailbox, AutoCloseable {
    /** At most 288 CNI calls run at once and each has one message under way; the rest is room. */
    private static final int CAPACITY = 4096;

    private static final long IDLE_NANOS = TimeUnit.HOURS.toNanos(1);
    private static final Runnable STOP = new Stop();

    private final BlockingQueue<Runnable> messages = new ArrayBlockingQueue<>(CAPACITY);
    private final LongSupplier clock;
    private final Metrics metrics;
    private volatile @Nullable Thread thread;

    /**
     * @param clock nanoseconds since boot
     */
    public OwnerThread(LongSupplier clock, Metrics metrics) {
        this.clock = clock;
        this.metrics = metrics;
    }

    /**
     * Starts the thread.
     *
     * @param settle run after messages and when its own time has come; it returns the next instant
     *     at which it must run even without a message
     */
    public void start(Supplier<OptionalLong> settle) {
        thread = Thread.ofPlatform().name("pool").daemon(true).start(() -> run(settle));
    }

    @Override
    public void post(Runnable task) {
        if (!messages.offer(task)) {
            throw new RejectedExecutionException(
                    "the pool's mailbox is full (" + CAPACITY + " messages)");
        }
    }

    /** Ends the thread after the messages that are here. */
    @Override
    public void close() {
        Thread running = thread;
        if (running != null && messages.offer(STOP)) {
            try {
                running.join(TimeUnit.SECONDS.toMillis(2));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void run(Supplier<OptionalLong> settle) {
        OptionalLong wakeAt = OptionalLong.empty();
        while (true) {
            Runnable message = await(wakeAt);
            while (message != null) {
                if (message.equals(STOP)) {
                    return;
                }
                guarded(message);
                message = messages.poll();
            }
            OptionalLong[] next = {OptionalLong.of(clock.getAsLong() + 1_000_000_000L)};
            guarded(() -> next[0] = settle.get());
            wakeAt = next[0];
        }
    }

    private record Stop() implements Runnable {
        @Override
        public void run() {}
    }

    private @Nullable Runnable await(OptionalLong wakeAt) {
        long nanos =
                wakeAt.isPresent()
                        ? Math.min(IDLE_NANOS, wakeAt.getAsLong() - clock.getAsLong())
                        : IDLE_NANOS;
        try {
            return nanos <= 0 ? messages.poll() : messages.poll(nanos, TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            return null; // Nobody interrupts this thread; look at the clock again.
        }
    }

    /** A bug in one message must not end the thread: everyone else's pods depend on it. */
    private void guarded(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException e) {
            metrics.fault("pool");
            Events.error("pool.bug", e, "error", e);
        }
    }
}
