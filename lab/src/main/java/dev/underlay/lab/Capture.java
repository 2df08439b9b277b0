package dev.underlay.lab;

import dev.underlay.localvpc.fabric.Netns;
import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Every packet that crosses a namespace's links between start and {@link #stop()}, as {@code
 * tcpdump} sees it. A forwarded packet is there twice: as it comes and as it goes.
 */
final class Capture {
    static final int ICMP = 1;
    static final int TCP = 6;
    private static final int UDP = 17;

    /** A packet to this port of the loopback ends a capture: what came before it was seen. */
    private static final int MARK_PORT = 9; // discard

    private static final String LOOPBACK = "127.0.0.1";

    private static final int ETHERTYPE_IPV4 = 0x0800; // linux/if_ether.h
    private static final int FILE_HEADER_BYTES = 24; // pcap-savefile(5)
    private static final int RECORD_HEADER_BYTES = 16;
    private static final int MAGIC = 0xa1b2c3d4; // microseconds, in the writer's byte order
    private static final int LINK_HEADER_BYTES = 16; // LINKTYPE_LINUX_SLL
    private static final int LINK_PROTOCOL = 14;
    private static final int IP_HEADER_BYTES = 20;
    private static final int SNAP_BYTES = 96;
    private static final int LIMIT_SECONDS = 10;

    /**
     * One IPv4 packet on the wire.
     *
     * @param protocol 1 ICMP, 6 TCP, 17 UDP, 4 IP in IP, 47 GRE, 50 ESP
     * @param source its source address
     * @param destination its destination address
     * @param sourcePort of TCP and UDP, otherwise 0
     * @param destinationPort of TCP and UDP, otherwise 0
     */
    record Packet(
            int protocol, String source, String destination, int sourcePort, int destinationPort) {
        boolean port(int number) {
            return sourcePort == number || destinationPort == number;
        }

        private boolean isMark() {
            return destination.equals(LOOPBACK) && destinationPort == MARK_PORT;
        }
    }

    private final Netns namespace;
    private final Process tcpdump;
    private final CompletableFuture<List<Packet>> packets = new CompletableFuture<>();

    private Capture(Netns namespace, Process tcpdump) {
        this.namespace = namespace;
        this.tcpdump = tcpdump;
    }

    /** Returns once packets are being recorded. */
    static Capture start(LabRun run, Netns namespace) throws IOException {
        List<String> command =
                List.of(
                        "tcpdump",
                        "--immediate-mode",
                        "-n",
                        "-i",
                        "any",
                        "-y",
                        "LINUX_SLL",
                        "-s",
                        String.valueOf(SNAP_BYTES),
                        "-U",
                        "-w",
                        "-",
                        "ip");
        Capture capture =
                new Capture(namespace, run.launch(namespace, new ProcessBuilder(command)));
        capture.awaitListening();
        Thread.ofVirtual().start(capture::read);
        return capture;
    }

    private void awaitListening() throws IOException {
        BufferedReader words =
                new BufferedReader(
                        new InputStreamReader(tcpdump.getErrorStream(), StandardCharsets.UTF_8));
        List<String> said = new ArrayList<>();
        String line = words.readLine();
        while (line != null && !line.contains("listening on")) {
            said.add(line);
            line = words.readLine();
        }
        if (line == null) {
            throw new IOException("tcpdump in " + namespace.name() + " says: " + said);
        }
    }

    /** Ends the recording and returns what crossed until now, in order. */
    List<Packet> stop() throws IOException {
        try {
            namespace.call(() -> {
                try (DatagramSocket socket = new DatagramSocket()) {
                    InetAddress loopback = InetAddress.ofLiteral(LOOPBACK);
                    socket.send(new DatagramPacket(new byte[1], 1, loopback, MARK_PORT));
                    return socket;
                }
            });
            return packets.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while tcpdump ends", e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IOException("cannot read what tcpdump recorded", e);
        } finally {
            tcpdump.destroyForcibly();
        }
    }

    private void read() {
        try (InputStream in = tcpdump.getInputStream()) {
            packets.complete(untilMark(in));
        } catch (IOException e) {
            packets.completeExceptionally(e);
        }
    }

    private static List<Packet> untilMark(InputStream in) throws IOException {
        DataInputStream data = new DataInputStream(in);
        byte[] header = new byte[FILE_HEADER_BYTES];
        data.readFully(header);
        ByteOrder order =
                ByteBuffer.wrap(header).getInt() == MAGIC
                        ? ByteOrder.BIG_ENDIAN
                        : ByteOrder.LITTLE_ENDIAN;
        List<Packet> packets = new ArrayList<>();
        byte[] record = new byte[RECORD_HEADER_BYTES];
        while (true) {
            data.readFully(record);
            byte[] bytes = new byte[ByteBuffer.wrap(record).order(order).getInt(8)];
            data.readFully(bytes);
            ByteBuffer frame = ByteBuffer.wrap(bytes);
            if (bytes.length >= LINK_HEADER_BYTES + IP_HEADER_BYTES
                    && frame.getShort(LINK_PROTOCOL) == ETHERTYPE_IPV4) {
                Packet packet =
                        packet(frame.slice(LINK_HEADER_BYTES, bytes.length - LINK_HEADER_BYTES));
                if (packet.isMark()) {
                    return packets;
                }
                packets.add(packet);
            }
        }
    }

    private static Packet packet(ByteBuffer ip) {
        int headerBytes = (ip.get(0) & 0xf) * 4;
        int protocol = ip.get(9) & 0xff;
        boolean ports = (protocol == TCP || protocol == UDP) && ip.limit() >= headerBytes + 4;
        return new Packet(
                protocol,
                address(ip, 12),
                address(ip, 16),
                ports ? ip.getShort(headerBytes) & 0xffff : 0,
                ports ? ip.getShort(headerBytes + 2) & 0xffff : 0);
    }

    private static String address(ByteBuffer ip, int at) {
        return "%d.%d.%d.%d"
                .formatted(
                        ip.get(at) & 0xff,
                        ip.get(at + 1) & 0xff,
                        ip.get(at + 2) & 0xff,
                        ip.get(at + 3) & 0xff);
    }
}
