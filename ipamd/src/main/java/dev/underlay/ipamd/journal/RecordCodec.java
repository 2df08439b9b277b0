package dev.underlay.ipamd.journal;

import dev.underlay.ipamd.journal.JournalRecord.Began;
import dev.underlay.ipamd.journal.JournalRecord.Ended;
import dev.underlay.ipamd.journal.JournalRecord.Held;
import dev.underlay.ipamd.journal.JournalRecord.InterfaceGone;
import dev.underlay.ipamd.journal.JournalRecord.InterfaceKnown;
import dev.underlay.ipamd.journal.JournalRecord.Leased;
import dev.underlay.ipamd.journal.JournalRecord.NetworkKnown;
import dev.underlay.ipamd.journal.JournalRecord.NodeKnown;
import dev.underlay.ipamd.journal.JournalRecord.Released;
import dev.underlay.ipamd.journal.JournalRecord.Settled;
import dev.underlay.ipamd.journal.JournalRecord.Wired;
import dev.underlay.pool.AttachmentKey;
import dev.underlay.pool.BlockKind;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudAction;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.InterfaceRequest;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.NodeIdentity;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Records as bytes: one byte of type, then the fields in the order of the record's declaration,
 * big-endian; texts and lists begin with their length. Bytes after the last known field are left
 * for newer versions; a new meaning is a new type. Of a pod's addresses the first stands where once
 * its only one stood, and the others follow the last field: a lease of one address is the same to
 * every version.
 */
final class RecordCodec {
    private static final int LEASED = 1;
    private static final int WIRED = 2;
    private static final int RELEASED = 3;
    private static final int BEGAN = 4;
    private static final int SETTLED = 5;
    private static final int NODE_KNOWN = 6;
    private static final int NETWORK_KNOWN = 7;
    private static final int INTERFACE_KNOWN = 8;
    private static final int INTERFACE_GONE = 9;
    private static final int ENDED = 10;

    // Types of actions, inside BEGAN and SETTLED.
    private static final int CREATE = 1;
    private static final int ATTACH = 2;
    private static final int ASSIGN = 3;
    private static final int UNASSIGN = 4;
    private static final int DETACH = 5;
    private static final int DELETE = 6;
    private static final int DESCRIBE = 7;

    private RecordCodec() {}

    static byte[] encode(JournalRecord change) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(128);
        try {
            new Writer(new DataOutputStream(bytes)).change(change);
        } catch (IOException e) {
            throw new IllegalStateException("an array refused bytes", e);
        }
        return bytes.toByteArray();
    }

    /**
     * @throws IOException when the bytes are no record of a known type
     */
    static JournalRecord decode(byte[] payload) throws IOException {
        try {
            return new Reader(ByteBuffer.wrap(payload)).change();
        } catch (BufferUnderflowException e) {
            throw new IOException("it ends inside a field", e);
        } catch (IllegalArgumentException e) {
            throw new IOException("a field has an impossible value: " + e.getMessage(), e);
        }
    }

    private record Writer(DataOutputStream out) {
        void change(JournalRecord change) throws IOException {
            switch (change) {
                case Leased lease -> {
                    out.writeByte(LEASED);
                    lease(lease);
                    others(lease);
                }
                case Wired(var key, var result) -> {
                    out.writeByte(WIRED);
                    key(key);
                    text(result);
                }
                case Released(var key, var addresses, var coolUntilNanos, var atNanos) -> {
                    out.writeByte(RELEASED);
                    key(key);
                    address(addresses.getFirst());
                    out.writeLong(coolUntilNanos);
                    out.writeLong(atNanos);
                    out.writeByte(addresses.size() - 1);
                    for (IpAddress other : addresses.subList(1, addresses.size())) {
                        address(other);
                    }
                }
                case Ended(var lease, var untilNanos) -> {
                    out.writeByte(ENDED);
                    lease(lease);
                    out.writeLong(untilNanos);
                    others(lease);
                }
                case Began(var action) -> {
                    out.writeByte(BEGAN);
                    action(action);
                }
                case Settled(var action) -> {
                    out.writeByte(SETTLED);
                    action(action);
                }
                case NodeKnown(var node) -> {
                    out.writeByte(NODE_KNOWN);
                    node(node);
                }
                case NetworkKnown(var cidrs) -> {
                    out.writeByte(NETWORK_KNOWN);
                    cidrs(cidrs);
                }
                case InterfaceKnown(var known) -> {
                    out.writeByte(INTERFACE_KNOWN);
                    cloudInterface(known);
                }
                case InterfaceGone(var id) -> {
                    out.writeByte(INTERFACE_GONE);
                    text(id);
                }
            }
        }

        private void lease(Leased lease) throws IOException {
            key(lease.key());
            out.writeLong(lease.namespaceInode());
            text(lease.podNamespace());
            text(lease.podName());
            held(lease.held().getFirst());
            out.writeLong(lease.atNanos());
        }

        private void others(Leased lease) throws IOException {
            out.writeByte(lease.held().size() - 1);
            for (Held other : lease.held().subList(1, lease.held().size())) {
                held(other);
            }
        }

        private void held(Held one) throws IOException {
            address(one.address());
            text(one.interfaceId());
        }

        private void action(CloudAction action) throws IOException {
            switch (action) {
                case CloudAction.CreateInterface(var request) -> {
                    out.writeByte(CREATE);
                    text(request.token());
                    text(request.kind().name());
                    out.writeInt(request.blocks());
                }
                case CloudAction.AttachInterface(var id, var deviceIndex) -> {
                    out.writeByte(ATTACH);
                    text(id);
                    out.writeInt(deviceIndex);
                }
                case CloudAction.AssignBlocks(var id, var kind, var count) -> {
                    out.writeByte(ASSIGN);
                    text(id);
                    text(kind.name());
                    out.writeInt(count);
                }
                case CloudAction.UnassignBlocks(var id, var blocks) -> {
                    out.writeByte(UNASSIGN);
                    text(id);
                    cidrs(blocks);
                }
                case CloudAction.DetachInterface(var id) -> {
                    out.writeByte(DETACH);
                    text(id);
                }
                case CloudAction.DeleteInterface(var id) -> {
                    out.writeByte(DELETE);
                    text(id);
                }
                case CloudAction.Describe() -> out.writeByte(DESCRIBE);
            }
        }

        private void key(AttachmentKey key) throws IOException {
            text(key.network());
            text(key.containerId());
            text(key.interfaceName());
        }

        private void node(NodeIdentity node) throws IOException {
            text(node.instanceId());
            text(node.instanceType());
            text(node.zone());
            text(node.primaryInterfaceId());
            text(node.primaryMac());
            address(node.primaryAddress());
            cidrs(node.networkCidrs());
            out.writeInt(node.limits().interfaces());
            out.writeInt(node.limits().addressesPerInterface());
            out.writeBoolean(node.limits().prefixes());
            out.writeBoolean(node.primaryIpv6().isPresent());
            if (node.primaryIpv6().isPresent()) {
                address(node.primaryIpv6().get());
            }
        }

        private void cloudInterface(CloudInterface known) throws IOException {
            text(known.id());
            text(known.token().orElse("")); // a token has at least one character
            text(known.mac());
            text(known.subnetId());
            cidr(known.subnet());
            address(known.primaryAddress());
            out.writeBoolean(known.primary());
            out.writeInt(known.attachment().map(CloudInterface.Attachment::deviceIndex).orElse(-1));
            text(known.attachment().map(a -> a.state().name()).orElse(""));
            cidrs(known.blocks());
            out.writeBoolean(known.managed());
        }

        private void cidrs(List<Cidr> cidrs) throws IOException {
            out.writeInt(cidrs.size());
            for (Cidr cidr : cidrs) {
                cidr(cidr);
            }
        }

        private void cidr(Cidr cidr) throws IOException {
            address(cidr.network());
            out.writeByte(cidr.prefixLength());
        }

        private void address(IpAddress address) throws IOException {
            byte[] bytes = address.toBytes();
            out.writeByte(bytes.length);
            out.write(bytes);
        }

        private void text(String text) throws IOException {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            out.writeInt(bytes.length);
            out.write(bytes);
        }
    }

    private record Reader(ByteBuffer in) {
        JournalRecord change() throws IOException {
            int type = Byte.toUnsignedInt(in.get());
            return switch (type) {
                case LEASED -> {
                    Leased first = lease();
                    yield first.on(others(first.held(), this::held));
                }
                case WIRED -> new Wired(key(), text());
                case RELEASED -> {
                    Released first =
                            new Released(key(), List.of(address()), in.getLong(), moment());
                    yield new Released(
                            first.key(),
                            others(first.addresses(), this::address),
                            first.coolUntilNanos(),
                            first.atNanos());
                }
                case ENDED -> {
                    Leased first = lease();
                    long untilNanos = in.getLong();
                    yield new Ended(first.on(others(first.held(), this::held)), untilNanos);
                }
                case BEGAN -> new Began(action());
                case SETTLED -> new Settled(action());
                case NODE_KNOWN -> new NodeKnown(node());
                case NETWORK_KNOWN -> new NetworkKnown(cidrs());
                case INTERFACE_KNOWN -> new InterfaceKnown(cloudInterface());
                case INTERFACE_GONE -> new InterfaceGone(text());
                default -> throw new IOException("unknown record type " + type);
            };
        }

        private Leased lease() throws IOException {
            return new Leased(key(), in.getLong(), text(), text(), List.of(held()), in.getLong());
        }

        private Held held() throws IOException {
            return new Held(address(), text());
        }

        @FunctionalInterface
        private interface Element<T> {
            T read() throws IOException;
        }

        /** Those behind the first; a daemon that gave a pod one address did not write any. */
        private <T> List<T> others(List<T> first, Element<T> element) throws IOException {
            List<T> all = new ArrayList<>(first);
            int count = in.hasRemaining() ? Byte.toUnsignedInt(in.get()) : 0;
            for (int i = 0; i < count; i++) {
                all.add(element.read());
            }
            return all;
        }

        /** Older daemons did not write it. */
        private long moment() {
            return !in.hasRemaining() ? 0 : in.getLong();
        }

        private CloudAction action() throws IOException {
            int type = Byte.toUnsignedInt(in.get());
            return switch (type) {
                case CREATE ->
                        new CloudAction.CreateInterface(
                                new InterfaceRequest(text(), kind(), in.getInt()));
                case ATTACH -> new CloudAction.AttachInterface(text(), in.getInt());
                case ASSIGN -> new CloudAction.AssignBlocks(text(), kind(), in.getInt());
                case UNASSIGN -> new CloudAction.UnassignBlocks(text(), cidrs());
                case DETACH -> new CloudAction.DetachInterface(text());
                case DELETE -> new CloudAction.DeleteInterface(text());
                case DESCRIBE -> new CloudAction.Describe();
                default -> throw new IOException("unknown action type " + type);
            };
        }

        private BlockKind kind() throws IOException {
            return BlockKind.valueOf(text());
        }

        private AttachmentKey key() throws IOException {
            return new AttachmentKey(text(), text(), text());
        }

        private NodeIdentity node() throws IOException {
            String instanceId = text();
            String instanceType = text();
            String zone = text();
            String primaryInterfaceId = text();
            String primaryMac = text();
            IpAddress primaryAddress = address();
            List<Cidr> networkCidrs = cidrs();
            NodeIdentity.Limits limits =
                    new NodeIdentity.Limits(in.getInt(), in.getInt(), prefixes());
            return new NodeIdentity(
                    instanceId,
                    instanceType,
                    zone,
                    primaryInterfaceId,
                    primaryMac,
                    primaryAddress,
                    primaryIpv6(),
                    networkCidrs,
                    limits);
        }

        /** Older daemons did not write it. */
        private Optional<IpAddress> primaryIpv6() throws IOException {
            return in.hasRemaining() && in.get() != 0 ? Optional.of(address()) : Optional.empty();
        }

        /** Older daemons did not write it; nearly every type takes prefixes. */
        private boolean prefixes() {
            return !in.hasRemaining() || in.get() != 0;
        }

        private CloudInterface cloudInterface() throws IOException {
            String id = text();
            String token = text();
            return new CloudInterface(
                    id,
                    token.isEmpty() ? Optional.empty() : Optional.of(token),
                    text(),
                    text(),
                    cidr(),
                    address(),
                    in.get() != 0,
                    attachment(),
                    cidrs(),
                    in.get() != 0);
        }

        private Optional<CloudInterface.Attachment> attachment() throws IOException {
            int deviceIndex = in.getInt();
            String state = text();
            return state.isEmpty()
                    ? Optional.empty()
                    : Optional.of(
                            new CloudInterface.Attachment(
                                    deviceIndex, CloudInterface.State.valueOf(state)));
        }

        private List<Cidr> cidrs() throws IOException {
            int count = length(in.getInt());
            List<Cidr> cidrs = new ArrayList<>(count);
            for (int i = 0; i < count; i++) {
                cidrs.add(cidr());
            }
            return cidrs;
        }

        private Cidr cidr() throws IOException {
            return new Cidr(address(), Byte.toUnsignedInt(in.get()));
        }

        private IpAddress address() throws IOException {
            return IpAddress.ofBytes(exactly(Byte.toUnsignedInt(in.get())));
        }

        private String text() throws IOException {
            return new String(exactly(in.getInt()), StandardCharsets.UTF_8);
        }

        private byte[] exactly(int count) throws IOException {
            byte[] bytes = new byte[length(count)];
            in.get(bytes);
            return bytes;
        }

        /** A length that cannot reach beyond the record, so that a bad one costs no memory. */
        private int length(int count) throws IOException {
            if (count < 0 || count > in.remaining()) {
                throw new IOException("a field claims " + count + " bytes or elements");
            }
            return count;
        }
    }
}
