package dev.underlay.localvpc;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;

/**
 * How long calls and their effects take. {@code REAL} is believed, not measured: EC2 publishes no
 * figures, and what users report spreads widely (a device after 1 to 18 s, a detach in 2 to 10 s).
 */
public enum LatencyProfile {
    /** Everything at once. */
    NONE(0, 0, 0, 0),
    /** A quiet day in a large region. */
    REAL(300, 700, 250, 120),
    /** A bad day: about six times as slow. */
    SLOW(2_000, 4_000, 1_500, 700),
    /**
     * For benchmarks: every call 300 ms, a device 2 s after its attach was answered, no other lag.
     */
    STEADY(300, 300, 300, 300);

    private final Duration create;
    private final Duration attach;
    private final Duration mutate;
    private final Duration describe;

    LatencyProfile(long createMillis, long attachMillis, long mutateMillis, long describeMillis) {
        create = Duration.ofMillis(createMillis);
        attach = Duration.ofMillis(attachMillis);
        mutate = Duration.ofMillis(mutateMillis);
        describe = Duration.ofMillis(describeMillis);
    }

    /** How long a call takes before it is answered. */
    Duration call(String action) {
        return switch (action) {
            case "CreateNetworkInterface" -> create;
            case "AttachNetworkInterface" -> attach;
            default -> action.startsWith("Describe") ? describe : mutate;
        };
    }

    /** How long the effects of an answer take; a lag that is not in the map is zero. */
    Map<Lag, Duration> lags() {
        Map<Lag, Duration> lags = new EnumMap<>(Lag.class);
        if (this == STEADY) {
            lags.put(Lag.ATTACH, Duration.ofSeconds(2));
            lags.put(Lag.DEVICE, Duration.ofSeconds(2));
        } else if (this != NONE) {
            long unitMillis = this == REAL ? 1 : 6;
            lags.put(Lag.PENDING, Duration.ofMillis(300 * unitMillis));
            lags.put(Lag.ATTACH, Duration.ofMillis(800 * unitMillis));
            lags.put(Lag.DEVICE, Duration.ofMillis(1_500 * unitMillis));
            lags.put(Lag.DETACH, Duration.ofMillis(2_500 * unitMillis));
            lags.put(Lag.METADATA_INTERFACE, Duration.ofMillis(1_000 * unitMillis));
            lags.put(Lag.METADATA_LEAVES, Duration.ofMillis(200 * unitMillis));
            lags.put(Lag.METADATA_ADDRESSES, Duration.ofMillis(1_000 * unitMillis));
            lags.put(Lag.METADATA_LINGER, Duration.ofMillis(2_000 * unitMillis));
            lags.put(Lag.DESCRIBE, Duration.ofMillis(300 * unitMillis));
        }
        return lags;
    }
}
