package dev.underlay.lab;

import dev.underlay.cni.netlink.IpPrefix;
import dev.underlay.localvpc.fabric.Netns;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

/**
 * What stands in a pod and answers: on {@link #WHO_PORT} with the address it sees the caller have,
 * on {@link #STREAM_PORT} with the length and checksum of what it was sent.
 */
final class EchoServer implements AutoCloseable {
    static final int WHO_PORT = 8080;
    static final int STREAM_PORT = 8081;
    private static final int BACKLOG = 64;
    private static final int IDLE_LIMIT_MILLIS = 10_000;

    private final ServerSocket who;
    private final ServerSocket stream;

    /** Listens on every address of the namespace. */
    EchoServer(Netns namespace) throws IOException {
        who = listen(namespace, WHO_PORT);
        stream = listen(namespace, STREAM_PORT);
        serve(who, EchoServer::answerWho);
        serve(stream, EchoServer::answerStream);
    }

    @Override
    public void close() throws IOException {
        try (who;
                stream) {
            return;
        }
    }

    /** How a text of so many bytes with that checksum is acknowledged. */
    static String receipt(long bytes, CRC32 checksum) {
        return bytes + " bytes, crc32 " + Long.toHexString(checksum.getValue());
    }

    @FunctionalInterface
    private interface Answer {
        void to(Socket caller) throws IOException;
    }

    private static ServerSocket listen(Netns namespace, int port) throws IOException {
        return namespace.call(() -> {
            ServerSocket socket = new ServerSocket();
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(port), BACKLOG);
            return socket;
        });
    }

    private static void serve(ServerSocket server, Answer answer) {
        Thread.ofVirtual()
                .start(() -> {
                    while (!server.isClosed()) {
                        try {
                            Socket caller = server.accept();
                            Thread.ofVirtual().start(() -> answer(caller, answer));
                        } catch (IOException e) {
                            // The server was closed, or the caller gave up.
                        }
                    }
                });
    }

    private static void answer(Socket caller, Answer answer) {
        try (caller) {
            caller.setSoTimeout(IDLE_LIMIT_MILLIS);
            answer.to(caller);
        } catch (IOException e) {
            // The caller sees the end of the connection and says so.
        }
    }

    private static void answerWho(Socket caller) throws IOException {
        write(caller.getOutputStream(), IpPrefix.text(caller.getInetAddress()));
    }

    private static void answerStream(Socket caller) throws IOException {
        InputStream in = caller.getInputStream();
        byte[] buffer = new byte[1 << 16];
        CRC32 checksum = new CRC32();
        long bytes = 0;
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
            checksum.update(buffer, 0, n);
            bytes += n;
        }
        write(caller.getOutputStream(), receipt(bytes, checksum));
    }

    private static void write(OutputStream out, String line) throws IOException {
        out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
    }
}
