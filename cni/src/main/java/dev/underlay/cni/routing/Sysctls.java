package dev.underlay.cni.routing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The few settings of the node that have no other door than {@code /proc/sys}. */
final class Sysctls {
    private static final Path ROOT = Path.of("/proc/sys/net"); // of the calling thread's namespace

    private Sysctls() {}

    static boolean hasIpv6() {
        return Files.isDirectory(ROOT.resolve("ipv6"));
    }

    /** Writes a value where another one stands; a read-only file with the right value is fine. */
    static void set(String path, String value) throws IOException {
        Path file = ROOT.resolve(path);
        // Not readString: of a file that states no size it first asks for one byte, and these files
        // answer only the first read.
        if (Files.readAllLines(file).equals(List.of(value))) {
            return;
        }
        try {
            Files.writeString(file, value);
        } catch (IOException e) {
            throw new IOException(
                    "cannot set "
                            + file
                            + " to "
                            + value
                            + ": "
                            + e.getMessage()
                            + "; set it on the node, or let this process write to /proc/sys",
                    e);
        }
    }
}
