package dev.underlay.cni.socket;

import dev.underlay.cni.linux.Fd;
import java.util.Map;
import java.util.Optional;

/**
 * One call as the launcher sent it, not checked yet.
 *
 * @param environment the allow-listed variables ({@code CNI_*}), exactly as the runtime set them
 * @param standardInput what the runtime wrote, decoded as UTF-8, at most {@link
 *     LauncherProtocol#MAX_INPUT_BYTES}
 * @param descriptors what the launcher opened, by name: {@link #NETNS}, {@link #ROUTE_SOCKET} and
 *     sysctl files by their path below {@code /proc/sys}. The server closes all of them before the
 *     answer leaves, whatever the handler did
 */
public record LauncherCall(
        Map<String, String> environment, String standardInput, Map<String, Fd> descriptors) {
    /** The pod's network namespace, {@code CNI_NETNS} opened. */
    public static final String NETNS = "netns";

    /** A NETLINK_ROUTE socket that was opened inside the pod's namespace. */
    public static final String ROUTE_SOCKET = "route";

    public LauncherCall {
        environment = Map.copyOf(environment);
        descriptors = Map.copyOf(descriptors);
    }

    /** The descriptor of that name, if the launcher sent one. */
    public Optional<Fd> descriptor(String name) {
        return Optional.ofNullable(descriptors.get(name));
    }
}
