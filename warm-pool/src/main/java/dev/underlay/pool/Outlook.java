package dev.underlay.pool;

import java.util.OptionalLong;

/** What a pod that asks for an address now can expect, and what stands in the way. */
public sealed interface Outlook {
    /**
     * There are free addresses beyond those that waiting pods will take.
     *
     * @param free how many, 1 or more
     */
    record Ready(int free) implements Outlook {
        @Override
        public String text() {
            return free + " addresses are free";
        }
    }

    /**
     * None is left, but enough for one pod more than wait are on their way or can be had.
     *
     * @param addresses how many, those that waiting pods will take counted
     */
    record Coming(int addresses) implements Outlook {
        @Override
        public String text() {
            return addresses + " addresses come from the cloud";
        }
    }

    /**
     * None is left and too few are on their way.
     *
     * @param obstacle the kind of the limit
     * @param message which limit was hit, why, and what to do next
     * @param retryAtNanos when the planner tries again by itself, nanoseconds since boot
     */
    record Stuck(Obstacle obstacle, String message, OptionalLong retryAtNanos) implements Outlook {
        @Override
        public String text() {
            return message;
        }
    }

    /** What stands in the way of more addresses. */
    enum Obstacle {
        /** The cloud or the node's type is not known yet. */
        STARTING,
        /** No subnet has a free address. */
        SUBNET_FULL,
        /** Every interface this node may have is full. */
        INTERFACE_LIMIT,
        /** The node holds as many addresses as it may have pods. */
        POD_LIMIT,
        /** The account's or region's quota is used up. */
        QUOTA,
        /** The credentials lack a permission. */
        PERMISSION,
        /** The cloud's configuration or our call is wrong. */
        CONFIGURATION,
        /** The cloud slows us down. */
        THROTTLING,
        /** The cloud does not answer, or a thing in it is not ready. */
        CLOUD
    }

    /** A sentence for an error message or the status page. */
    String text();
}
