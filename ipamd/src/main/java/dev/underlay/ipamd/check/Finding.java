package dev.underlay.ipamd.check;

/**
 * One thing of which two sources say different things.
 *
 * @param kind what sort of disagreement, such as {@code pod-route-missing}
 * @param thing the address, link, rule, ... it is about
 * @param says what each source says
 * @param repair what puts it right
 */
public record Finding(String kind, String thing, String says, String repair) {
    /** What {@code --fix} and, for the node's routing, the daemon itself puts right. */
    static final String FIX = "underlay ipam check --fix";

    boolean isSame(Finding other) {
        return kind.equals(other.kind) && thing.equals(other.thing);
    }
}
