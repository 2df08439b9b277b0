package dev.underlay.localvpc.fabric;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.util.List;

/** What kernel tests need from the machine; where it is missing they are skipped, loudly. */
public final class Kernel {
    private Kernel() {}

    /** Skips the calling test, with one line that says why, where namespaces cannot be made. */
    public static void required() {
        String missing = missing();
        if (!missing.isEmpty()) {
            System.err.println("SKIPPED kernel tests of local-vpc: " + missing);
        }
        assumeTrue(missing.isEmpty(), missing);
    }

    /** A prefix for the namespaces of one test class in this process. */
    public static String prefix(String name) {
        return "ul-" + name + "-" + ProcessHandle.current().pid() + "-";
    }

    private static String missing() {
        try {
            Netns probe = Netns.create(prefix("probe"));
            try {
                probe.nft("table inet probe { }");
            } finally {
                probe.delete();
            }
            Command.run(List.of("ping", "-V"), "");
            return "";
        } catch (IOException e) {
            return e.getMessage() + "; needs root, iproute2, nftables, util-linux and ping";
        }
    }
}
