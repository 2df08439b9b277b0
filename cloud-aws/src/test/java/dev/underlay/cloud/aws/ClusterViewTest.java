package dev.underlay.cloud.aws;

import static dev.underlay.cloud.aws.Expect.done;
import static dev.underlay.cloud.aws.Expect.refused;
import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.localvpc.LocalVpc;
import dev.underlay.localvpc.VpcSpec;
import dev.underlay.localvpc.state.Instance;
import dev.underlay.pool.BlockKind;
import dev.underlay.pool.InterfaceRequest;
import dev.underlay.pool.Refusal;
import dev.underlay.pool.UnattachedInterface;
import dev.underlay.pool.UnattachedInterface.Made;
import java.io.IOException;
import java.net.URI;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.ResourceType;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.TagSpecification;

/** What ended nodes left, as another node of the cluster sees it; against the strict VPC. */
final class ClusterViewTest {
    private LocalVpc vpc;
    private Instance instance;
    private AwsCloudNetwork network;
    private Ec2Client raw;

    @BeforeEach
    void start() throws IOException {
        vpc = LocalVpc.start(VpcSpec.loopback(new StrictVpcTest.NoPackets()));
        instance = vpc.launchInstance("m5.large", vpc.subnets().getFirst().id());
        network = network("blue");
        raw =
                Ec2Client.builder()
                        .region(Region.US_EAST_1)
                        .endpointOverride(URI.create(vpc.ec2Endpoint().toString()))
                        .credentialsProvider(
                                StaticCredentialsProvider.create(
                                        AwsBasicCredentials.create("AKID", "secret")))
                        .build();
    }

    @AfterEach
    void stop() {
        raw.close();
        network.close();
        vpc.close();
    }

    private AwsCloudNetwork network(String cluster) {
        Map<String, String> environment =
                new HashMap<>(
                        Map.of(
                                "AWS_ENDPOINT_URL_EC2",
                                vpc.ec2Endpoint().toString(),
                                "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                                vpc.metadataEndpoint().toString(),
                                "AWS_ACCESS_KEY_ID",
                                "AKID",
                                "AWS_SECRET_ACCESS_KEY",
                                "secret",
                                "CLUSTER_NAME",
                                cluster));
        return new AwsCloudNetwork(
                AwsSettings.fromEnvironment(environment),
                CloudCallListener.NONE,
                Expect.FAST,
                CallPolicy.METADATA,
                Runnable::run);
    }

    private String left(Map<String, String> tags) {
        return raw.createNetworkInterface(r ->
                        r.subnetId(vpc.subnets().getFirst().id())
                                .tagSpecifications(
                                        TagSpecification.builder()
                                                .resourceType(ResourceType.NETWORK_INTERFACE)
                                                .tags(
                                                        tags.entrySet().stream()
                                                                .map(e ->
                                                                        Tag.builder()
                                                                                .key(e.getKey())
                                                                                .value(e.getValue())
                                                                                .build())
                                                                .toList())
                                                .build()))
                .networkInterface()
                .networkInterfaceId();
    }

    private String left(String cluster, String made) {
        Map<String, String> tags =
                new HashMap<>(Map.of(Tags.INSTANCE_ID, "i-gone", Tags.CLUSTER, cluster));
        if (!made.isEmpty()) {
            tags.put(Tags.CREATED_AT, made);
        }
        return left(tags);
    }

    @Test
    void what_is_attached_to_nothing_is_shown_with_its_age() {
        String old = left("blue", "2026-11-25T10:00:00Z");
        String odd = left("blue", "long ago");
        String untold = left("blue", "");
        left("green", "2026-11-25T10:00:00Z");
        left(Map.of(Tags.CLUSTER, "blue")); // made for no node
        left(
                Map.of(
                        Tags.INSTANCE_ID, "i-gone",
                        Tags.CLUSTER, "blue",
                        Tags.NO_MANAGE, "true"));
        String own =
                done(network.createInterface(
                                new InterfaceRequest("wish-1", BlockKind.SECONDARY_ADDRESS, 0)))
                        .id();
        String attached =
                done(network.createInterface(
                                new InterfaceRequest("wish-2", BlockKind.SECONDARY_ADDRESS, 0)))
                        .id();
        done(network.attachInterface(attached, 1));

        List<UnattachedInterface> all = done(network.unattached());

        assertThat(all)
                .extracting(UnattachedInterface::id)
                .containsExactlyInAnyOrder(old, odd, untold, own);
        assertThat(all)
                .contains(
                        new UnattachedInterface(
                                old, "i-gone", new Made.At(Instant.parse("2026-11-25T10:00:00Z"))),
                        new UnattachedInterface(odd, "i-gone", new Made.Unreadable("long ago")),
                        new UnattachedInterface(untold, "i-gone", new Made.Untold()));
        assertThat(all)
                .filteredOn(one -> one.id().equals(own))
                .allSatisfy(one -> {
                    assertThat(one.instanceId()).isEqualTo(instance.id());
                    assertThat(one.made()).isInstanceOf(Made.At.class);
                });
    }

    @Test
    void a_date_that_is_written_is_read_again() {
        String untold = left("blue", "");
        Instant now = Instant.parse("2026-11-25T12:00:00.5Z");

        done(network.dateInterface(untold, now));

        assertThat(done(network.unattached()))
                .containsExactly(
                        new UnattachedInterface(
                                untold,
                                "i-gone",
                                new Made.At(Instant.parse("2026-11-25T12:00:00Z"))));
    }

    @Test
    void what_is_left_goes_and_what_is_gone_already_counts_as_gone() {
        String old = left("blue", "2026-11-25T10:00:00Z");

        assertThat(done(network.deleteUnattached(old))).isEqualTo(old);
        assertThat(done(network.deleteUnattached(old))).isEqualTo(old);

        vpc.assertClean();
    }

    @Test
    void what_somebody_attached_meanwhile_stays() {
        String busy =
                done(network.createInterface(
                                new InterfaceRequest("wish-1", BlockKind.SECONDARY_ADDRESS, 0)))
                        .id();
        done(network.attachInterface(busy, 1));

        assertThat(refused(network.deleteUnattached(busy)).refusal()).isEqualTo(Refusal.BUSY);

        assertThat(vpc.interfaces()).anyMatch(eni -> eni.id().equals(busy));
    }

    @Test
    void without_a_clusters_name_nothing_is_looked_for() {
        try (AwsCloudNetwork nameless = network("")) {
            assertThat(refused(nameless.unattached()))
                    .satisfies(no -> {
                        assertThat(no.refusal()).isEqualTo(Refusal.MISCONFIGURED);
                        assertThat(no.message()).contains("CLUSTER_NAME is not set");
                    });
        }
    }
}
