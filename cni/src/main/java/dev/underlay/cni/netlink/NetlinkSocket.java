package dev.underlay.cni.netlink;

import dev.underlay.cni.linux.Fd;
import dev.underlay.cni.linux.Linux;
import dev.underlay.cni.linux.LinuxException;
import java.nio.ByteBuffer;

/** The system calls of a NETLINK_ROUTE socket. Accepts only what the kernel itself sent. */
final class NetlinkSocket {
    private static final int NETLINK_ROUTE = 0;
    private static final int SOL_NETLINK = 270;
    private static final int NETLINK_CAP_ACK = 10; // an error does not repeat the request
    private static final int NETLINK_EXT_ACK = 11; // an error says why, in words
    private static final int NETLINK_GET_STRICT_CHK = 12; // a dump is filtered by the kernel
    private static final int SOL_SOCKET = 1;
    private static final int SO_RCVBUF = 8;
    private static final int SO_RCVTIMEO = 20;
    private static final int MSG_TRUNC = 0x20; // recv() tells the whole length

    /** A dump fills what it is given; 32 KiB is what the kernel allocates at most. */
    static final int RECEIVE_BYTES = 64 * 1024;

    /**
     * The least: the kernel makes no dump smaller than a page, nor larger than what was read before
     * (NLMSG_GOODSIZE, linux/netlink.h).
     */
    static final int SMALL_RECEIVE_BYTES = 8 * 1024;

    private final Fd fd;
    private final ByteBuffer received;
    private final ByteBuffer sender = Linux.buffer(12); // struct sockaddr_nl
    private final ByteBuffer senderLength = Linux.buffer(4);

    NetlinkSocket(Fd fd, long timeoutMillis, int receiveBytes) throws LinuxException {
        this.fd = fd;
        received = Linux.buffer(receiveBytes);
        option(SOL_NETLINK, NETLINK_CAP_ACK, Linux.buffer(4).putInt(0, 1));
        option(SOL_NETLINK, NETLINK_EXT_ACK, Linux.buffer(4).putInt(0, 1));
        option(SOL_NETLINK, NETLINK_GET_STRICT_CHK, Linux.buffer(4).putInt(0, 1));
        option(SOL_SOCKET, SO_RCVBUF, Linux.buffer(4).putInt(0, 1 << 20));
        timeout(timeoutMillis);
    }

    static Fd create() throws LinuxException {
        return Linux.socket(Linux.AF_NETLINK, Linux.SOCK_RAW, NETLINK_ROUTE);
    }

    Fd fd() {
        return fd;
    }

    /** Limits the wait of one {@link #receive(String)}. */
    void timeout(long millis) throws LinuxException {
        ByteBuffer timeval =
                Linux.buffer(16).putLong(0, millis / 1000).putLong(8, millis % 1000 * 1000);
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
     * @return the messages in it, valid until the next call
     * @throws LinuxException EAGAIN when the time is over, ENOBUFS when messages were lost
     */
    ByteBuffer receive(String what) throws LinuxException {
        while (true) {
            received.clear(); // the call writes from the buffer's position on
            senderLength.putInt(0, 12);
            long length =
                    Linux.check(
                            what,
                            c ->
                                    c.recvfrom(
                                            fd.number(),
                                            received,
                                            received.capacity(),
                                            MSG_TRUNC,
                                            sender,
                                            senderLength));
            boolean fromKernel = sender.getInt(4) == 0; // nl_pid
            if (length > received.capacity()) {
                throw new IllegalStateException(what + ": a datagram of " + length + " bytes");
            }
            if (fromKernel) {
                return received.limit((int) length);
            }
        }
    }

    private void option(int level, int name, ByteBuffer value) throws LinuxException {
        Linux.check(
                "setsockopt " + name + " on a netlink socket",
                c -> c.setsockopt(fd.number(), level, name, value, value.capacity()));
    }
}
