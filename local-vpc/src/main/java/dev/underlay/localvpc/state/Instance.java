package dev.underlay.localvpc.state;

import java.net.InetAddress;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * An instance, and its primary interface at launch.
 *
 * @param id such as {@code i-0ab1}
 * @param type such as {@code m5.large}
 * @param subnet of the primary interface
 * @param primaryInterfaceId the interface at device index 0
 * @param mac the primary interface's, lower case with colons
 * @param primaryAddress the primary interface's own
 * @param primaryIpv6 the IPv6 address that it was launched with; null in a subnet without IPv6
 * @param launchTime by the VPC's clock
 * @param state where it is in its life
 */
public record Instance(
        String id,
        String type,
        Subnet subnet,
        String primaryInterfaceId,
        String mac,
        InetAddress primaryAddress,
        @Nullable InetAddress primaryIpv6,
        Instant launchTime,
        State state) {

    /** Instance states with the codes that EC2 gives them. */
    public enum State {
        /** Booted. */
        RUNNING(16, "running"),
        /** Gone; EC2 shows it for a while. */
        TERMINATED(48, "terminated");

        private final int code;
        private final String text;

        State(int code, String text) {
            this.code = code;
            this.text = text;
        }

        /** InstanceState.code. */
        public int code() {
            return code;
        }

        /** InstanceState.name. */
        public String text() {
            return text;
        }
    }

    /** The same in another state. */
    public Instance withState(State to) {
        return new Instance(
                id,
                type,
                subnet,
                primaryInterfaceId,
                mac,
                primaryAddress,
                primaryIpv6,
                launchTime,
                to);
    }
}
