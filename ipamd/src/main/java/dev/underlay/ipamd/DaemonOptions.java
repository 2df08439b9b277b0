package dev.underlay.ipamd;

import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * The command line. Read by hand: a library for it took a fifth of the time until the socket is
 * served, and every option here is a name and a value.
 */
record DaemonOptions(
        Path runDir,
        Path cniBinDir,
        Path cniConfDir,
        Path launcher,
        Path settingsDir,
        String metricsAddress,
        String healthAddress) {
    static final String HELP =
            """
            usage: ipamd [--OPTION=VALUE]...

            Gives pods addresses of the VPC. Runs on every node, as root.

              --run-dir DIR              socket, journal and intents, on a tmpfs (/run/underlay)
              --cni-bin-dir DIR          where the runtime looks for plugins (/opt/cni/bin)
              --cni-conf-dir DIR         where the runtime looks for networks (/etc/cni/net.d)
              --launcher FILE            the launcher's binary, to be installed
                                         (/usr/lib/underlay/underlay)
              --settings-dir DIR         settings of the pool that can change while ipamd runs: a
                                         file for each, named as its environment variable, which
                                         it overrides (/etc/underlay/settings)
              --metrics-address A:PORT   where /metrics is (127.0.0.1:61678)
              --health-address A:PORT    where /healthz, /readyz and /status are (127.0.0.1:61679)
              --help, --version

            Environment: WARM_ENI_TARGET, WARM_IP_TARGET, MINIMUM_IP_TARGET,
            ENABLE_PREFIX_DELEGATION, WARM_PREFIX_TARGET, MAX_ENI, UNDERLAY_MAX_PODS,
            AWS_MANAGE_ENIS_NON_SCHEDULABLE, IP_COOLDOWN_PERIOD (seconds),
            UNDERLAY_ADD_WAIT (seconds, 1 to 60), UNDERLAY_LOG_LEVEL, CLUSTER_NAME,
            ENABLE_SUBNET_DISCOVERY, MY_NODE_NAME and the AWS SDK's own variables.
            """;

    private static final Map<String, String> DEFAULTS =
            Map.of(
                    "--run-dir", "/run/underlay",
                    "--cni-bin-dir", "/opt/cni/bin",
                    "--cni-conf-dir", "/etc/cni/net.d",
                    "--launcher", "/usr/lib/underlay/underlay",
                    "--settings-dir", "/etc/underlay/settings",
                    "--metrics-address", "127.0.0.1:61678",
                    "--health-address", "127.0.0.1:61679");

    /**
     * Reads {@code --name value} and {@code --name=value}; the last one of a name counts.
     *
     * @throws IllegalArgumentException naming what is no option or lacks its value
     */
    static DaemonOptions parse(String... arguments) {
        Map<String, String> values = new TreeMap<>(DEFAULTS);
        for (int i = 0; i < arguments.length; i++) {
            int equals = arguments[i].indexOf('=');
            String name = equals < 0 ? arguments[i] : arguments[i].substring(0, equals);
            if (!DEFAULTS.containsKey(name)) {
                throw new IllegalArgumentException("there is no option " + arguments[i]);
            }
            if (equals < 0 && ++i == arguments.length) {
                throw new IllegalArgumentException(name + " needs a value");
            }
            values.put(name, equals < 0 ? arguments[i] : arguments[i].substring(equals + 1));
        }
        return new DaemonOptions(
                path(values, "--run-dir"),
                path(values, "--cni-bin-dir"),
                path(values, "--cni-conf-dir"),
                path(values, "--launcher"),
                path(values, "--settings-dir"),
                values.getOrDefault("--metrics-address", ""),
                values.getOrDefault("--health-address", ""));
    }

    private static Path path(Map<String, String> values, String name) {
        return Path.of(values.getOrDefault(name, ""));
    }
}
