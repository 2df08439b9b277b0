package dev.underlay.ipamd;

import dev.underlay.cloud.aws.AwsSettings;
import dev.underlay.ipamd.kube.KubeSettings;
import dev.underlay.pool.PoolSettings;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Everything that can be set, checked.
 *
 * @param runDir socket, journal and intents
 * @param folder where the pool's settings are read again
 * @param pool what they are at the start
 * @param addWait how long an ADD waits for an address
 * @param aws where EC2 and metadata are
 * @param kube who the daemon is in its cluster; empty where it stands alone
 */
record DaemonSettings(
        Path runDir,
        Path cniBinDir,
        Path cniConfDir,
        Path launcher,
        InetSocketAddress metricsAddress,
        InetSocketAddress healthAddress,
        SettingsFolder folder,
        PoolSettings pool,
        Duration addWait,
        AwsSettings aws,
        Optional<KubeSettings> kube) {
    /** The launcher waits 65 s; a runtime's own limits are longer. */
    static final int MAX_ADD_WAIT_SECONDS = 60;

    /** {@code UNDERLAY_ADD_WAIT}: seconds, 1 to 60. */
    static final String ADD_WAIT = "UNDERLAY_ADD_WAIT";

    /** The longest path of a unix socket (linux/un.h) less the server's temporary name. */
    private static final int MAX_RUN_DIR_BYTES = 80;

    /** The settings, or all that is wrong with them. */
    sealed interface Checked {
        record Good(DaemonSettings settings) implements Checked {}

        record Bad(List<String> errors) implements Checked {}
    }

    static Checked of(DaemonOptions options, Map<String, String> environment) {
        List<String> errors = new ArrayList<>();
        InetSocketAddress metrics = address("--metrics-address", options.metricsAddress(), errors);
        InetSocketAddress health = address("--health-address", options.healthAddress(), errors);
        if (!Files.isExecutable(options.launcher()) || Files.isDirectory(options.launcher())) {
            errors.add(
                    "--launcher "
                            + options.launcher()
                            + " is no executable file; name the launcher's binary");
        }
        if (options.runDir().toAbsolutePath().toString().length() > MAX_RUN_DIR_BYTES) {
            errors.add(
                    "--run-dir "
                            + options.runDir()
                            + " is longer than "
                            + MAX_RUN_DIR_BYTES
                            + " characters, too long for a socket; choose a shorter one");
        }
        SettingsFolder folder =
                new SettingsFolder(options.settingsDir().toAbsolutePath(), environment);
        PoolSettings pool =
                switch (folder.atStart()) {
                    case PoolSettings.Parsed.Good(var settings) -> settings;
                    case PoolSettings.Parsed.Bad(var bad) -> {
                        errors.addAll(bad);
                        yield PoolSettings.defaults();
                    }
                };
        if (pool.customNetworking()) {
            errors.add(
                    "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG is true: ENIConfigs are not read yet, so"
                            + " that pods would be in the node's subnet; unset it");
        }
        Duration addWait = addWait(environment.getOrDefault(ADD_WAIT, ""), errors::add);
        Optional<AwsSettings> aws = aws(environment, errors);
        return errors.isEmpty()
                ? new Checked.Good(
                        new DaemonSettings(
                                options.runDir().toAbsolutePath(),
                                options.cniBinDir().toAbsolutePath(),
                                options.cniConfDir().toAbsolutePath(),
                                options.launcher().toAbsolutePath(),
                                metrics,
                                health,
                                folder,
                                pool,
                                addWait,
                                aws.orElseThrow(),
                                KubeSettings.fromEnvironment(environment)))
                : new Checked.Bad(errors);
    }

    private static Optional<AwsSettings> aws(Map<String, String> environment, List<String> errors) {
        try {
            return Optional.of(AwsSettings.fromEnvironment(environment));
        } catch (IllegalArgumentException e) {
            errors.add(String.valueOf(e.getMessage()));
            return Optional.empty();
        }
    }

    private static Duration addWait(String text, Consumer<String> errors) {
        if (text.isEmpty()) {
            return Duration.ofSeconds(MAX_ADD_WAIT_SECONDS);
        }
        try {
            int seconds = Integer.parseInt(text);
            if (seconds >= 1 && seconds <= MAX_ADD_WAIT_SECONDS) {
                return Duration.ofSeconds(seconds);
            }
        } catch (NumberFormatException e) {
            // The same answer as for a number out of range.
        }
        errors.accept(
                ADD_WAIT
                        + " is \""
                        + text
                        + "\": it must be a whole number of seconds from 1 to "
                        + MAX_ADD_WAIT_SECONDS
                        + "; correct or unset it");
        return Duration.ZERO;
    }

    private static InetSocketAddress address(String option, String text, List<String> errors) {
        int colon = text.lastIndexOf(':');
        try {
            String host = text.substring(0, colon).replace("[", "").replace("]", "");
            int port = Integer.parseInt(text.substring(colon + 1));
            return new InetSocketAddress(InetAddress.ofLiteral(host), port);
        } catch (IllegalArgumentException | StringIndexOutOfBoundsException e) {
            errors.add(
                    option
                            + " is \""
                            + text
                            + "\": it must be an address and a port, such as 127.0.0.1:61678");
            return new InetSocketAddress(0);
        }
    }
}
