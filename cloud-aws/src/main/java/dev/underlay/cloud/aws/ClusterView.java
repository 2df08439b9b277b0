package dev.underlay.cloud.aws;

import dev.underlay.pool.Refusal;
import dev.underlay.pool.UnattachedInterface;
import dev.underlay.pool.UnattachedInterface.Made;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.CreateTagsRequest;
import software.amazon.awssdk.services.ec2.model.DeleteNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceStatus;
import software.amazon.awssdk.services.ec2.model.Tag;

/**
 * Interfaces of the whole cluster that are attached to nothing, ours and the AWS VPC CNI's, by the
 * tags that both write.
 */
final class ClusterView {
    private final Ec2Api ec2;
    private final Optional<String> clusterName;

    ClusterView(Ec2Api ec2, Optional<String> clusterName) {
        this.ec2 = ec2;
        this.clusterName = clusterName;
    }

    List<UnattachedInterface> unattached(Deadline deadline) throws CallFailure {
        String cluster =
                clusterName.orElseThrow(() ->
                        CallFailure.certain(
                                Refusal.MISCONFIGURED,
                                "CLUSTER_NAME is not set, so the cluster's interfaces cannot be"
                                        + " told from others; set it"));
        return DescribedInterfaces.by(
                        ec2,
                        "status=available in cluster " + cluster,
                        List.of(
                                filter("status", NetworkInterfaceStatus.AVAILABLE.toString()),
                                filter("tag:" + Tags.CLUSTER, cluster),
                                filter("tag-key", Tags.INSTANCE_ID)),
                        deadline)
                .stream()
                .filter(ClusterView::ours)
                .map(ClusterView::read)
                .toList();
    }

    String date(String interfaceId, Instant made, Deadline deadline) throws CallFailure {
        return ec2.call(
                Ec2Action.CREATE_TAGS,
                interfaceId,
                deadline,
                CreateTagsRequest.builder()
                        .resources(interfaceId)
                        .tags(
                                Tag.builder()
                                        .key(Tags.CREATED_AT)
                                        .value(made.truncatedTo(ChronoUnit.SECONDS).toString())
                                        .build())
                        .build(),
                Ec2Client::createTags,
                _ -> interfaceId);
    }

    /** A call whose outcome is unknown is not looked after: the next look shows it. */
    String delete(String interfaceId, Deadline deadline) throws CallFailure {
        try {
            return ec2.call(
                    Ec2Action.DELETE_NETWORK_INTERFACE,
                    interfaceId,
                    deadline,
                    DeleteNetworkInterfaceRequest.builder().networkInterfaceId(interfaceId).build(),
                    Ec2Client::deleteNetworkInterface,
                    _ -> interfaceId);
        } catch (CallFailure failure) {
            if (failure.refusal() != Refusal.GONE) {
                throw failure;
            }
            return interfaceId;
        }
    }

    private static Filter filter(String name, String value) {
        return Filter.builder().name(name).values(value).build();
    }

    /** The filters again, against a service that does not know one, and who asked to be let be. */
    private static boolean ours(NetworkInterface it) {
        return it.status() == NetworkInterfaceStatus.AVAILABLE
                && Tags.value(it.tagSet(), Tags.INSTANCE_ID).isPresent()
                && Tags.value(it.tagSet(), Tags.NO_MANAGE).filter("true"::equals).isEmpty();
    }

    private static UnattachedInterface read(NetworkInterface it) {
        return new UnattachedInterface(
                it.networkInterfaceId(),
                Tags.value(it.tagSet(), Tags.INSTANCE_ID).orElseThrow(),
                Tags.value(it.tagSet(), Tags.CREATED_AT)
                        .map(ClusterView::made)
                        .orElseGet(Made.Untold::new));
    }

    private static Made made(String text) {
        try {
            return new Made.At(OffsetDateTime.parse(text).toInstant());
        } catch (DateTimeException e) {
            return new Made.Unreadable(text);
        }
    }
}
