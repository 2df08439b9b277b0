package dev.underlay.lab;

import dev.underlay.lab.Report.Broken;
import dev.underlay.localvpc.fabric.Netns;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.zip.CRC32;

/** Real packets between places, and what came of them. All calls block. */
final class Traffic {
    private static final int CONNECT_LIMIT_MILLIS = 2_000;
    private static final int ANSWER_LIMIT_MILLIS = 10_000;
    private static final int ANSWER_MAX_BYTES = 256;

    private Traffic() {}

    /**
     * One ICMP echo.
     *
     * @param options more of {@code ping}'s own, such as {@code -I} and a source address
     */
    static Output ping(Netns from, String to, String... options) throws IOException {
        List<String> command = new ArrayList<>(List.of("ping", "-n", "-c", "1", "-W", "1"));
        Collections.addAll(command, options);
        command.add(to);
        return Output.inside(from, command.toArray(String[]::new));
    }

    /** Of each two places each gets an answer from the other. */
    @SafeVarargs
    static String bothWays(List<Place>... pairs) throws IOException, Broken {
        List<String> seen = new ArrayList<>();
        for (List<Place> pair : pairs) {
            answers(pair.getFirst(), pair.getLast());
            answers(pair.getLast(), pair.getFirst());
            seen.add(pair.getFirst() + " <-> " + pair.getLast());
        }
        return String.join("; ", seen);
    }

    /** The echo is answered, or the evidence says what came instead. */
    static String answers(Place from, Place to, String... options) throws IOException, Broken {
        Output output = ping(from.namespace(), to.address(), options);
        if (!output.ok()) {
            throw new Broken("%s -> %s: %s".formatted(from, to, pingLine(output)));
        }
        return from + " -> " + to;
    }

    /** The line of ping's output that says what happened to the one packet. */
    static String pingLine(Output output) {
        return output.out()
                .lines()
                .skip(1)
                .filter(line -> !line.isBlank() && !line.startsWith("---"))
                .findFirst()
                .orElse(output.lastLine());
    }

    /** Connects and returns the address that the answering side saw. */
    static String seenBy(Netns from, String to, int port) throws IOException {
        return from.call(() -> {
            try (Socket socket = connect(to, port)) {
                return line(socket);
            }
        });
    }

    /** The answering side sees this address. */
    static String isSeenAs(Place from, String to, int port, String address)
            throws IOException, Broken {
        String seen;
        try {
            seen = seenBy(from.namespace(), to, port);
        } catch (IOException e) {
            throw new Broken("%s -> %s:%d: %s".formatted(from, to, port, e.getMessage()));
        }
        if (!seen.equals(address)) {
            throw new Broken(
                    "%s -> %s:%d: seen as %s instead of %s"
                            .formatted(from, to, port, seen, address));
        }
        return "%s -> %s:%d seen as %s".formatted(from.label(), to, port, seen);
    }

    /** Sends so many bytes; the other side has received exactly these. */
    static String streams(Place from, Place to, long bytes) throws IOException, Broken {
        long began = System.nanoTime();
        CRC32 checksum = new CRC32();
        String receipt =
                from.namespace()
                        .call(() -> {
                            try (Socket socket = connect(to.address(), EchoServer.STREAM_PORT)) {
                                send(socket.getOutputStream(), bytes, checksum);
                                socket.shutdownOutput();
                                return line(socket);
                            }
                        });
        String expected = EchoServer.receipt(bytes, checksum);
        if (!receipt.equals(expected)) {
            throw new Broken(
                    "%s -> %s: sent %s, received %s".formatted(from, to, expected, receipt));
        }
        return "%s -> %s: %s in %d ms"
                .formatted(from, to, receipt, (System.nanoTime() - began) / 1_000_000);
    }

    private static void send(OutputStream out, long bytes, CRC32 checksum) throws IOException {
        byte[] chunk = new byte[1 << 16];
        SplittableRandom random = new SplittableRandom(bytes);
        for (long left = bytes; left > 0; left -= chunk.length) {
            random.nextBytes(chunk);
            int n = (int) Math.min(left, chunk.length);
            checksum.update(chunk, 0, n);
            out.write(chunk, 0, n);
        }
    }

    private static Socket connect(String to, int port) throws IOException {
        Socket socket = new Socket();
        socket.setSoTimeout(ANSWER_LIMIT_MILLIS);
        socket.connect(
                new InetSocketAddress(InetAddress.ofLiteral(to), port), CONNECT_LIMIT_MILLIS);
        return socket;
    }

    private static String line(Socket socket) throws IOException {
        byte[] answer = socket.getInputStream().readNBytes(ANSWER_MAX_BYTES);
        return new String(answer, StandardCharsets.UTF_8).strip();
    }
}
