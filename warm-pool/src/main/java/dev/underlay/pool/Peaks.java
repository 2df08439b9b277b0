package dev.underlay.pool;

import java.util.ArrayDeque;
import java.util.OptionalLong;

/**
 * The most addresses that were in use at once, leased or cooling, within the last {@link
 * Timing#QUIET_NANOS}: what the node may need again soon. Use grows with a lease only, so that the
 * level after each lease is all there is to remember, and of those only the ones that no later one
 * reached.
 */
final class Peaks {
    private record Peak(long atNanos, int inUse) {}

    private final ArrayDeque<Peak> falling = new ArrayDeque<>();

    /** Remembers the level after a lease. */
    void leased(int inUse, long nowNanos) {
        while (!falling.isEmpty() && falling.getLast().inUse <= inUse) {
            falling.removeLast();
        }
        falling.addLast(new Peak(nowNanos, inUse));
    }

    /**
     * The highest level.
     *
     * @param inUse the level now
     */
    int highest(int inUse, long nowNanos) {
        return falling.stream()
                .filter(peak -> peak.atNanos + Timing.QUIET_NANOS > nowNanos)
                .mapToInt(Peak::inUse)
                .reduce(inUse, Math::max);
    }

    /** When the highest level is forgotten, if it is above the level now. */
    OptionalLong fallsAtNanos(int inUse, long nowNanos) {
        return falling.stream()
                .filter(peak -> peak.inUse > inUse)
                .mapToLong(peak -> peak.atNanos + Timing.QUIET_NANOS)
                .filter(at -> at > nowNanos)
                .min();
    }
}
