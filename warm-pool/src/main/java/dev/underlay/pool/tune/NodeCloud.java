package dev.underlay.pool.tune;

import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudAction;
import dev.underlay.pool.CloudAnswer;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.InterfaceRequest;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.NodeIdentity;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * One node's interfaces in the cloud, and the EC2 calls that the daemon's adapter makes for each of
 * the planner's actions. Nothing is refused: the subnet is large, and an action beyond the type's
 * limits is a mistake of the planner that ends the replay.
 */
final class NodeCloud {
    private static final String SUBNET_ID = "subnet-0";
    private static final Cidr SUBNET = Cidr.parse("10.0.0.0/16");
    private static final long FIRST_ADDRESS = 4; // a subnet's first four and its last are AWS's
    private static final long FIRST_LOOK_NANOS = 200 * Timeline.MILLISECOND;
    private static final long LAST_LOOK_NANOS = 2 * Timeline.SECOND;

    private final NodeIdentity.Limits limits;
    private final Timeline time;
    private final Ec2 ec2;
    private final TreeMap<String, CloudInterface> interfaces = new TreeMap<>();
    private final TreeSet<IpAddress> taken = new TreeSet<>();
    private long nextAddress = FIRST_ADDRESS;
    private int made;

    NodeCloud(NodeIdentity.Limits limits, Timeline time, Ec2 ec2) {
        this.limits = limits;
        this.time = time;
        this.ec2 = ec2;
    }

    /** The interface that the node boots with, without an address for pods. */
    CloudInterface boot() {
        return make(Optional.empty(), Optional.of(attached(0)), 0);
    }

    /** Makes the calls of an action; the answer comes when the last one is answered. */
    void call(CloudAction action, Consumer<CloudAnswer<?>> answer) {
        switch (action) {
            case CloudAction.Describe _ ->
                    // by attachment, and by tag
                    ec2.call(
                            "DescribeNetworkInterfaces",
                            () ->
                                    ec2.call(
                                            "DescribeNetworkInterfaces",
                                            () -> done(answer, List.copyOf(interfaces.values()))));
            case CloudAction.CreateInterface(var request) ->
                    ec2.call("CreateNetworkInterface", () -> done(answer, make(request)));
            case CloudAction.AttachInterface(var id, var index) ->
                    ec2.call(
                            "AttachNetworkInterface",
                            Ec2.ATTACH_NANOS,
                            () -> {
                                CloudInterface one = attach(id, index);
                                ec2.call(
                                        "ModifyNetworkInterfaceAttribute", () -> done(answer, one));
                            });
            case CloudAction.AssignBlocks(var id, _, var count) ->
                    ec2.call("AssignPrivateIpAddresses", () -> done(answer, assign(id, count)));
            case CloudAction.UnassignBlocks(var id, var blocks) ->
                    ec2.call(
                            "UnassignPrivateIpAddresses",
                            () -> {
                                unassign(id, blocks);
                                done(answer, blocks);
                            });
            case CloudAction.DetachInterface(var id) ->
                    ec2.call(
                            "DetachNetworkInterface",
                            () -> {
                                long gone = time.now() + Ec2.DETACH_NANOS;
                                look(id, gone, FIRST_LOOK_NANOS, answer);
                            });
            case CloudAction.DeleteInterface(var id) ->
                    ec2.call(
                            "DeleteNetworkInterface",
                            () -> {
                                free(get(id).blocks());
                                interfaces.remove(id);
                                done(answer, id);
                            });
        }
    }

    private static void done(Consumer<CloudAnswer<?>> answer, Object value) {
        answer.accept(new CloudAnswer.Done<>(value));
    }

    /** Looks, with growing pauses, until a detached interface is free. */
    private void look(String id, long goneNanos, long pause, Consumer<CloudAnswer<?>> answer) {
        ec2.call(
                "DescribeNetworkInterfaces",
                () -> {
                    if (time.now() >= goneNanos) {
                        done(answer, put(get(id), Optional.empty(), get(id).blocks()));
                    } else {
                        long next = Math.min(2 * pause, LAST_LOOK_NANOS);
                        time.after(pause, () -> look(id, goneNanos, next, answer));
                    }
                });
    }

    private CloudInterface make(InterfaceRequest request) {
        return make(Optional.of(request.token()), Optional.empty(), request.blocks());
    }

    private CloudInterface make(
            Optional<String> token, Optional<CloudInterface.Attachment> attachment, int count) {
        String id = "eni-%06d".formatted(made++);
        CloudInterface one =
                new CloudInterface(
                        id,
                        token,
                        "02:00:00:%02x:%02x:%02x"
                                .formatted(made >> 16, made >> 8 & 255, made & 255),
                        SUBNET_ID,
                        SUBNET,
                        addresses(1).getFirst().network(),
                        token.isEmpty(),
                        attachment,
                        fresh(count),
                        true);
        interfaces.put(id, one);
        return one;
    }

    private CloudInterface attach(String id, int index) {
        long here =
                interfaces.values().stream().filter(one -> one.attachment().isPresent()).count();
        require(here < limits.interfaces(), "attaches " + id + " beyond the type's limit");
        return put(get(id), Optional.of(attached(index)), get(id).blocks());
    }

    private List<Cidr> assign(String id, int count) {
        CloudInterface one = get(id);
        List<Cidr> blocks = new ArrayList<>(one.blocks());
        require(
                blocks.size() + count < limits.addressesPerInterface(),
                "assigns to " + id + " beyond the type's limit");
        List<Cidr> more = fresh(count);
        blocks.addAll(more);
        put(one, one.attachment(), blocks);
        return more;
    }

    private void unassign(String id, List<Cidr> leaving) {
        CloudInterface one = get(id);
        List<Cidr> blocks = new ArrayList<>(one.blocks());
        require(blocks.removeAll(leaving), "gives back what " + id + " has not");
        free(leaving);
        put(one, one.attachment(), blocks);
    }

    private CloudInterface put(
            CloudInterface one, Optional<CloudInterface.Attachment> attachment, List<Cidr> blocks) {
        CloudInterface changed =
                new CloudInterface(
                        one.id(),
                        one.token(),
                        one.mac(),
                        one.subnetId(),
                        one.subnet(),
                        one.primaryAddress(),
                        one.primary(),
                        attachment,
                        blocks,
                        one.managed());
        interfaces.put(one.id(), changed);
        return changed;
    }

    private CloudInterface get(String id) {
        return Objects.requireNonNull(interfaces.get(id), id);
    }

    private static CloudInterface.Attachment attached(int index) {
        return new CloudInterface.Attachment(index, CloudInterface.State.ATTACHED);
    }

    private List<Cidr> fresh(int count) {
        ec2.holds(count);
        return addresses(count);
    }

    private void free(List<Cidr> blocks) {
        ec2.holds(-blocks.size());
        blocks.forEach(block -> taken.remove(block.network()));
    }

    /** Round the subnet, so that an address given back is not soon somebody's again. */
    private List<Cidr> addresses(int count) {
        List<Cidr> found = new ArrayList<>();
        while (found.size() < count) {
            IpAddress address = SUBNET.address(nextAddress);
            nextAddress = nextAddress + 2 < SUBNET.size() ? nextAddress + 1 : FIRST_ADDRESS;
            if (taken.add(address)) {
                found.add(Cidr.of(address));
            }
        }
        return found;
    }

    private static void require(boolean kept, String otherwise) {
        if (!kept) {
            throw new IllegalStateException("the planner " + otherwise);
        }
    }
}
