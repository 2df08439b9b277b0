package dev.underlay.ipamd;

import java.nio.file.Path;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The command line, not checked yet. */
@Command(
        name = "ipamd",
        description = "Gives pods addresses of the VPC. Runs on every node, as root.",
        mixinStandardHelpOptions = true,
        version = "underlay ipamd 0.1.0")
final class DaemonOptions {
    @Option(
            names = "--run-dir",
            description = "Socket, journal and intents, on a tmpfs. Default: ${DEFAULT-VALUE}",
            defaultValue = "/run/underlay")
    Path runDir = Path.of("");

    @Option(
            names = "--cni-bin-dir",
            description = "Where the runtime looks for plugins. Default: ${DEFAULT-VALUE}",
            defaultValue = "/opt/cni/bin")
    Path cniBinDir = Path.of("");

    @Option(
            names = "--cni-conf-dir",
            description = "Where the runtime looks for networks. Default: ${DEFAULT-VALUE}",
            defaultValue = "/etc/cni/net.d")
    Path cniConfDir = Path.of("");

    @Option(
            names = "--launcher",
            description = "The launcher's binary, to be installed. Default: ${DEFAULT-VALUE}",
            defaultValue = "/usr/lib/underlay/underlay")
    Path launcher = Path.of("");

    @Option(
            names = "--metrics-address",
            description = "Where /metrics is served. Default: ${DEFAULT-VALUE}",
            defaultValue = "127.0.0.1:61678")
    String metricsAddress = "";

    @Option(
            names = "--health-address",
            description = "Where /healthz, /readyz, /status are. Default: ${DEFAULT-VALUE}",
            defaultValue = "127.0.0.1:61679")
    String healthAddress = "";
}
