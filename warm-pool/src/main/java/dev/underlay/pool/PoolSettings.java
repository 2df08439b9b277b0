package dev.underlay.pool;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How many addresses a node keeps at hand. Names and meaning are those of the AWS VPC CNI 1.23.1.
 *
 * @param warmEniTarget keep the free addresses of this many full interfaces; whole interfaces come
 *     and go. Looked at only when both other targets are unset. {@code WARM_ENI_TARGET}
 * @param warmIpTarget keep this many addresses free. {@code WARM_IP_TARGET}
 * @param minimumIpTarget keep at least this many addresses in total. {@code MINIMUM_IP_TARGET}
 * @param maxEni have at most this many interfaces, the primary one counted; the type's limit holds
 *     too. {@code MAX_ENI}
 * @param maxPods have at most this many addresses that are free or leased; cooling ones come on
 *     top, or a full node would wait for the cooldown
 * @param cooldownNanos how long a released address rests; {@code IP_COOLDOWN_PERIOD}, in seconds
 */
public record PoolSettings(
        OptionalInt warmEniTarget,
        OptionalInt warmIpTarget,
        OptionalInt minimumIpTarget,
        OptionalInt maxEni,
        OptionalInt maxPods,
        long cooldownNanos) {
    /**
     * The cooldown that holds when none is set: 30 s, the time in which a kube-proxy on another
     * node that is a little behind still sends to the pod that is gone.
     */
    public static final int DEFAULT_COOLDOWN_SECONDS = 30;

    /** What {@link #fromEnvironment} found. */
    public sealed interface Parsed {
        /** The settings; every one was readable. */
        record Good(PoolSettings settings) implements Parsed {}

        /**
         * Some were not.
         *
         * @param errors one sentence for each bad setting, in a fixed order
         */
        record Bad(List<String> errors) implements Parsed {
            /** Keeps its own copy of the errors. */
            public Bad {
                errors = List.copyOf(errors);
            }
        }
    }

    /** The settings that hold when none is set. */
    public static PoolSettings defaults() {
        return new PoolSettings(
                OptionalInt.empty(),
                OptionalInt.empty(),
                OptionalInt.empty(),
                OptionalInt.empty(),
                OptionalInt.empty(),
                DEFAULT_COOLDOWN_SECONDS * 1_000_000_000L);
    }

    /**
     * Reads the settings from environment variables. One that is absent or empty is unset; a 0 in
     * {@code WARM_IP_TARGET} and {@code MINIMUM_IP_TARGET} and a {@code MAX_ENI} below 1 are unset
     * as well, while {@code WARM_ENI_TARGET=0} is a target. All bad ones are reported at once.
     */
    public static Parsed fromEnvironment(Map<String, String> environment) {
        Reader reader = new Reader(environment);
        PoolSettings settings =
                new PoolSettings(
                        reader.number("WARM_ENI_TARGET", 0),
                        aboveZero(reader.number("WARM_IP_TARGET", 0)),
                        aboveZero(reader.number("MINIMUM_IP_TARGET", 0)),
                        aboveZero(reader.number("MAX_ENI", Integer.MIN_VALUE)),
                        OptionalInt.empty(),
                        reader.number("IP_COOLDOWN_PERIOD", 0).orElse(DEFAULT_COOLDOWN_SECONDS)
                                * 1_000_000_000L);
        return reader.errors.isEmpty() ? new Parsed.Good(settings) : new Parsed.Bad(reader.errors);
    }

    /** The same with a ceiling, which is known later than the rest. */
    public PoolSettings withMaxPods(int pods) {
        return new PoolSettings(
                warmEniTarget,
                warmIpTarget,
                minimumIpTarget,
                maxEni,
                OptionalInt.of(pods),
                cooldownNanos);
    }

    private static OptionalInt aboveZero(OptionalInt value) {
        return value.orElse(0) > 0 ? value : OptionalInt.empty();
    }

    /** Reads numbers and collects what is wrong with them. */
    private static final class Reader {
        private final Map<String, String> environment;
        private final List<String> errors = new ArrayList<>();

        Reader(Map<String, String> environment) {
            this.environment = environment;
        }

        OptionalInt number(String name, int least) {
            String text = Optional.ofNullable(environment.get(name)).orElse("").strip();
            if (text.isEmpty()) {
                return OptionalInt.empty();
            }
            try {
                int value = Integer.parseInt(text);
                if (value >= least) {
                    return OptionalInt.of(value);
                }
            } catch (NumberFormatException _) {
                // The same answer as for a number out of range.
            }
            errors.add(
                    "%s is \"%s\": it must be a whole number from %d to %d; correct or unset it"
                            .formatted(name, text, least, Integer.MAX_VALUE));
            return OptionalInt.empty();
        }
    }
}
