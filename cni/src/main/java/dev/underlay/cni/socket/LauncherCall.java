package dev.underlay.cni.socket;

import dev.underlay.cni.linux.Fd;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One call as the launcher sent it, not checked yet.
 *
 * @param environment the allow-listed variables ({@code CNI_*}), exactly as the runtime set them
 * @param standardInput what the runtime wrote, decoded as UTF-8, at most {@link
 *     LauncherProtocol#MAX_INPUT_BYTES}
 * @param descriptors what the launcher opened, by name: {@link #NETNS}, {@link #ROUTE_SOCKET} and
 *     {@link #SYSCTLS}. The server closes all of them before the answer leaves, whatever the
 *     handler did
 */
public record LauncherCall(
        Map<String, String> environment, String standardInput, Map<String, Fd> descriptors) {
    /** The pod's network namespace, {@code CNI_NETNS} opened. */
    public static final String NETNS = "netns";

    /** A NETLINK_ROUTE socket that was opened inside the pod's namespace. */
    public static final String ROUTE_SOCKET = "route";

    /**
     * Sysctl files of the pod's namespace that an ADD brings, opened for writing, by their path
     * below {@code /proc/sys}. One that could not be opened is missing: no IPv6 in this kernel, or
     * a read-only {@code /proc/sys}. {@code default} must be written before the pod's link is made.
     */
    public static final List<String> SYSCTLS =
            List.of(
                    "net/ipv6/conf/all/disable_ipv6",
                    "net/ipv6/conf/default/disable_ipv6",
                    "net/ipv6/conf/all/accept_dad",
                    "net/ipv6/conf/default/accept_dad",
                    "net/ipv6/conf/default/accept_ra");

    public LauncherCall {
        environment = Map.copyOf(environment);
        descriptors = Map.copyOf(descriptors);
    }

    /** The descriptor of that name, if the launcher sent one. */
    public Optional<Fd> descriptor(String name) {
        return Optional.ofNullable(descriptors.get(name));
    }
}
