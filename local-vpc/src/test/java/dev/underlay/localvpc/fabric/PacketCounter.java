package dev.underlay.localvpc.fabric;

import java.io.IOException;
import java.util.regex.Pattern;

/** Counts the packets on a link that match, before anything else there can drop them. */
public final class PacketCounter implements AutoCloseable {
    private static final Pattern PACKETS = Pattern.compile("packets ([0-9]+)");

    private final Netns at;
    private final String table;

    private PacketCounter(Netns at, String link, String hook, String match) throws IOException {
        this.at = at;
        this.table = "netdev seen_" + hook + "_" + link;
        at.nft(
                """
                table %s {
                  chain packets {
                    type filter hook %s device %s priority -10;
                    %s counter
                  }
                }
                """
                        .formatted(table, hook, link, match));
    }

    /** Counts what comes in by the link. */
    public static PacketCounter arriving(Netns at, String link, String match) throws IOException {
        return new PacketCounter(at, link, "ingress", match);
    }

    /** Counts what goes out by the link. */
    public static PacketCounter leaving(Netns at, String link, String match) throws IOException {
        return new PacketCounter(at, link, "egress", match);
    }

    /** How many so far. */
    public int packets() throws IOException {
        return PACKETS.matcher(at.run("sh", "-c", "nft list table " + table))
                .results()
                .mapToInt(found -> Integer.parseInt(found.group(1)))
                .sum();
    }

    @Override
    public void close() throws IOException {
        at.nft("delete table " + table);
    }
}
