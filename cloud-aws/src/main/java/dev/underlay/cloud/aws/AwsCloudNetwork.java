package dev.underlay.cloud.aws;

import dev.underlay.pool.BlockKind;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudAnswer;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.CloudNetwork;
import dev.underlay.pool.ClusterInterfaces;
import dev.underlay.pool.InterfaceRequest;
import dev.underlay.pool.NodeIdentity;
import dev.underlay.pool.Refusal;
import dev.underlay.pool.UnattachedInterface;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The node's network on AWS: EC2 for what is and what shall be, the metadata service only for who
 * this node is and for the VPC's CIDRs.
 *
 * <p>Metadata is never believed over the API: interfaces and addresses are read from EC2 alone.
 */
public final class AwsCloudNetwork implements CloudNetwork, ClusterInterfaces, AutoCloseable {
    private final AwsSettings settings;
    private final CloudCallListener listener;
    private final CallPolicy policy;
    private final CallPolicy metadataPolicy;
    private final Executor after;
    private final ReentrantLock opening = new ReentrantLock();
    private volatile @Nullable NodeMetadata metadata;
    private volatile @Nullable Ec2Network ec2;
    private volatile boolean closed;

    /**
     * Remembers its arguments and does nothing else: no class of the SDK is loaded and nothing is
     * sent before the first call.
     *
     * @param listener hears of every attempt at a call; {@link CloudCallListener#NONE} for nobody
     */
    public AwsCloudNetwork(AwsSettings settings, CloudCallListener listener) {
        this(
                settings,
                listener,
                CallPolicy.EC2,
                CallPolicy.METADATA,
                work -> Thread.ofVirtual().name("after-answer").start(work));
    }

    /**
     * @param after runs what may follow an answer
     */
    AwsCloudNetwork(
            AwsSettings settings,
            CloudCallListener listener,
            CallPolicy policy,
            CallPolicy metadataPolicy,
            Executor after) {
        this.settings = settings;
        this.listener = listener;
        this.policy = policy;
        this.metadataPolicy = metadataPolicy;
        this.after = after;
    }

    @Override
    public CloudAnswer<NodeIdentity> identify() {
        return answer(
                policy.callDeadline(),
                deadline -> {
                    NodeMetadata.Fixed fixed = metadata().fixed(deadline);
                    List<Cidr> cidrs = metadata().networkCidrs(deadline);
                    return new NodeIdentity(
                            fixed.instanceId(),
                            fixed.instanceType(),
                            fixed.zone(),
                            fixed.primaryInterfaceId(),
                            fixed.primaryMac(),
                            fixed.primaryAddress(),
                            metadata().primaryIpv6(deadline),
                            cidrs,
                            ec2(deadline).limits(fixed.instanceType()));
                });
    }

    @Override
    public CloudAnswer<List<CloudInterface>> describeInterfaces() {
        return answer(policy.callDeadline(), deadline -> ec2(deadline).describe(deadline));
    }

    @Override
    public CloudAnswer<List<Cidr>> networkCidrs() {
        return answer(metadataPolicy.callDeadline(), deadline -> metadata().networkCidrs(deadline));
    }

    @Override
    public CloudAnswer<CloudInterface> createInterface(InterfaceRequest request) {
        return answer(policy.callDeadline(), deadline -> ec2(deadline).create(request, deadline));
    }

    @Override
    public CloudAnswer<CloudInterface> attachInterface(String interfaceId, int deviceIndex) {
        return answer(
                policy.callDeadline(),
                deadline -> ec2(deadline).attach(interfaceId, deviceIndex, deadline));
    }

    @Override
    public CloudAnswer<List<Cidr>> assignBlocks(String interfaceId, BlockKind kind, int count) {
        if (count < 1) {
            throw new IllegalArgumentException("assign " + count + " blocks");
        }
        return answer(
                policy.callDeadline(),
                deadline -> ec2(deadline).assign(interfaceId, kind, count, deadline));
    }

    @Override
    public CloudAnswer<List<Cidr>> unassignBlocks(String interfaceId, List<Cidr> blocks) {
        if (blocks.isEmpty()) {
            return new CloudAnswer.Done<>(List.of());
        }
        return answer(
                policy.callDeadline(),
                deadline -> ec2(deadline).unassign(interfaceId, blocks, deadline));
    }

    @Override
    public CloudAnswer<CloudInterface> detachInterface(String interfaceId) {
        return answer(
                policy.detachDeadline(), deadline -> ec2(deadline).detach(interfaceId, deadline));
    }

    @Override
    public CloudAnswer<String> deleteInterface(String interfaceId) {
        return answer(
                policy.callDeadline(), deadline -> ec2(deadline).delete(interfaceId, deadline));
    }

    @Override
    public CloudAnswer<List<UnattachedInterface>> unattached() {
        return answer(
                policy.callDeadline(), deadline -> ec2(deadline).cluster().unattached(deadline));
    }

    @Override
    public CloudAnswer<String> dateInterface(String interfaceId, Instant made) {
        return answer(
                policy.callDeadline(),
                deadline -> ec2(deadline).cluster().date(interfaceId, made, deadline));
    }

    @Override
    public CloudAnswer<String> deleteUnattached(String interfaceId) {
        return answer(
                policy.callDeadline(),
                deadline -> ec2(deadline).cluster().delete(interfaceId, deadline));
    }

    /**
     * No request to EC2 starts after this; those under way end by themselves or by their timeout.
     */
    @Override
    public void close() {
        opening.lock();
        try {
            closed = true;
            Ec2Network open = ec2;
            if (open != null) {
                open.close();
            }
        } finally {
            opening.unlock();
        }
    }

    @FunctionalInterface
    private interface Work<T> {
        T run(Deadline deadline) throws CallFailure;
    }

    private static <T> CloudAnswer<T> answer(Duration time, Work<T> work) {
        try {
            return new CloudAnswer.Done<>(work.run(Deadline.in(time)));
        } catch (CallFailure failure) {
            return new CloudAnswer.Refused<>(failure.refusal(), failure.getMessage());
        }
    }

    private NodeMetadata metadata() {
        NodeMetadata open = metadata;
        if (open != null) {
            return open;
        }
        opening.lock();
        try {
            NodeMetadata mine = metadata;
            if (mine == null) {
                CallGuard guard = new CallGuard("metadata", metadataPolicy, listener);
                mine =
                        new NodeMetadata(
                                new MetadataClient(
                                        settings.metadataEndpoint(), metadataPolicy, guard));
                metadata = mine;
            }
            return mine;
        } finally {
            opening.unlock();
        }
    }

    private Ec2Network ec2(Deadline deadline) throws CallFailure {
        Ec2Network open = ec2;
        if (open != null) {
            return open;
        }
        String instanceId = metadata().fixed(deadline).instanceId();
        String region =
                settings.region().isPresent()
                        ? settings.region().get()
                        : metadata().region(deadline);
        opening.lock();
        try {
            if (closed) {
                throw CallFailure.certain(Refusal.UNAVAILABLE, "EC2 is not called: shutting down");
            }
            Ec2Network mine = ec2;
            if (mine == null) {
                CallGuard guard = new CallGuard("EC2", policy, listener);
                mine =
                        new Ec2Network(
                                new Ec2Api(settings, region, policy, guard),
                                guard,
                                instanceId,
                                settings.clusterName(),
                                new NodeSubnets(
                                        settings.subnetDiscovery(),
                                        settings.clusterName(),
                                        () -> ThreadLocalRandom.current().nextDouble()),
                                policy,
                                after);
                ec2 = mine;
            }
            return mine;
        } finally {
            opening.unlock();
        }
    }
}
