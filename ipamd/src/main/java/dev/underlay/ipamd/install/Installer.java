package dev.underlay.ipamd.install;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The three files a runtime needs. An unchanged file keeps its inode and time, because runtimes
 * reload on every change. The configuration list is never taken away: without it DEL fails for pods
 * that still live.
 *
 * @param binDir where the runtime looks for plugins, {@code /opt/cni/bin} on most nodes
 * @param confDir where it looks for configuration lists, {@code /etc/cni/net.d} on most nodes
 * @param launcher the launcher's binary as shipped
 * @param socket the daemon's socket
 */
public record Installer(Path binDir, Path confDir, Path launcher, Path socket) {
    /** The plugin's type and the launcher's file name. */
    public static final String PLUGIN = "underlay";

    /** Sorts before the incumbent's {@code 10-aws.conflist}; the first in order rules. */
    public static final String CONFLIST = "05-underlay.conflist";

    /** Where the launcher connects when no {@code underlay.socket} lies beside it. */
    public static final Path DEFAULT_SOCKET = Path.of("/run/underlay/ipamd.sock");

    /**
     * {@code cniVersion} is 1.0.0 because older runtimes accept a list that says 1.1.0 and then
     * fail every ADD; newer ones take the highest of {@code cniVersions} that they know (CNI 1.1.0,
     * "Version considerations").
     */
    static final String CONFLIST_TEXT =
            """
            {
              "cniVersion": "1.0.0",
              "cniVersions": ["0.3.1", "0.4.0", "1.0.0", "1.1.0"],
              "name": "underlay",
              "disableCheck": false,
              "disableGC": false,
              "loadOnlyInlinedPlugins": true,
              "plugins": [
                {
                  "type": "underlay"
                }
              ]
            }
            """;

    /**
     * Installs what is missing or differs; the configuration list comes last, because a runtime may
     * call the moment it appears.
     *
     * @return the files that were written
     * @throws IOException naming the file and the cause
     */
    public List<Path> install() throws IOException {
        List<Path> written = new ArrayList<>();
        Files.createDirectories(binDir);
        Files.createDirectories(confDir);
        put(binDir.resolve(PLUGIN), Files.readAllBytes(launcher), "rwxr-xr-x", written);
        Path socketFile = binDir.resolve(PLUGIN + ".socket");
        if (socket.equals(DEFAULT_SOCKET)) {
            if (Files.deleteIfExists(socketFile)) {
                written.add(socketFile);
            }
        } else {
            put(socketFile, utf8(socket + "\n"), "rw-r--r--", written);
        }
        put(confDir.resolve(CONFLIST), utf8(CONFLIST_TEXT), "rw-r--r--", written);
        return written;
    }

    /** The temporary file lies in the same folder: watchers ignore a rename from another one. */
    private static void put(Path file, byte[] content, String mode, List<Path> written)
            throws IOException {
        if (Arrays.equals(content, contentOf(file))) {
            return;
        }
        Path next = file.resolveSibling("." + file.getFileName() + ".new");
        Files.deleteIfExists(next);
        Files.createFile(
                next, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(mode)));
        Files.write(next, content);
        Files.setPosixFilePermissions(next, PosixFilePermissions.fromString(mode));
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
        written.add(file);
    }

    private static byte[] contentOf(Path file) throws IOException {
        try {
            return Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            return new byte[0];
        }
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
