package dev.underlay.localvpc;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** Time that passes only when a test says so. */
final class VirtualClock implements InstantSource {
    private volatile Instant now = Instant.parse("2026-11-25T09:00:00Z");

    @Override
    public Instant instant() {
        return now;
    }

    synchronized void advance(Duration by) {
        now = now.plus(by);
    }
}
