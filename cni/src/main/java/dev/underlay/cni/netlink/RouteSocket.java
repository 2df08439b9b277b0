package dev.underlay.cni.netlink;

import dev.underlay.cni.linux.Errno;
import dev.underlay.cni.linux.Fd;
import dev.underlay.cni.linux.LinuxException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * A rtnetlink socket, or one of another protocol that {@link Conntrack} speaks. It acts in the
 * network namespace that it was opened in, whatever thread and process uses it. Calls block for at
 * most {@link #ANSWER_TIMEOUT_MILLIS} without an answer; several threads may share a socket, one
 * call runs at a time.
 */
public final class RouteSocket implements AutoCloseable {
    /** How long one answer may take; deleting links waits for the kernel's locks. */
    public static final long ANSWER_TIMEOUT_MILLIS = 10_000;

    /** Each answer takes up to 1 KiB of the socket's receive buffer until it is read. */
    private static final int MAX_MESSAGES_PER_SEND = 64;

    /** A dump that was interrupted by changes is repeated this often. */
    private static final int MAX_DUMP_ROUNDS = 20;

    // linux/netlink.h
    private static final int NLMSG_ERROR = 2;
    private static final int NLMSG_DONE = 3;
    private static final int NLM_F_DUMP_INTR = 0x10;
    private static final int NLM_F_CAPPED = 0x100;
    private static final int NLM_F_ACK_TLVS = 0x200;
    private static final int NLMSGERR_ATTR_MSG = 1;

    private final NetlinkSocket socket;
    private int sequence;

    private RouteSocket(Fd fd) throws LinuxException {
        socket = new NetlinkSocket(fd, ANSWER_TIMEOUT_MILLIS);
    }

    /** Opens a socket in the calling thread's network namespace. */
    public static RouteSocket open() throws LinuxException {
        Fd fd = NetlinkSocket.create(NetlinkSocket.NETLINK_ROUTE);
        try {
            return new RouteSocket(fd);
        } catch (LinuxException e) {
            fd.close();
            throw e;
        }
    }

    /** Uses a socket that was opened elsewhere; {@link #close()} closes it. */
    public static RouteSocket over(Fd fd) throws LinuxException {
        return new RouteSocket(fd);
    }

    /**
     * What the kernel answered to one request.
     *
     * @param error the refusal, absent when the request was carried out
     * @param links the links it returned, for a request of {@link Links#get(int)}
     */
    public record Reply(Optional<NetlinkException> error, List<Link> links) {}

    /**
     * Sends requests in as few system calls as possible and waits for every answer. Not a
     * transaction: those after a refused one are carried out all the same.
     *
     * @return one reply per request, in their order
     * @throws IOException when the socket fails or an answer does not come; what was carried out is
     *     unknown then
     */
    public synchronized List<Reply> send(List<Message> messages) throws IOException {
        List<Reply> replies = new ArrayList<>(messages.size());
        for (int from = 0; from < messages.size(); from += MAX_MESSAGES_PER_SEND) {
            int to = Math.min(messages.size(), from + MAX_MESSAGES_PER_SEND);
            replies.addAll(sendAtOnce(messages.subList(from, to)));
        }
        return replies;
    }

    /**
     * Sends requests and throws the first refusal after all answers are in, with the other refusals
     * suppressed in it.
     */
    public void run(List<Message> messages) throws IOException {
        requireAll(send(messages));
    }

    /** Throws the first refusal among replies, with the others suppressed in it. */
    public static void requireAll(List<Reply> replies) throws NetlinkException {
        List<NetlinkException> errors = replies.stream().flatMap(r -> r.error().stream()).toList();
        if (!errors.isEmpty()) {
            errors.stream().skip(1).forEach(errors.getFirst()::addSuppressed);
            throw errors.getFirst();
        }
    }

    /** As {@link #run(List)}. */
    public void run(Message... messages) throws IOException {
        run(Arrays.asList(messages));
    }

    /** As {@link #run(List)}, for additions: what exists already is fine, nothing else is. */
    public void ensurePresent(List<Message> additions) throws IOException {
        requireAll(without(send(additions), e -> e.errno() == Errno.EEXIST));
    }

    /** As {@link #run(List)}, for deletions and changes of what is on its way out: gone is fine. */
    public void ensureGone(List<Message> deletions) throws IOException {
        requireAll(without(send(deletions), NetlinkException::isGone));
    }

    private static List<Reply> without(List<Reply> replies, Predicate<NetlinkException> fine) {
        return replies.stream().filter(r -> r.error().filter(fine).isEmpty()).toList();
    }

    /** The link with that index. */
    public Optional<Link> link(int index) throws IOException {
        return one(Links.get(index));
    }

    /** The link that has that name at the moment. */
    public Optional<Link> link(String name) throws IOException {
        return one(Links.get(name));
    }

    /** All links, by index. */
    public List<Link> links() throws IOException {
        return dump(Links.dump(), Links.RTM_NEWLINK, b -> Optional.of(Link.parse(b)));
    }

    /**
     * The addresses of one link, of both families; of all links with 0. As with rules the kernel
     * tells of no interruption where one link is asked for.
     */
    public List<LinkAddress> addresses(int link) throws IOException {
        return dump(LinkAddress.dump(link), LinkAddress.RTM_NEWADDR, LinkAddress::parse);
    }

    /** The routes of one table; empty when the table does not exist. */
    public List<Route> routes(boolean ipv6, int table) throws IOException {
        try {
            return dump(
                    Route.dump(ipv6, table), Route.RTM_NEWROUTE, b -> Optional.of(Route.parse(b)));
        } catch (NetlinkException e) {
            if (e.errno() == Errno.ENOENT) {
                return List.of();
            }
            throw e;
        }
    }

    /**
     * The routing policy rules of one family, by priority. If others change rules while more than
     * some 400 are listed, one may be missing or come twice: of rules the kernel does not say that
     * a dump was interrupted (Linux 6.18).
     */
    public List<Rule> rules(boolean ipv6) throws IOException {
        return dump(Rule.dump(ipv6), Rule.RTM_NEWRULE, b -> Optional.of(Rule.parse(b)));
    }

    /** The neighbour entries of one link, of all links with 0, without proxy entries. */
    public List<Neighbour> neighbours(int link) throws IOException {
        return dump(Neighbour.dump(link), Neighbour.RTM_NEWNEIGH, Neighbour::parse);
    }

    /** Closes the descriptor; idempotent. */
    @Override
    public void close() {
        socket.fd().close();
    }

    private Optional<Link> one(Message request) throws IOException {
        Reply reply = send(List.of(request)).getFirst();
        NetlinkException error = reply.error().orElse(null);
        if (error != null && !error.isGone()) {
            throw error;
        }
        return reply.links().stream().findFirst();
    }

    private List<Reply> sendAtOnce(List<Message> messages) throws IOException {
        int first = sequence + 1;
        transmit(messages);

        List<Reply> replies = new ArrayList<>(messages.size());
        List<Link> links = new ArrayList<>();
        while (replies.size() < messages.size()) {
            String what = messages.get(replies.size()).what();
            ByteBuffer datagram = receive(what);
            while (datagram.remaining() >= Message.HEADER_BYTES) {
                ByteBuffer body = next(datagram);
                int expected = first + replies.size();
                if (replies.size() == messages.size() || sequenceOf(body) != expected) {
                    continue; // the late answer to a request that was given up
                }
                switch (typeOf(body)) {
                    case NLMSG_ERROR -> {
                        Message request = messages.get(replies.size());
                        replies.add(new Reply(error(request.what(), body), List.copyOf(links)));
                        links.clear();
                    }
                    case Links.RTM_NEWLINK -> links.add(Link.parse(bodyOf(body)));
                    default -> {} // no other request here has a reply
                }
            }
        }
        return replies;
    }

    /** What a dump lists, as far as the parser wants it; whole, or it throws. */
    synchronized <T> List<T> dump(
            Message request, int type, Function<ByteBuffer, Optional<T>> parser)
            throws IOException {
        for (int round = 0; round < MAX_DUMP_ROUNDS; round++) {
            List<T> result = new ArrayList<>();
            if (dumpOnce(request, type, parser, result)) {
                return result;
            }
        }
        throw new NetlinkException(request.what(), Errno.EAGAIN, "it changes all the time");
    }

    /** False when something changed during the dump, which may then miss objects. */
    private <T> boolean dumpOnce(
            Message request, int type, Function<ByteBuffer, Optional<T>> parser, List<T> result)
            throws IOException {
        transmit(List.of(request));
        boolean consistent = true;
        while (true) {
            ByteBuffer datagram = receive(request.what());
            while (datagram.remaining() >= Message.HEADER_BYTES) {
                ByteBuffer message = next(datagram);
                if (sequenceOf(message) != sequence) {
                    continue;
                }
                consistent &= (flagsOf(message) & NLM_F_DUMP_INTR) == 0;
                int got = typeOf(message);
                if (got == NLMSG_ERROR || got == NLMSG_DONE) {
                    Optional<NetlinkException> error = error(request.what(), message);
                    if (error.isPresent()) {
                        throw error.get();
                    }
                    return consistent;
                }
                if (got == type) {
                    parser.apply(bodyOf(message)).ifPresent(result::add);
                }
            }
        }
    }

    /** Gives the messages the next sequence numbers. */
    private void transmit(List<Message> messages) throws LinuxException {
        int length = messages.stream().mapToInt(Message::length).sum();
        ByteBuffer together = ByteBuffer.allocate(length).order(ByteOrder.nativeOrder());
        messages.forEach(m -> m.writeTo(together, ++sequence));
        socket.send("send to netlink", together.flip());
    }

    private ByteBuffer receive(String what) throws IOException {
        try {
            return socket.receive(what);
        } catch (LinuxException e) {
            if (e.errno() == Errno.EAGAIN) {
                throw new NetlinkException(
                        what, e.errno(), "no answer within " + ANSWER_TIMEOUT_MILLIS + " ms");
            }
            throw e;
        }
    }

    /** Cuts the next message off a datagram. */
    static ByteBuffer next(ByteBuffer datagram) {
        int start = datagram.position();
        int length = Math.min(datagram.getInt(start), datagram.remaining());
        if (length < Message.HEADER_BYTES) {
            throw new IllegalStateException("a netlink message of " + length + " bytes");
        }
        datagram.position(Math.min(datagram.limit(), start + (length + 3) / 4 * 4));
        return datagram.slice(start, length).order(datagram.order());
    }

    static int typeOf(ByteBuffer message) {
        return message.getShort(4) & 0xffff;
    }

    static ByteBuffer bodyOf(ByteBuffer message) {
        return message.position(Message.HEADER_BYTES);
    }

    private static int flagsOf(ByteBuffer message) {
        return message.getShort(6) & 0xffff;
    }

    private static int sequenceOf(ByteBuffer message) {
        return message.getInt(8);
    }

    /** Reads an acknowledgement or the end of a dump: an int, 0 or -errno, then the words. */
    private static Optional<NetlinkException> error(String what, ByteBuffer message) {
        int code = message.getInt(Message.HEADER_BYTES);
        if (code == 0) {
            return Optional.empty();
        }
        String words = "";
        if ((flagsOf(message) & NLM_F_ACK_TLVS) != 0) {
            int offset = Message.HEADER_BYTES + 4;
            if (typeOf(message) == NLMSG_ERROR) {
                boolean capped = (flagsOf(message) & NLM_F_CAPPED) != 0;
                int repeated = capped ? Message.HEADER_BYTES : message.getInt(offset);
                offset += (repeated + 3) / 4 * 4;
            }
            words = Attributes.of(message.position(offset)).text(NLMSGERR_ATTR_MSG);
        }
        return Optional.of(new NetlinkException(what, -code, words));
    }
}
