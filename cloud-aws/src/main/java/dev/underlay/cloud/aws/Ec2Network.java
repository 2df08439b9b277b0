package dev.underlay.cloud.aws;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.underlay.pool.BlockKind;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.CloudInterface.State;
import dev.underlay.pool.InterfaceRequest;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.NodeIdentity.Limits;
import dev.underlay.pool.Refusal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.ec2.model.AssignIpv6AddressesRequest;
import software.amazon.awssdk.services.ec2.model.AssignPrivateIpAddressesRequest;
import software.amazon.awssdk.services.ec2.model.AssignPrivateIpAddressesResponse;
import software.amazon.awssdk.services.ec2.model.AttachNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.CreateNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.DeleteNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceTypesRequest;
import software.amazon.awssdk.services.ec2.model.DetachNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.ModifyNetworkInterfaceAttributeRequest;
import software.amazon.awssdk.services.ec2.model.UnassignIpv6AddressesRequest;
import software.amazon.awssdk.services.ec2.model.UnassignPrivateIpAddressesRequest;

/**
 * The port's operations as EC2 calls, with the least calls that do the job: a full interface takes
 * three (create with its addresses and tags, attach, delete-on-termination).
 *
 * <p>A call without a client token whose outcome is unknown is never repeated blindly: {@link
 * #settle} looks first.
 */
final class Ec2Network implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Ec2Network.class);

    /**
     * The card our interfaces sit on. Always sent: without it EC2 compared indexes across cards.
     */
    private static final int NETWORK_CARD = 0;

    /** How often delete-on-termination of one interface is tried again by a description. */
    private static final Duration REPAIR_EVERY = Duration.ofMinutes(10);

    /** Instances have at most a few dozen interfaces; this only bounds the memory. */
    private static final int MAX_REPAIRS = 64;

    private final Ec2Api ec2;
    private final CallGuard guard;
    private final String instanceId;
    private final Optional<String> clusterName;
    private final CallPolicy policy;
    private final InterfaceView view;
    private final InstanceLimits limits = new InstanceLimits();
    private final InterfaceLocks locks = new InterfaceLocks();
    private final Cache<String, Boolean> repaired =
            Caffeine.newBuilder().maximumSize(MAX_REPAIRS).expireAfterWrite(REPAIR_EVERY).build();

    Ec2Network(
            Ec2Api ec2,
            CallGuard guard,
            String instanceId,
            Optional<String> clusterName,
            CallPolicy policy) {
        this.ec2 = ec2;
        this.guard = guard;
        this.instanceId = instanceId;
        this.clusterName = clusterName;
        this.policy = policy;
        this.view = new InterfaceView(ec2, instanceId);
    }

    Limits limits(String type, Deadline deadline) throws CallFailure {
        return limits.of(
                type,
                () ->
                        ec2.call(
                                Ec2Action.DESCRIBE_INSTANCE_TYPES,
                                type,
                                deadline,
                                (client, options) ->
                                        client.describeInstanceTypes(
                                                DescribeInstanceTypesRequest.builder()
                                                        .instanceTypesWithStrings(type)
                                                        .overrideConfiguration(options)
                                                        .build()),
                                answer -> InstanceLimits.read(type, answer)));
    }

    List<CloudInterface> describe(Deadline deadline) throws CallFailure {
        List<NodeInterface> all = view.all(deadline);
        for (NodeInterface it : all) {
            repair(it, deadline);
        }
        return all.stream().map(NodeInterface::cloud).toList();
    }

    CloudInterface create(InterfaceRequest request, Deadline deadline) throws CallFailure {
        NodeInterface primary = view.primary(deadline);
        String subnetId = primary.cloud().subnetId();
        Cidr subnet = view.subnet(subnetId, deadline);
        CreateNetworkInterfaceRequest.Builder create =
                CreateNetworkInterfaceRequest.builder()
                        .clientToken(request.token())
                        .subnetId(subnetId)
                        .groups(primary.groups())
                        .description("underlay " + instanceId)
                        .tagSpecifications(
                                Tags.ofInterface(
                                        instanceId, request.token(), clusterName, Instant.now()));
        if (request.blocks() > 0) {
            switch (request.kind()) {
                case SECONDARY_ADDRESS -> create.secondaryPrivateIpAddressCount(request.blocks());
                case PREFIX_28 -> create.ipv4PrefixCount(request.blocks());
                case PREFIX_80 -> create.ipv6PrefixCount(request.blocks());
            }
        }
        NodeInterface made;
        try {
            made =
                    ec2.call(
                            Ec2Action.CREATE_NETWORK_INTERFACE,
                            subnetId,
                            deadline,
                            (client, options) ->
                                    client.createNetworkInterface(
                                            create.overrideConfiguration(options).build()),
                            answer -> {
                                if (answer.networkInterface() == null) {
                                    throw new IllegalArgumentException("no interface in it");
                                }
                                return NodeInterface.read(answer.networkInterface(), subnet)
                                        .withToken(request.token());
                            });
        } catch (CallFailure failure) {
            // A mismatch means that an earlier daemon made it from this token, at another time.
            if (!failure.ambiguous() && !Ec2Errors.isTokenMismatch(failure)) {
                throw failure;
            }
            made =
                    lookUntil(
                                    failure,
                                    deadline,
                                    () -> {
                                        Optional<NodeInterface> it =
                                                view.lookForToken(request.token(), deadline);
                                        return new Seen<>(it, it.isPresent());
                                    })
                            .result()
                            .orElseThrow(failure::withoutEffect);
        }
        view.remember(made);
        return made.cloud();
    }

    CloudInterface attach(String interfaceId, int deviceIndex, Deadline deadline)
            throws CallFailure {
        try (var _ = locks.hold(interfaceId)) {
            NodeInterface before = view.knownOrLook(interfaceId, deadline);
            if (isPluggedIn(before)) {
                before = view.look(interfaceId, deadline).orElse(before);
            }
            NodeInterface attached =
                    isPluggedIn(before) ? before : plugIn(before, deviceIndex, deadline);
            view.remember(attached);
            if (!attached.endsWithInstance()) {
                endWithInstance(attached, deadline);
            }
            return attached.cloud();
        }
    }

    private NodeInterface plugIn(NodeInterface it, int deviceIndex, Deadline deadline)
            throws CallFailure {
        String id = it.cloud().id();
        try {
            return settle(
                    id,
                    deadline,
                    () ->
                            ec2.call(
                                    Ec2Action.ATTACH_NETWORK_INTERFACE,
                                    id + " at index " + deviceIndex + " of " + instanceId,
                                    deadline,
                                    (client, options) ->
                                            client.attachNetworkInterface(
                                                    AttachNetworkInterfaceRequest.builder()
                                                            .networkInterfaceId(id)
                                                            .instanceId(instanceId)
                                                            .deviceIndex(deviceIndex)
                                                            .networkCardIndex(NETWORK_CARD)
                                                            .overrideConfiguration(options)
                                                            .build()),
                                    answer -> {
                                        if (answer.attachmentId() == null) {
                                            throw new IllegalArgumentException("no attachment id");
                                        }
                                        return it.attached(deviceIndex, answer.attachmentId());
                                    }),
                    look -> look.filter(Ec2Network::isPluggedIn));
        } catch (CallFailure failure) {
            // "In use" and "index taken" are also what a second try hears whose first one worked.
            if (failure.refusal() == Refusal.BUSY
                    || failure.refusal() == Refusal.DEVICE_INDEX_TAKEN) {
                return lookOnce(failure, id, deadline)
                        .filter(Ec2Network::isPluggedIn)
                        .orElseThrow(() -> failure);
            }
            throw failure;
        }
    }

    List<Cidr> assign(String interfaceId, BlockKind kind, int count, Deadline deadline)
            throws CallFailure {
        try (var _ = locks.hold(interfaceId)) {
            NodeInterface before = view.knownOrLook(interfaceId, deadline);
            List<Cidr> added =
                    settle(
                            interfaceId,
                            deadline,
                            () -> sendAssign(before, kind, count, deadline),
                            look ->
                                    look.map(now -> blocksAdded(before, now, kind))
                                            .filter(blocks -> !blocks.isEmpty()));
            view.remember(
                    before.withBlocks(
                            Stream.concat(before.cloud().blocks().stream(), added.stream())
                                    .distinct()
                                    .toList()));
            return added;
        }
    }

    private List<Cidr> sendAssign(
            NodeInterface before, BlockKind kind, int count, Deadline deadline) throws CallFailure {
        String id = before.cloud().id();
        String thing = count + " blocks on " + id + " (" + before.cloud().subnetId() + ")";
        return switch (kind) {
            case SECONDARY_ADDRESS, PREFIX_28 ->
                    ec2.call(
                            Ec2Action.ASSIGN_PRIVATE_IP_ADDRESSES,
                            thing,
                            deadline,
                            (client, options) -> {
                                AssignPrivateIpAddressesRequest.Builder request =
                                        AssignPrivateIpAddressesRequest.builder()
                                                .networkInterfaceId(id);
                                if (kind == BlockKind.PREFIX_28) {
                                    request.ipv4PrefixCount(count);
                                } else {
                                    request.secondaryPrivateIpAddressCount(count);
                                }
                                return client.assignPrivateIpAddresses(
                                        request.overrideConfiguration(options).build());
                            },
                            answer -> added(before, kind, count, listed(answer, kind)));
            case PREFIX_80 ->
                    ec2.call(
                            Ec2Action.ASSIGN_IPV6_ADDRESSES,
                            thing,
                            deadline,
                            (client, options) ->
                                    client.assignIpv6Addresses(
                                            AssignIpv6AddressesRequest.builder()
                                                    .networkInterfaceId(id)
                                                    .ipv6PrefixCount(count)
                                                    .overrideConfiguration(options)
                                                    .build()),
                            answer ->
                                    added(
                                            before,
                                            kind,
                                            count,
                                            answer.assignedIpv6Prefixes().stream()
                                                    .map(Cidr::parse)
                                                    .toList()));
        };
    }

    private static List<Cidr> listed(AssignPrivateIpAddressesResponse answer, BlockKind kind) {
        return kind == BlockKind.PREFIX_28
                ? answer.assignedIpv4Prefixes().stream()
                        .map(prefix -> NodeInterface.cidr(prefix.ipv4Prefix()))
                        .toList()
                : answer.assignedPrivateIpAddresses().stream()
                        .map(address -> NodeInterface.cidr(address.privateIpAddress()))
                        .toList();
    }

    /**
     * What an assign added. EC2 lists what is new; its documentation does not promise that, and
     * some that speak its protocol list everything. An answer longer than what was asked for, or
     * one that names the interface's own address, is such a list.
     */
    private static List<Cidr> added(
            NodeInterface before, BlockKind kind, int count, List<Cidr> listed) {
        if (listed.isEmpty()) {
            throw new IllegalArgumentException("no block of kind " + kind + " in it");
        }
        Cidr own = Cidr.of(before.cloud().primaryAddress());
        if (listed.size() <= count && !listed.contains(own)) {
            return listed.stream().sorted().toList();
        }
        Set<Cidr> had = Set.copyOf(before.cloud().blocks());
        return listed.stream()
                .filter(block -> !block.equals(own) && !had.contains(block))
                .sorted()
                .toList();
    }

    private static List<Cidr> blocksAdded(NodeInterface before, NodeInterface now, BlockKind kind) {
        Set<Cidr> had = Set.copyOf(before.cloud().blocks());
        return now.cloud().blocks().stream()
                .filter(block -> block.network().family() == kind.family())
                .filter(block -> block.prefixLength() == kind.prefixLength())
                .filter(block -> !had.contains(block))
                .toList();
    }

    List<Cidr> unassign(String interfaceId, List<Cidr> blocks, Deadline deadline)
            throws CallFailure {
        try (var _ = locks.hold(interfaceId)) {
            NodeInterface before = view.knownOrLook(interfaceId, deadline);
            if (blocks.contains(Cidr.of(before.cloud().primaryAddress()))) {
                throw CallFailure.certain(
                        Refusal.MISCONFIGURED,
                        "the own address of " + interfaceId + " is never given back");
            }
            for (IpAddress.Family family : IpAddress.Family.values()) {
                List<Cidr> some =
                        blocks.stream().filter(b -> b.network().family() == family).toList();
                if (!some.isEmpty()) {
                    unassignAll(interfaceId, family, some, deadline);
                }
            }
            List<Cidr> left = new ArrayList<>(before.cloud().blocks());
            left.removeAll(blocks);
            view.remember(before.withBlocks(left));
            return blocks;
        }
    }

    /** Gives back; a block that is gone already is left out and the rest is asked for again. */
    private void unassignAll(
            String interfaceId, IpAddress.Family family, List<Cidr> blocks, Deadline deadline)
            throws CallFailure {
        try {
            settle(
                    interfaceId,
                    deadline,
                    () -> sendUnassign(interfaceId, family, blocks, deadline),
                    look ->
                            stillThere(look, blocks).isEmpty()
                                    ? Optional.of(blocks)
                                    : Optional.empty());
        } catch (CallFailure failure) {
            if (failure.refusal() != Refusal.MISCONFIGURED && failure.refusal() != Refusal.GONE) {
                throw failure;
            }
            List<Cidr> left = stillThere(lookOnce(failure, interfaceId, deadline), blocks);
            if (left.size() == blocks.size()) {
                throw failure;
            }
            if (!left.isEmpty()) {
                unassignAll(interfaceId, family, left, deadline);
            }
        }
    }

    private List<Cidr> sendUnassign(
            String interfaceId, IpAddress.Family family, List<Cidr> blocks, Deadline deadline)
            throws CallFailure {
        String thing = blocks + " on " + interfaceId;
        return switch (family) {
            case IPV4 ->
                    ec2.call(
                            Ec2Action.UNASSIGN_PRIVATE_IP_ADDRESSES,
                            thing,
                            deadline,
                            (client, options) ->
                                    client.unassignPrivateIpAddresses(
                                            unassignIpv4(interfaceId, blocks)
                                                    .overrideConfiguration(options)
                                                    .build()),
                            _ -> blocks);
            case IPV6 ->
                    ec2.call(
                            Ec2Action.UNASSIGN_IPV6_ADDRESSES,
                            thing,
                            deadline,
                            (client, options) ->
                                    client.unassignIpv6Addresses(
                                            UnassignIpv6AddressesRequest.builder()
                                                    .networkInterfaceId(interfaceId)
                                                    .ipv6Prefixes(
                                                            blocks.stream()
                                                                    .map(Cidr::toString)
                                                                    .toList())
                                                    .overrideConfiguration(options)
                                                    .build()),
                            _ -> blocks);
        };
    }

    private static UnassignPrivateIpAddressesRequest.Builder unassignIpv4(
            String interfaceId, List<Cidr> blocks) {
        List<String> addresses =
                blocks.stream()
                        .filter(b -> b.prefixLength() == 32)
                        .map(b -> b.network().toString())
                        .toList();
        List<String> prefixes =
                blocks.stream().filter(b -> b.prefixLength() != 32).map(Cidr::toString).toList();
        UnassignPrivateIpAddressesRequest.Builder request =
                UnassignPrivateIpAddressesRequest.builder().networkInterfaceId(interfaceId);
        if (!addresses.isEmpty()) {
            request.privateIpAddresses(addresses);
        }
        if (!prefixes.isEmpty()) {
            request.ipv4Prefixes(prefixes);
        }
        return request;
    }

    CloudInterface detach(String interfaceId, Deadline deadline) throws CallFailure {
        try (var _ = locks.hold(interfaceId)) {
            NodeInterface before = view.knownOrLook(interfaceId, deadline);
            if (before.cloud().primary()) {
                throw CallFailure.certain(
                        Refusal.MISCONFIGURED,
                        interfaceId + " is the node's primary interface and never detached");
            }
            if (before.attachmentId().isPresent()) {
                unplug(before, before.attachmentId().get(), deadline);
            }
            NodeInterface unplugged = awaitUnplugged(before, deadline);
            view.remember(unplugged);
            return unplugged.cloud();
        }
    }

    private void unplug(NodeInterface it, String attachmentId, Deadline deadline)
            throws CallFailure {
        String id = it.cloud().id();
        try {
            settle(
                    id,
                    deadline,
                    () ->
                            ec2.call(
                                    Ec2Action.DETACH_NETWORK_INTERFACE,
                                    id + " from " + instanceId,
                                    deadline,
                                    (client, options) ->
                                            client.detachNetworkInterface(
                                                    DetachNetworkInterfaceRequest.builder()
                                                            .attachmentId(attachmentId)
                                                            .overrideConfiguration(options)
                                                            .build()),
                                    _ -> id),
                    look ->
                            look.filter(Ec2Network::isPluggedIn).isPresent()
                                    ? Optional.empty()
                                    : Optional.of(id));
        } catch (CallFailure failure) {
            // Gone: the attachment ended before. Busy: it is on its way out. Both are waited for,
            // unless the interface is plugged in all the same.
            boolean moving = failure.refusal() == Refusal.GONE || failure.refusal() == Refusal.BUSY;
            if (!moving
                    || lookOnce(failure, id, deadline)
                            .filter(Ec2Network::isPluggedIn)
                            .isPresent()) {
                throw failure;
            }
        }
    }

    private NodeInterface awaitUnplugged(NodeInterface before, Deadline deadline)
            throws CallFailure {
        String id = before.cloud().id();
        Pace pace = new Pace(policy);
        while (true) {
            Optional<NodeInterface> now = view.look(id, deadline);
            if (now.isEmpty()) {
                // Without our tag an interface is out of sight once it is unplugged.
                return before.detached();
            }
            if (now.get().cloud().attachment().isEmpty()) {
                return now.get();
            }
            if (!pace.sleep(deadline)) {
                throw CallFailure.certain(
                        Refusal.BUSY,
                        id
                                + " is still being detached from "
                                + instanceId
                                + "; it is looked at again later");
            }
        }
    }

    String delete(String interfaceId, Deadline deadline) throws CallFailure {
        try (var _ = locks.hold(interfaceId)) {
            try {
                settle(
                        interfaceId,
                        deadline,
                        () ->
                                ec2.call(
                                        Ec2Action.DELETE_NETWORK_INTERFACE,
                                        interfaceId,
                                        deadline,
                                        (client, options) ->
                                                client.deleteNetworkInterface(
                                                        DeleteNetworkInterfaceRequest.builder()
                                                                .networkInterfaceId(interfaceId)
                                                                .overrideConfiguration(options)
                                                                .build()),
                                        _ -> interfaceId),
                        look -> look.isPresent() ? Optional.empty() : Optional.of(interfaceId));
            } catch (CallFailure failure) {
                if (failure.refusal() != Refusal.GONE) {
                    throw failure;
                }
            }
            view.forget(interfaceId);
            return interfaceId;
        }
    }

    /** Nothing is sent after this. */
    @Override
    public void close() {
        guard.close();
        ec2.close();
    }

    @FunctionalInterface
    private interface Call<T> {
        T run() throws CallFailure;
    }

    /**
     * Makes a call that has no client token. When its outcome is unknown it looks until the effect
     * shows or the time in which EC2's reads lag is over; only then the call is made again. When
     * EC2 does not know the interface, which may just have been made, it looks until it does.
     *
     * @param effect the call's result if a look shows that it has happened
     */
    private <T> T settle(
            String interfaceId,
            Deadline deadline,
            Call<T> call,
            Function<Optional<NodeInterface>, Optional<T>> effect)
            throws CallFailure {
        for (int round = 1; ; round++) {
            CallFailure failure;
            try {
                return call.run();
            } catch (CallFailure e) {
                failure = e;
            }
            boolean unseen = failure.refusal() == Refusal.GONE;
            if (!failure.ambiguous() && !unseen) {
                throw failure;
            }
            Seen<T> seen =
                    lookUntil(
                            failure,
                            deadline,
                            () -> {
                                Optional<NodeInterface> now = view.look(interfaceId, deadline);
                                Optional<T> done = effect.apply(now);
                                return new Seen<>(
                                        done, done.isPresent() || (unseen && now.isPresent()));
                            });
            if (seen.result().isPresent()) {
                LOG.info(
                        "cloud.call_settled interface={} round={} failure=\"{}\"",
                        interfaceId,
                        round,
                        failure.getMessage());
                return seen.result().get();
            }
            boolean repeat = failure.ambiguous() || seen.enough();
            if (!repeat || round >= policy.rounds() || deadline.passed()) {
                throw failure.withoutEffect();
            }
        }
    }

    /**
     * What a look showed.
     *
     * @param result the call's result, if it has happened
     * @param enough whether there is no point in looking again
     */
    private record Seen<T>(Optional<T> result, boolean enough) {}

    /** Looks until it has seen enough or the settling time is over. */
    private <T> Seen<T> lookUntil(CallFailure failure, Deadline deadline, Call<Seen<T>> look)
            throws CallFailure {
        Deadline settled = Deadline.in(policy.settle());
        Pace pace = new Pace(policy);
        while (true) {
            Seen<T> seen;
            try {
                seen = look.run();
            } catch (CallFailure lookFailure) {
                throw failure.ambiguous() ? failure.unknown(lookFailure) : failure;
            }
            if (seen.enough() || settled.passed() || !pace.sleep(deadline)) {
                return seen;
            }
        }
    }

    private Optional<NodeInterface> lookOnce(CallFailure failure, String id, Deadline deadline)
            throws CallFailure {
        try {
            return view.look(id, deadline);
        } catch (CallFailure lookFailure) {
            failure.addSuppressed(lookFailure);
            throw failure;
        }
    }

    private static boolean isPluggedIn(NodeInterface it) {
        return it.cloud().attachment().filter(a -> a.state() != State.DETACHING).isPresent();
    }

    private static List<Cidr> stillThere(Optional<NodeInterface> look, List<Cidr> blocks) {
        return look.map(now -> blocks.stream().filter(now.cloud().blocks()::contains).toList())
                .orElse(List.of());
    }

    /**
     * Tries again what an attach could not do, or what a daemon that died between two calls left.
     */
    private void repair(NodeInterface it, Deadline deadline) {
        if (it.endsWithInstance()
                || it.cloud().token().isEmpty()
                || !it.cloud().managed()
                || it.attachmentId().filter(id -> repaired.getIfPresent(id) == null).isEmpty()) {
            return;
        }
        endWithInstance(it, deadline);
    }

    /**
     * Makes EC2 delete an attached interface when the instance ends. The interface serves without
     * that, so a failure refuses nothing: a later description tries again.
     */
    private void endWithInstance(NodeInterface it, Deadline deadline) {
        if (it.attachmentId().isEmpty()) {
            return;
        }
        String attachmentId = it.attachmentId().get();
        repaired.put(attachmentId, Boolean.TRUE);
        try {
            ec2.call(
                    Ec2Action.MODIFY_NETWORK_INTERFACE_ATTRIBUTE,
                    it.cloud().id(),
                    deadline,
                    (client, options) ->
                            client.modifyNetworkInterfaceAttribute(
                                    ModifyNetworkInterfaceAttributeRequest.builder()
                                            .networkInterfaceId(it.cloud().id())
                                            .attachment(a ->
                                                    a.attachmentId(attachmentId)
                                                            .deleteOnTermination(true))
                                            .overrideConfiguration(options)
                                            .build()),
                    answer -> answer);
        } catch (CallFailure failure) {
            LOG.warn(
                    "interface.outlives_instance interface={} next=\"tried again in {} s\""
                            + " reason=\"{}\"",
                    it.cloud().id(),
                    REPAIR_EVERY.toSeconds(),
                    failure.getMessage());
        }
    }
}
