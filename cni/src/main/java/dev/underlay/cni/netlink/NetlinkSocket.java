package dev.underlay.cni.netlink;

import dev.underlay.cni.linux.Fd;
import dev.underlay.cni.linux.Linux;
import dev.underlay.cni.linux.LinuxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The system calls of a netlink socket. Accepts only what the kernel itself sent. */
final class NetlinkSocket {
    static final int NETLINK_ROUTE = 0; // linux/netlink.h

    private static final int SOL_NETLINK = 270;
    private static final int NETLINK_CAP_ACK = 10; // an error does not repeat the request
    private static final int NETLINK_EXT_ACK = 11; // an error says why, in words
    private static final int NETLINK_GET_STRICT_CHK = 12; // a dump is filtered by the kernel
    private static final int SOL_SOCKET = 1;
    private static final int SO_RCVBUF = 8;
    private static final int SO_RCVTIMEO = 20;
    private static final int MSG_TRUNC = 0x20; // recv() tells the whole length

    /**
     * Where a thread receives. Sockets live as short as one CNI call; memory of their own would
     * wait for the garbage collector. A dump fills 32 KiB at most.
     */
    private record Inbox(ByteBuffer received, ByteBuffer sender, ByteBuffer senderLength) {
        private static final int BYTES = 64 * 1024;
        private static final int SENDER_BYTES = 12; // struct sockaddr_nl

        private static final ThreadLocal<Inbox> OF_THREAD =
                ThreadLocal.withInitial(() ->
                        new Inbox(
                                Linux.buffer(BYTES), Linux.buffer(SENDER_BYTES), Linux.buffer(4)));
    }

    private final Fd fd;

    NetlinkSocket(Fd fd, long timeoutMillis) throws LinuxException {
        this.fd = fd;
        option(SOL_NETLINK, NETLINK_CAP_ACK, value(1));
        option(SOL_NETLINK, NETLINK_EXT_ACK, value(1));
        option(SOL_NETLINK, NETLINK_GET_STRICT_CHK, value(1));
        option(SOL_SOCKET, SO_RCVBUF, value(1 << 20));
        timeout(timeoutMillis);
    }

    static Fd create(int protocol) throws LinuxException {
        return Linux.socket(Linux.AF_NETLINK, Linux.SOCK_RAW, protocol);
    }

    Fd fd() {
        return fd;
    }

    /** Limits the wait of one {@link #receive(String)}. */
    void timeout(long millis) throws LinuxException {
        ByteBuffer timeval = ByteBuffer.allocate(16).order(ByteOrder.nativeOrder());
        timeval.putLong(0, millis / 1000).putLong(8, millis % 1000 * 1000);
        option(SOL_SOCKET, SO_RCVTIMEO, timeval);
    }

    /** Subscribes to multicast groups, a mask of {@code RTMGRP_*}. */
    void bind(int groups) throws LinuxException {
        ByteBuffer address = Linux.buffer(12).putShort(0, (short) Linux.AF_NETLINK);
        address.putInt(8, groups);
        Linux.check("bind a netlink socket", c -> c.bind(fd.number(), address, 12));
    }

    void send(String what, ByteBuffer messages) throws LinuxException {
        Linux.check(what, c -> c.send(fd.number(), messages, messages.limit(), 0));
    }

    /**
     * Waits for one datagram of the kernel's.
     *
     * @return the messages in it, valid until the calling thread's next call on any socket
     * @throws LinuxException EAGAIN when the time is over, ENOBUFS when messages were lost
     */
    ByteBuffer receive(String what) throws LinuxException {
        Inbox inbox = Inbox.OF_THREAD.get();
        while (true) {
            ByteBuffer received = inbox.received.clear(); // the call writes from its position on
            inbox.senderLength.putInt(0, Inbox.SENDER_BYTES);
            long length =
                    Linux.check(
                            what,
                            c ->
                                    c.recvfrom(
                                            fd.number(),
                                            received,
                                            Inbox.BYTES,
                                            MSG_TRUNC,
                                            inbox.sender,
                                            inbox.senderLength));
            if (length > Inbox.BYTES) {
                throw new IllegalStateException(what + ": a datagram of " + length + " bytes");
            }
            if (inbox.sender.getInt(4) == 0) { // nl_pid of the kernel
                return received.limit((int) length);
            }
        }
    }

    private static ByteBuffer value(int value) {
        return ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(0, value);
    }

    private void option(int level, int name, ByteBuffer value) throws LinuxException {
        Linux.check(
                "setsockopt " + name + " on a netlink socket",
                c -> c.setsockopt(fd.number(), level, name, value, value.capacity()));
    }
}
