package dev.underlay.pool;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * How many addresses a node keeps at hand. Names and meaning are those of the AWS VPC CNI 1.23.1.
 *
 * @param families which addresses a pod gets. {@code ENABLE_IPv4}, {@code ENABLE_IPv6}
 * @param warmEniTarget keep the free addresses of this many full interfaces; whole interfaces come
 *     and go. Looked at only when both targets of addresses are unset, and not with prefixes.
 *     {@code WARM_ENI_TARGET}
 * @param warmIpTarget keep this many addresses free. {@code WARM_IP_TARGET}
 * @param minimumIpTarget keep at least this many addresses in total. {@code MINIMUM_IP_TARGET}
 * @param prefixDelegation ask for /28 prefixes instead of single addresses, on a type that takes
 *     them. {@code ENABLE_PREFIX_DELEGATION}
 * @param warmPrefixTarget keep this many prefixes free as a whole. Looked at only with prefixes and
 *     when both targets of addresses are unset. {@code WARM_PREFIX_TARGET}
 * @param customNetworking have no pods on the primary interface. {@code
 *     AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG}
 * @param maxEni have at most this many interfaces, the primary one counted; the type's limit holds
 *     too. {@code MAX_ENI}
 * @param whileCordoned grow and shrink on a cordoned node as on any other. {@code
 *     AWS_MANAGE_ENIS_NON_SCHEDULABLE}
 * @param maxPods have at most this many addresses that are free or leased; cooling ones come on
 *     top, or a full node would wait for the cooldown. {@code UNDERLAY_MAX_PODS}
 * @param cooldownNanos how long a released address rests; {@code IP_COOLDOWN_PERIOD}, in seconds
 */
public record PoolSettings(
        Families families,
        OptionalInt warmEniTarget,
        OptionalInt warmIpTarget,
        OptionalInt minimumIpTarget,
        boolean prefixDelegation,
        OptionalInt warmPrefixTarget,
        boolean customNetworking,
        OptionalInt maxEni,
        boolean whileCordoned,
        OptionalInt maxPods,
        long cooldownNanos) {
    /**
     * The cooldown that holds when none is set: 30 s, the time in which a kube-proxy on another
     * node that is a little behind still sends to the pod that is gone.
     */
    public static final int DEFAULT_COOLDOWN_SECONDS = 30;

    /** What {@link #fromEnvironment} reads and can change on a running node. */
    public static final List<String> NAMES =
            List.of(
                    "WARM_ENI_TARGET",
                    "WARM_IP_TARGET",
                    "MINIMUM_IP_TARGET",
                    "ENABLE_PREFIX_DELEGATION",
                    "WARM_PREFIX_TARGET",
                    "MAX_ENI",
                    "AWS_MANAGE_ENIS_NON_SCHEDULABLE",
                    "UNDERLAY_MAX_PODS",
                    "IP_COOLDOWN_PERIOD");

    /** It cannot change on a node that has pods: those on the primary interface would stay. */
    static final String CUSTOM_NETWORKING = "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG";

    private static final String ENABLE_IPV4 = "ENABLE_IPv4";
    private static final String ENABLE_IPV6 = "ENABLE_IPv6";
    private static final String ENABLE_PREFIX_DELEGATION = "ENABLE_PREFIX_DELEGATION";

    /** The three settings of which the VPC CNI wants one above 0 with prefixes. */
    private static final List<String> WARMTH =
            List.of("WARM_PREFIX_TARGET", "WARM_IP_TARGET", "MINIMUM_IP_TARGET");

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
                Families.IPV4,
                OptionalInt.empty(),
                OptionalInt.empty(),
                OptionalInt.empty(),
                false,
                OptionalInt.empty(),
                false,
                OptionalInt.empty(),
                false,
                OptionalInt.empty(),
                DEFAULT_COOLDOWN_SECONDS * 1_000_000_000L);
    }

    /**
     * Reads the settings from environment variables. One that is absent or empty is unset; a 0 in
     * {@code WARM_IP_TARGET}, {@code MINIMUM_IP_TARGET} and {@code WARM_PREFIX_TARGET} and a {@code
     * MAX_ENI} below 1 are unset as well, while {@code WARM_ENI_TARGET=0} is a target. All bad ones
     * are reported at once.
     */
    public static Parsed fromEnvironment(Map<String, String> environment) {
        Reader reader = new Reader(environment);
        PoolSettings settings =
                new PoolSettings(
                        reader.families(),
                        reader.number("WARM_ENI_TARGET", 0),
                        aboveZero(reader.number("WARM_IP_TARGET", 0)),
                        aboveZero(reader.number("MINIMUM_IP_TARGET", 0)),
                        reader.flag(ENABLE_PREFIX_DELEGATION),
                        aboveZero(reader.number("WARM_PREFIX_TARGET", 0)),
                        reader.flag(CUSTOM_NETWORKING),
                        aboveZero(reader.number("MAX_ENI", Integer.MIN_VALUE)),
                        reader.flag("AWS_MANAGE_ENIS_NON_SCHEDULABLE"),
                        reader.number("UNDERLAY_MAX_PODS", 1),
                        reader.number("IP_COOLDOWN_PERIOD", 0).orElse(DEFAULT_COOLDOWN_SECONDS)
                                * 1_000_000_000L);
        if (settings.prefixDelegation) {
            reader.refuseNoWarmth(settings);
        }
        reader.refuseIpv6Without(settings);
        return reader.errors.isEmpty() ? new Parsed.Good(settings) : new Parsed.Bad(reader.errors);
    }

    /** The same with a ceiling, which a cluster tells later than the rest; the lower one holds. */
    public PoolSettings withMaxPods(int pods) {
        return new PoolSettings(
                families,
                warmEniTarget,
                warmIpTarget,
                minimumIpTarget,
                prefixDelegation,
                warmPrefixTarget,
                customNetworking,
                maxEni,
                whileCordoned,
                OptionalInt.of(Math.min(pods, maxPods.orElse(pods))),
                cooldownNanos);
    }

    /** What holds on a type: one that takes no prefixes gets single addresses. */
    PoolSettings on(NodeIdentity.Limits limits) {
        return limits.prefixes() || !prefixDelegation
                ? this
                : new PoolSettings(
                        families,
                        warmEniTarget,
                        warmIpTarget,
                        minimumIpTarget,
                        false,
                        warmPrefixTarget,
                        customNetworking,
                        maxEni,
                        whileCordoned,
                        maxPods,
                        cooldownNanos);
    }

    /** The kind of blocks to ask for where it can be had. */
    BlockKind kind() {
        return prefixDelegation ? BlockKind.PREFIX_28 : BlockKind.SECONDARY_ADDRESS;
    }

    private static OptionalInt aboveZero(OptionalInt value) {
        return value.orElse(0) > 0 ? value : OptionalInt.empty();
    }

    /** Reads values and collects what is wrong with them. */
    private static final class Reader {
        private final Map<String, String> environment;
        private final List<String> errors = new ArrayList<>();

        Reader(Map<String, String> environment) {
            this.environment = environment;
        }

        private String text(String name) {
            return Optional.ofNullable(environment.get(name)).orElse("").strip();
        }

        /** The VPC CNI takes one family alone; with nothing set ours is IPv4. */
        Families families() {
            boolean ipv6 = flag(ENABLE_IPV6);
            boolean ipv4 = text(ENABLE_IPV4).isEmpty() ? !ipv6 : flag(ENABLE_IPV4);
            if (!ipv4 && !ipv6 && errors.isEmpty()) {
                errors.add(
                        ENABLE_IPV4
                                + " is false and "
                                + ENABLE_IPV6
                                + " is not true: pods would have no address; set one to true");
            }
            return ipv4 && ipv6 ? Families.BOTH : ipv6 ? Families.IPV6 : Families.IPV4;
        }

        /** As the VPC CNI; beside IPv4, prefixes are a matter of IPv4 alone. */
        void refuseIpv6Without(PoolSettings settings) {
            if (settings.families == Families.IPV6 && !settings.prefixDelegation) {
                errors.add(
                        "%s is true and %s is not: IPv6 addresses come out of prefixes; set both"
                                .formatted(ENABLE_IPV6, ENABLE_PREFIX_DELEGATION));
            }
            if (settings.families.has(IpAddress.Family.IPV6) && settings.customNetworking) {
                errors.add(
                        "%s and %s are true: IPv6 addresses are on the primary interface, which has"
                                        .formatted(ENABLE_IPV6, CUSTOM_NETWORKING)
                                + " no pods then; unset one of them");
            }
        }

        /** The words of Go's strconv.ParseBool, which the VPC CNI reads. */
        boolean flag(String name) {
            return switch (text(name)) {
                case "1", "t", "T", "true", "TRUE", "True" -> true;
                case "", "0", "f", "F", "false", "FALSE", "False" -> false;
                default -> {
                    errors.add(
                            "%s is \"%s\": it must be true or false; correct or unset it"
                                    .formatted(name, text(name)));
                    yield false;
                }
            };
        }

        /** None of the three set is fine, there is a default; each set to nothing is not. */
        void refuseNoWarmth(PoolSettings settings) {
            List<String> written = WARMTH.stream().filter(name -> !text(name).isEmpty()).toList();
            boolean warm =
                    settings.warmPrefixTarget.isPresent()
                            || settings.warmIpTarget.isPresent()
                            || settings.minimumIpTarget.isPresent();
            if (!written.isEmpty() && !warm && errors.isEmpty()) {
                errors.add(
                        "%s is true and %s 0: no address would be kept for the next pod; set one of"
                                        .formatted(
                                                ENABLE_PREFIX_DELEGATION,
                                                String.join(" and ", written)
                                                        + (written.size() == 1 ? " is" : " are"))
                                + " %s above 0 or unset them".formatted(String.join(", ", WARMTH)));
            }
        }

        OptionalInt number(String name, int least) {
            String text = text(name);
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
