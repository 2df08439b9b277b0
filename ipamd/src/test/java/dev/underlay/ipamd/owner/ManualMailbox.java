package dev.underlay.ipamd.owner;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.OptionalLong;
import java.util.function.Supplier;

/** The owner's thread as something a test runs by hand, with a clock that it moves by hand. */
final class ManualMailbox implements Mailbox {
    private final Deque<Runnable> messages = new ArrayDeque<>();
    private long nowNanos = 1_000_000_000_000L;

    @Override
    public void post(Runnable task) {
        messages.add(task);
    }

    long nowNanos() {
        return nowNanos;
    }

    void advance(long nanos) {
        nowNanos += nanos;
    }

    /** Runs everything that is there and what comes of it, then settles. */
    OptionalLong run(Supplier<OptionalLong> settle) {
        OptionalLong wakeAt;
        do {
            while (!messages.isEmpty()) {
                messages.remove().run();
            }
            wakeAt = settle.get();
        } while (!messages.isEmpty());
        return wakeAt;
    }

    /** What a killed process leaves undone. */
    void forget() {
        messages.clear();
    }
}
