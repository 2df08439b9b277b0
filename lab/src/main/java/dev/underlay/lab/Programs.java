package dev.underlay.lab;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * What the lab starts and does not contain.
 *
 * @param ipamd the folder with the daemon's jar, the jars it needs and its {@code jvm.options}
 * @param launcher the CNI binary
 */
record Programs(Path ipamd, Path launcher) {
    private static final String MAIN_CLASS = "dev.underlay.ipamd.Ipamd";
    private static final String JVM_OPTIONS = "jvm.options";

    Programs {
        ipamd = ipamd.toAbsolutePath().normalize();
        launcher = launcher.toAbsolutePath().normalize();
    }

    /**
     * Says what is missing before anything is raised.
     *
     * @throws IOException naming the file and the way to get it
     */
    void check() throws IOException {
        try (DirectoryStream<Path> jars = Files.newDirectoryStream(ipamd, "ipamd*.jar")) {
            if (!jars.iterator().hasNext()) {
                throw new NoSuchFileException(ipamd + "/ipamd*.jar");
            }
        } catch (NoSuchFileException e) {
            throw new IOException(
                    "no jar of the daemon in "
                            + ipamd
                            + ": build it with mvn package, or name its"
                            + " folder with --ipamd",
                    e);
        }
        if (!Files.isExecutable(launcher)) {
            throw new IOException(
                    "no CNI launcher at "
                            + launcher
                            + ": build it with mvn package, or name it"
                            + " with --launcher");
        }
    }

    /** The command that starts the daemon, without its own options. The JDK is the lab's own. */
    List<String> ipamdCommand() {
        List<String> command = new ArrayList<>();
        command.add(java());
        Path options = ipamd.resolve(JVM_OPTIONS);
        if (Files.exists(options)) {
            command.add("@" + options);
        }
        Collections.addAll(command, "-cp", ipamd + "/*", MAIN_CLASS);
        return command;
    }

    /** The JDK that runs this. */
    static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }
}
