package dev.underlay.lab;

import dev.underlay.cni.netlink.IpPrefix;
import dev.underlay.localvpc.fabric.Netns;
import java.io.BufferedReader;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.UnknownHostException;
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
    static final int TCP = 6;
    private static final int UDP = 17;

    /** A packet to this port of the loopback ends a capture: what came before it was seen. */
    private static final int MARK_PORT = 9; // discard

    private static final int ETHERTYPE_IPV4 = 0x0800; // linux/if_ether.h
    private static final int ETHERTYPE_IPV6 = 0x86dd;
    private static final int FILE_HEADER_BYTES = 24; // pcap-savefile(5)
    private static final int RECORD_HEADER_BYTES = 16;
    private static final int MAGIC = 0xa1b2c3d4; // microseconds, in the writer's byte order
    private static final int LINK_HEADER_BYTES = 16; // LINKTYPE_LINUX_SLL
    private static final int LINK_PROTOCOL = 14;
    private static final int IPV4_HEADER_BYTES = 20;
    private static final int IPV6_HEADER_BYTES = 40;
    private static final int HOP_BY_HOP = 0; // RFC 8200, before the ICMPv6 of multicast listeners
    private static final int SNAP_BYTES = 96;
    private static final int LIMIT_SECONDS = 10;

    /**
     * One packet on the wire.
     *
     * @param protocol 1 ICMP, 58 ICMPv6, 6 TCP, 17 UDP, 4 and 41 IP in IP, 47 GRE, 50 ESP
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

        private boolean isMark(Family family) {
            return destination.equals(family.loopback()) && destinationPort == MARK_PORT;
        }
    }

    private final Netns namespace;
    private final Family family;
    private final Process tcpdump;
    private final CompletableFuture<List<Packet>> packets = new CompletableFuture<>();

    private Capture(Netns namespace, Family family, Process tcpdump) {
        this.namespace = namespace;
        this.family = family;
        this.tcpdump = tcpdump;
    }

    /** Returns once packets of the family are being recorded. */
    static Capture start(LabRun run, Netns namespace, Family family) throws IOException {
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
                        family == Family.IPV4 ? "ip" : "ip6");
        Process tcpdump = run.launch(namespace, new ProcessBuilder(command));
        Capture capture = new Capture(namespace, family, tcpdump);
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
                    InetAddress loopback = InetAddress.ofLiteral(family.loopback());
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
            packets.complete(untilMark(in, family));
        } catch (IOException e) {
            packets.completeExceptionally(e);
        }
    }

    private static List<Packet> untilMark(InputStream in, Family family) throws IOException {
        DataInputStream data = new DataInputStream(in);
        byte[] start = new byte[FILE_HEADER_BYTES];
        data.readFully(start);
        ByteOrder order =
                ByteBuffer.wrap(start).getInt() == MAGIC
                        ? ByteOrder.BIG_ENDIAN
                        : ByteOrder.LITTLE_ENDIAN;
        List<Packet> packets = new ArrayList<>();
        byte[] record = new byte[RECORD_HEADER_BYTES];
        while (true) {
            data.readFully(record);
            byte[] bytes = new byte[ByteBuffer.wrap(record).order(order).getInt(8)];
            data.readFully(bytes);
            ByteBuffer frame = ByteBuffer.wrap(bytes);
            boolean ipv4 = family == Family.IPV4;
            int header = LINK_HEADER_BYTES + (ipv4 ? IPV4_HEADER_BYTES : IPV6_HEADER_BYTES);
            int type = ipv4 ? ETHERTYPE_IPV4 : ETHERTYPE_IPV6;
            if (bytes.length >= header && (frame.getShort(LINK_PROTOCOL) & 0xffff) == type) {
                ByteBuffer ip = frame.slice(LINK_HEADER_BYTES, bytes.length - LINK_HEADER_BYTES);
                Packet packet = ipv4 ? ipv4(ip) : ipv6(ip);
                if (packet.isMark(family)) {
                    return packets;
                }
                packets.add(packet);
            }
        }
    }

    private static Packet ipv4(ByteBuffer ip) {
        int headerBytes = (ip.get(0) & 0xf) * 4;
        return packet(ip, ip.get(9) & 0xff, headerBytes, address(ip, 12, 4), address(ip, 16, 4));
    }

    private static Packet ipv6(ByteBuffer ip) {
        int next = ip.get(6) & 0xff;
        int at = IPV6_HEADER_BYTES;
        if (next == HOP_BY_HOP && ip.limit() >= at + 2) {
            next = ip.get(at) & 0xff;
            at += 8 + 8 * (ip.get(at + 1) & 0xff);
        }
        return packet(ip, next, at, address(ip, 8, 16), address(ip, 24, 16));
    }

    private static Packet packet(
            ByteBuffer ip, int protocol, int payload, String source, String destination) {
        boolean ports = (protocol == TCP || protocol == UDP) && ip.limit() >= payload + 4;
        return new Packet(
                protocol,
                source,
                destination,
                ports ? ip.getShort(payload) & 0xffff : 0,
                ports ? ip.getShort(payload + 2) & 0xffff : 0);
    }

    private static String address(ByteBuffer ip, int at, int length) {
        byte[] bytes = new byte[length];
        ip.get(at, bytes);
        try {
            return IpPrefix.text(InetAddress.getByAddress(bytes));
        } catch (UnknownHostException e) {
            throw new IllegalStateException("4 and 16 bytes are always an address", e);
        }
    }
}
