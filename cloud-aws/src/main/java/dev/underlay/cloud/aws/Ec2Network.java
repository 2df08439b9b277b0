package dev.underlay.cloud.aws;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
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
import java.util.concurrent.Executor;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.AttachNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.CreateNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.DeleteNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceTypesRequest;
import software.amazon.awssdk.services.ec2.model.DetachNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.ModifyNetworkInterfaceAttributeRequest;

/**
 * The port's operations as EC2 calls, with the least calls that do the job: a full interface takes
 * three (create with its addresses and tags, attach, delete-on-termination).
 *
 * <p>A call without a client token whose outcome is unknown is never repeated blindly: {@link
 * Settlement} looks first.
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
    private final Executor after;
    private final InterfaceView view;
    private final NodeSubnets subnets;
    private final Settlement settlement;
    private final BlockCalls blockCalls;
    private final ClusterView cluster;
    private final InstanceLimits limits = new InstanceLimits();
    private final InterfaceLocks locks = new InterfaceLocks();
    private final Cache<String, Boolean> repaired =
            Caffeine.newBuilder().maximumSize(MAX_REPAIRS).expireAfterWrite(REPAIR_EVERY).build();

    /**
     * @param subnets in which subnets interfaces are made
     * @param after runs what may follow an answer
     */
    Ec2Network(
            Ec2Api ec2,
            CallGuard guard,
            String instanceId,
            Optional<String> clusterName,
            NodeSubnets subnets,
            CallPolicy policy,
            Executor after) {
        this.ec2 = ec2;
        this.guard = guard;
        this.instanceId = instanceId;
        this.clusterName = clusterName;
        this.subnets = subnets;
        this.policy = policy;
        this.after = after;
        this.view = new InterfaceView(ec2, instanceId, Ticker.systemTicker());
        this.settlement = new Settlement(view, policy);
        this.blockCalls = new BlockCalls(ec2);
        this.cluster = new ClusterView(ec2, clusterName);
    }

    /**
     * The limits of a type; EC2 is given a short time only, since there is a table to fall back on.
     */
    Limits limits(String type) throws CallFailure {
        Deadline deadline = Deadline.in(policy.limitsDeadline());
        return limits.of(
                type,
                () ->
                        ec2.call(
                                Ec2Action.DESCRIBE_INSTANCE_TYPES,
                                type,
                                deadline,
                                DescribeInstanceTypesRequest.builder()
                                        .instanceTypesWithStrings(type)
                                        .build(),
                                Ec2Client::describeInstanceTypes,
                                answer -> InstanceLimits.read(type, answer)));
    }

    List<CloudInterface> describe(Deadline deadline) throws CallFailure {
        List<NodeInterface> all = view.all(deadline);
        for (NodeInterface it : all) {
            repair(it, deadline);
        }
        return all.stream().map(NodeInterface::cloud).toList();
    }

    /** Makes an interface in the first of the node's subnets that has room for it. */
    CloudInterface create(InterfaceRequest request, Deadline deadline) throws CallFailure {
        NodeInterface primary = view.primary(deadline);
        String home = primary.cloud().subnetId();
        CallFailure full = noSubnet(home);
        for (String id : order(home, request.kind(), deadline)) {
            try {
                return create(request, primary, id, deadline);
            } catch (CallFailure failure) {
                full = request.kind().delegated() ? Ec2Errors.ofPrefixes(failure) : failure;
                if (!isFull(full)) {
                    throw full;
                }
                subnets.full(id, request.kind());
                full = view.withFreeAddresses(full, id, deadline);
            }
        }
        throw full;
    }

    /**
     * The subnets to try; tags that leave none are read again, people follow what a refusal says.
     */
    private List<String> order(String home, BlockKind kind, Deadline deadline) throws CallFailure {
        List<String> order = subnets.order(view.zoneOf(home, deadline), home, kind);
        if (order.isEmpty()) {
            view.readZone(home, deadline);
            order = subnets.order(view.zoneOf(home, deadline), home, kind);
        }
        return order;
    }

    private static boolean isFull(CallFailure failure) {
        return failure.refusal() == Refusal.SUBNET_FULL
                || failure.refusal() == Refusal.NO_FREE_PREFIX;
    }

    private static CallFailure noSubnet(String home) {
        return CallFailure.certain(
                Refusal.MISCONFIGURED,
                "%s is tagged %s=0 and no other subnet of its zone is tagged %s=1 for this cluster;"
                                .formatted(home, NodeSubnets.ROLE, NodeSubnets.ROLE)
                        + " tag one or set ENABLE_SUBNET_DISCOVERY=false");
    }

    private CloudInterface create(
            InterfaceRequest request, NodeInterface primary, String subnetId, Deadline deadline)
            throws CallFailure {
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
                            create.build(),
                            Ec2Client::createNetworkInterface,
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
                    settlement
                            .lookUntil(
                                    failure,
                                    deadline,
                                    () -> {
                                        Optional<NodeInterface> it =
                                                view.lookForToken(request.token(), deadline);
                                        return new Settlement.Seen<>(it, it.isPresent());
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
            endWithInstanceLater(attached);
            return attached.cloud();
        }
    }

    private NodeInterface plugIn(NodeInterface it, int deviceIndex, Deadline deadline)
            throws CallFailure {
        String id = it.cloud().id();
        try {
            return settlement.settle(
                    id,
                    deadline,
                    () ->
                            ec2.call(
                                    Ec2Action.ATTACH_NETWORK_INTERFACE,
                                    id + " at index " + deviceIndex + " of " + instanceId,
                                    deadline,
                                    AttachNetworkInterfaceRequest.builder()
                                            .networkInterfaceId(id)
                                            .instanceId(instanceId)
                                            .deviceIndex(deviceIndex)
                                            .networkCardIndex(NETWORK_CARD)
                                            .build(),
                                    Ec2Client::attachNetworkInterface,
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
                return settlement
                        .lookOnce(failure, id, deadline)
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
            refuseClosed(before.cloud().subnetId(), deadline);
            if (kind.family() == IpAddress.Family.IPV6) {
                refuseWithoutIpv6(before.cloud().subnetId(), deadline);
            }
            List<Cidr> added;
            try {
                added =
                        settlement.settle(
                                interfaceId,
                                deadline,
                                () -> blockCalls.assign(before, kind, count, deadline),
                                look ->
                                        look.map(now -> blocksAdded(before, now, kind))
                                                .filter(blocks -> !blocks.isEmpty()));
            } catch (CallFailure failure) {
                throw view.withFreeAddresses(failure, before.cloud().subnetId(), deadline);
            }
            view.remember(
                    before.withBlocks(
                            Stream.concat(before.cloud().blocks().stream(), added.stream())
                                    .distinct()
                                    .toList()));
            return added;
        }
    }

    /** The primary interface's subnet can be closed to pods, and any other one later. */
    private void refuseClosed(String subnetId, Deadline deadline) throws CallFailure {
        if (!subnets.closed(view.tagsOf(subnetId, deadline))) {
            return;
        }
        view.readZone(subnetId, deadline);
        if (subnets.closed(view.tagsOf(subnetId, deadline))) {
            throw CallFailure.certain(
                    Refusal.SUBNET_FULL,
                    "%s is tagged %s=0: no pod gets an address of it"
                            .formatted(subnetId, NodeSubnets.ROLE));
        }
    }

    /** EC2's own words for it are not documented, and a subnet can be given a CIDR later. */
    private void refuseWithoutIpv6(String subnetId, Deadline deadline) throws CallFailure {
        if (view.hasIpv6(subnetId, deadline)) {
            return;
        }
        view.readZone(subnetId, deadline);
        if (!view.hasIpv6(subnetId, deadline)) {
            throw CallFailure.certain(
                    Refusal.MISCONFIGURED,
                    subnetId
                            + " has no IPv6 CIDR and so no prefix for pods; associate one with it"
                            + " or unset ENABLE_IPv6");
        }
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
            settlement.settle(
                    interfaceId,
                    deadline,
                    () -> blockCalls.unassign(interfaceId, family, blocks, deadline),
                    look ->
                            stillThere(look, blocks).isEmpty()
                                    ? Optional.of(blocks)
                                    : Optional.empty());
        } catch (CallFailure failure) {
            if (failure.refusal() != Refusal.MISCONFIGURED && failure.refusal() != Refusal.GONE) {
                throw failure;
            }
            List<Cidr> left =
                    stillThere(settlement.lookOnce(failure, interfaceId, deadline), blocks);
            if (left.size() == blocks.size()) {
                throw failure;
            }
            if (!left.isEmpty()) {
                unassignAll(interfaceId, family, left, deadline);
            }
        }
    }

    CloudInterface detach(String interfaceId, Deadline deadline) throws CallFailure {
        try (var _ = locks.hold(interfaceId)) {
            NodeInterface before = view.knownOrLook(interfaceId, deadline);
            if (before.cloud().primary()) {
                throw CallFailure.certain(
                        Refusal.MISCONFIGURED,
                        interfaceId + " is the node's primary interface and never detached");
            }
            if (before.attachmentId().isEmpty()) {
                // It may have been attached again since; waiting alone would not part it.
                before = view.look(interfaceId, deadline).orElse(before);
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
            settlement.settle(
                    id,
                    deadline,
                    () ->
                            ec2.call(
                                    Ec2Action.DETACH_NETWORK_INTERFACE,
                                    id + " from " + instanceId,
                                    deadline,
                                    DetachNetworkInterfaceRequest.builder()
                                            .attachmentId(attachmentId)
                                            .build(),
                                    Ec2Client::detachNetworkInterface,
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
                    || settlement
                            .lookOnce(failure, id, deadline)
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
            Optional<NodeInterface> now;
            try {
                now = view.look(id, deadline);
            } catch (CallFailure failure) {
                throw deadline.passed()
                        ? stillDetaching(id)
                        : CallFailure.certain(
                                Refusal.UNKNOWN_OUTCOME,
                                id
                                        + " is being detached from "
                                        + instanceId
                                        + " and cannot be looked at: "
                                        + failure.getMessage(),
                                failure);
            }
            if (now.isEmpty()) {
                // Without our tag an interface is out of sight once it is unplugged.
                return before.detached();
            }
            if (now.get().cloud().attachment().isEmpty()) {
                return now.get();
            }
            if (!pace.sleep(deadline)) {
                throw stillDetaching(id);
            }
        }
    }

    private CallFailure stillDetaching(String id) {
        return CallFailure.certain(
                Refusal.BUSY,
                id
                        + " is still being detached from "
                        + instanceId
                        + "; it is looked at again later");
    }

    String delete(String interfaceId, Deadline deadline) throws CallFailure {
        try (var _ = locks.hold(interfaceId)) {
            try {
                settlement.settle(
                        interfaceId,
                        deadline,
                        () ->
                                ec2.call(
                                        Ec2Action.DELETE_NETWORK_INTERFACE,
                                        interfaceId,
                                        deadline,
                                        DeleteNetworkInterfaceRequest.builder()
                                                .networkInterfaceId(interfaceId)
                                                .build(),
                                        Ec2Client::deleteNetworkInterface,
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

    ClusterView cluster() {
        return cluster;
    }

    /** Nothing is sent after this. */
    @Override
    public void close() {
        guard.close();
        ec2.close();
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

    /** The interface serves meanwhile, however long this takes. */
    private void endWithInstanceLater(NodeInterface attached) {
        if (!attached.endsWithInstance() && attached.attachmentId().isPresent()) {
            repaired.put(attached.attachmentId().get(), Boolean.TRUE);
            after.execute(() -> endWithInstance(attached, Deadline.in(policy.callDeadline())));
        }
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
                    ModifyNetworkInterfaceAttributeRequest.builder()
                            .networkInterfaceId(it.cloud().id())
                            .attachment(a -> a.attachmentId(attachmentId).deleteOnTermination(true))
                            .build(),
                    Ec2Client::modifyNetworkInterfaceAttribute,
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
