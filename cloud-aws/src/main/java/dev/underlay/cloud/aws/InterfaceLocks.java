package dev.underlay.cloud.aws;

import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/**
 * One change at a time on one interface: what a call added is only to be told from what was there
 * if nobody else of us changes it meanwhile. A fixed set of locks, picked by the id's hash.
 */
final class InterfaceLocks {
    private static final int LOCKS = 32;

    private final List<ReentrantLock> locks =
            Stream.generate(() -> new ReentrantLock()).limit(LOCKS).toList();

    /** A held lock; closing it lets go. */
    interface Held extends AutoCloseable {
        @Override
        void close();
    }

    Held hold(String interfaceId) {
        ReentrantLock lock = locks.get(Math.floorMod(interfaceId.hashCode(), LOCKS));
        lock.lock();
        return lock::unlock;
    }
}
