package dev.underlay.localvpc.state;

import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The versions of one thing over time, so that readers can be shown an older one.
 *
 * @param <T> immutable
 */
final class Timeline<T> {
    /** A value from an instant on; null says that the thing does not exist. */
    private record Version<T>(Instant since, @Nullable T value) {}

    private final Deque<Version<T>> newestFirst = new ArrayDeque<>();

    /** The thing has this value from now on; null if it is gone. */
    void put(Instant now, @Nullable T value) {
        newestFirst.addFirst(new Version<>(now, value));
    }

    /** The newest value. */
    @Nullable T latest() {
        Version<T> version = newestFirst.peekFirst();
        return version == null ? null : version.value;
    }

    /** The value at an instant; null if the thing did not exist. */
    @Nullable T at(Instant when) {
        for (Version<T> version : newestFirst) {
            if (!version.since.isAfter(when)) {
                return version.value;
            }
        }
        return null;
    }

    /** The newest version after the instant, or valid at it, that has the property. */
    @Nullable T lastWith(Predicate<T> property, Instant from) {
        for (Version<T> version : newestFirst) {
            T value = version.value;
            if (value != null && property.test(value)) {
                return value;
            }
            if (!version.since.isAfter(from)) {
                return null;
            }
        }
        return null;
    }

    /** The oldest version in the newest unbroken run of versions that have the property. */
    @Nullable T startOfRun(Predicate<T> property) {
        T start = null;
        for (Version<T> version : newestFirst) {
            T value = version.value;
            if (value == null || !property.test(value)) {
                break;
            }
            start = value;
        }
        return start;
    }

    /**
     * Drops versions that ended before the instant.
     *
     * @return whether nothing is left but that the thing is gone
     */
    boolean forget(Instant before) {
        Iterator<Version<T>> versions = newestFirst.iterator();
        boolean ended = false;
        while (versions.hasNext()) {
            Version<T> version = versions.next();
            if (ended) {
                versions.remove();
            }
            ended |= !version.since.isAfter(before);
        }
        return ended && newestFirst.size() == 1 && latest() == null;
    }
}
