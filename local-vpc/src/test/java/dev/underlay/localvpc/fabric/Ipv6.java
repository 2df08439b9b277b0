package dev.underlay.localvpc.fabric;

import java.io.IOException;
import java.time.Duration;
import java.util.regex.Pattern;

/** Waiting for IPv6 addresses to work, which they do some time after they were added. */
final class Ipv6 {
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final Pattern ADDRESS = Pattern.compile("inet6 ([0-9a-f:]+)/");

    private Ipv6() {}

    /**
     * Returns when every IPv6 address in the namespace receives and may be spoken for. Also an
     * address without duplicate address detection gets its route from a work queue of the kernel;
     * and until its link-local address is known to be its own, a router asks for no neighbour on
     * behalf of what it forwards.
     */
    static void awaitAddresses(Netns netns) throws IOException {
        long deadline = System.nanoTime() + LIMIT.toNanos();
        while (true) {
            String present = netns.run("ip", "-6", "addr", "show", "up");
            String local = netns.run("ip", "-6", "route", "show", "table", "local");
            boolean all =
                    ADDRESS.matcher(present)
                            .results()
                            .allMatch(found -> local.contains("local " + found.group(1) + " dev"));
            if (all && !present.contains("tentative")) {
                return;
            }
            if (System.nanoTime() > deadline) {
                throw new IOException(
                        "IPv6 addresses do not work in %s:\n%s\nonly:\n%s"
                                .formatted(netns.name(), present, local));
            }
        }
    }
}
