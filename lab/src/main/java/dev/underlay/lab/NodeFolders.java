package dev.underlay.lab;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A node's own file system, as far as the daemon and the runtime use one.
 *
 * @param base the folder that holds all of it
 */
record NodeFolders(Path base) {
    /** Where the CNI binaries are: {@code CNI_PATH}. */
    Path binaries() {
        return base.resolve("bin");
    }

    /** Where the CNI configuration is. */
    Path configurations() {
        return base.resolve("conf");
    }

    /** The configuration list that the daemon writes. */
    Path configurationFile() {
        return configurations().resolve("05-underlay.conflist");
    }

    /** Settings that can change while the daemon runs. */
    Path settings() {
        return base.resolve("settings");
    }

    /** The daemon's socket, journal and intents. */
    Path run() {
        return base.resolve("run");
    }

    Path socket() {
        return run().resolve("ipamd.sock");
    }

    Path intents() {
        return run().resolve("intents");
    }

    /** What the daemon logs. */
    Path log() {
        return base.resolve("ipamd.log");
    }

    NodeFolders create() throws IOException {
        Files.createDirectories(binaries());
        Files.createDirectories(configurations());
        Files.createDirectories(settings());
        Files.createDirectories(run());
        return this;
    }
}
