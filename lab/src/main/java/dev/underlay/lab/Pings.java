package dev.underlay.lab;

import dev.underlay.localvpc.fabric.Netns;
import java.io.IOException;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Echo requests at a steady pace and how many were answered.
 *
 * @param sent how many were sent
 * @param lost how many were not answered
 * @param words the end of ping's output
 */
record Pings(int sent, int lost, String words) {
    /** Between two of them. */
    static final Duration PERIOD = Duration.ofMillis(200);

    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Pattern COUNTS =
            Pattern.compile("(\\d+) packets transmitted, (\\d+) received");

    /**
     * Sends so many, one each {@link #PERIOD}, and waits for the answers.
     *
     * @throws IOException when ping ends without its counts, which is no loss of packets
     */
    static Pings send(Netns from, String to, int count) throws IOException {
        String[] command = {"ping", "-n", "-i", "0.2", "-W", "2", "-c", String.valueOf(count), to};
        Output output =
                Output.inside(
                        from,
                        new ProcessBuilder(command),
                        new byte[0],
                        PERIOD.multipliedBy(count).plus(PATIENCE));
        Matcher counts = COUNTS.matcher(output.out());
        if (!counts.find()) {
            throw new IOException(
                    "ping from %s to %s ends with code %d: %s"
                            .formatted(from.name(), to, output.exitCode(), output.lastLine()));
        }
        int sent = Integer.parseInt(counts.group(1));
        return new Pings(sent, sent - Integer.parseInt(counts.group(2)), output.out().strip());
    }
}
