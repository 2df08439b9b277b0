package dev.underlay.ipamd.owner;

import dev.underlay.cni.protocol.CniError;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.Outlook;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * Why an ADD gets no address, in words: the limit that was hit, when one may come, and where to
 * look further.
 *
 * @param outlook what stood in the way as of the last plan
 * @param nextCooledNanos when the next address that rests can be leased
 * @param missing for pods of both families, those of which no address was free
 */
record NoAddress(Outlook outlook, OptionalLong nextCooledNanos, List<IpAddress.Family> missing) {
    /** Before the first plan. */
    static final NoAddress STARTING =
            new NoAddress(NodeState.STARTING.outlook(), OptionalLong.empty(), List.of());

    /**
     * What a create, an attach and the device take on EC2 when nothing is wrong: two calls of 0.3
     * to 1 s, and a device that comes 1 to 3 s after its attach.
     */
    private static final int USUAL_SECONDS = 5;

    /**
     * The error.
     *
     * @param what the wait that ended or could not begin
     */
    CniError error(String what, long nowNanos) {
        return CniError.tryAgain(
                what
                        + families()
                        + ": "
                        + limit()
                        + outlook.text()
                        + "; "
                        + estimate(nowNanos)
                        + "; to look further: "
                        + command(),
                "");
    }

    private String families() {
        return missing.isEmpty()
                ? ""
                : " (no %s address is free)"
                        .formatted(
                                missing.stream()
                                        .map(family ->
                                                switch (family) {
                                                    case IPV4 -> "IPv4";
                                                    case IPV6 -> "IPv6";
                                                })
                                        .collect(Collectors.joining(" and no ")));
    }

    private String limit() {
        return switch (outlook) {
            case Outlook.Stuck stuck ->
                    switch (stuck.obstacle()) {
                        case STARTING -> "start: ";
                        case SUBNET_FULL -> "subnet full: ";
                        case INTERFACE_LIMIT -> "interface limit: ";
                        case POD_LIMIT -> "pod limit: ";
                        case QUOTA -> "quota: ";
                        case PERMISSION -> "permission: ";
                        case CONFIGURATION -> "configuration: ";
                        case THROTTLING -> "throttling: ";
                        case CLOUD -> "cloud: ";
                    };
            case Outlook.Ready _, Outlook.Coming _ -> "";
        };
    }

    private String estimate(long nowNanos) {
        long cooled = nextCooledNanos.orElse(Long.MAX_VALUE);
        return switch (outlook) {
            case Outlook.Ready _ -> "the next try gets one";
            case Outlook.Coming _ -> "the next is expected in about " + USUAL_SECONDS + " s";
            case Outlook.Stuck stuck -> {
                long retry = stuck.retryAtNanos().orElse(Long.MAX_VALUE);
                if (cooled <= retry && cooled != Long.MAX_VALUE) {
                    yield "the next address has rested in " + seconds(cooled, nowNanos);
                }
                yield retry != Long.MAX_VALUE
                        ? "the cloud is asked again in " + seconds(retry, nowNanos)
                        : switch (stuck.obstacle()) {
                            case INTERFACE_LIMIT, POD_LIMIT ->
                                    "the next comes when a pod of this node ends";
                            case STARTING ->
                                    "the next is expected in about " + USUAL_SECONDS + " s";
                            case SUBNET_FULL, QUOTA, PERMISSION, CONFIGURATION, THROTTLING, CLOUD ->
                                    "the next comes once that is mended";
                        };
            }
        };
    }

    private static String seconds(long atNanos, long nowNanos) {
        return Math.max(1, TimeUnit.NANOSECONDS.toSeconds(atNanos - nowNanos + 999_999_999L))
                + " s";
    }

    /** The check finds what is wrong with a link that never came; the status has all else. */
    private String command() {
        boolean ownLinks =
                outlook instanceof Outlook.Stuck stuck
                        && stuck.obstacle() == Outlook.Obstacle.CLOUD
                        && stuck.retryAtNanos().isEmpty();
        return ownLinks ? "underlay ipam check" : "underlay status";
    }
}
