package dev.underlay.cloud.aws;

import static dev.underlay.cloud.aws.Expect.done;
import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.pool.BlockKind;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.InterfaceRequest;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.NodeIdentity;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.InstanceType;

/**
 * A second opinion on shapes, by people who do not know us: moto, the engine inside LocalStack's
 * EC2. It enforces nothing, so it says nothing about limits, lags or faults. Needs {@code
 * moto_server} on the path.
 */
@EnabledIfEnvironmentVariable(
        named = "UNDERLAY_TEST_EC2",
        matches = "moto",
        disabledReason = "UNDERLAY_TEST_EC2=moto runs it; needs moto_server (pip install moto)")
final class MotoTest {
    private Process moto;
    private URI endpoint;
    private FakeMetadata metadata;
    private AwsCloudNetwork network;

    @BeforeEach
    void start() throws IOException {
        int port;
        try (ServerSocket socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }
        moto =
                new ProcessBuilder("moto_server", "-H", "127.0.0.1", "-p", String.valueOf(port))
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start();
        endpoint = URI.create("http://127.0.0.1:" + port);
        awaitListening(port);
        metadata = new FakeMetadata();
        metadata.leaves.put("instance-id", launch());
        network =
                new AwsCloudNetwork(
                        AwsSettings.fromEnvironment(
                                Map.of(
                                        "AWS_ENDPOINT_URL_EC2",
                                        endpoint.toString(),
                                        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                                        metadata.endpoint().toString(),
                                        "AWS_ACCESS_KEY_ID",
                                        "AKID",
                                        "AWS_SECRET_ACCESS_KEY",
                                        "secret")),
                        CloudCallListener.NONE);
    }

    @AfterEach
    void stop() throws InterruptedException {
        if (network != null) {
            network.close();
        }
        if (metadata != null) {
            metadata.close();
        }
        moto.destroy();
        if (!moto.waitFor(5, TimeUnit.SECONDS)) {
            moto.destroyForcibly();
        }
    }

    private static void awaitListening(int port) {
        long limit = System.nanoTime() + Duration.ofSeconds(30).toNanos();
        while (true) {
            try (Socket _ = new Socket(InetAddress.getLoopbackAddress(), port)) {
                return;
            } catch (IOException e) {
                if (System.nanoTime() > limit) {
                    throw new AssertionError("moto_server does not listen", e);
                }
                LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
            }
        }
    }

    private String launch() {
        try (Ec2Client client =
                Ec2Client.builder()
                        .endpointOverride(endpoint)
                        .region(Region.EU_WEST_1)
                        .credentialsProvider(
                                StaticCredentialsProvider.create(
                                        AwsBasicCredentials.create("AKID", "secret")))
                        .httpClientBuilder(UrlConnectionHttpClient.builder())
                        .build()) {
            return client.runInstances(r ->
                            r.imageId("ami-12c6146b")
                                    .instanceType(InstanceType.M5_LARGE)
                                    .minCount(1)
                                    .maxCount(1))
                    .instances()
                    .getFirst()
                    .instanceId();
        }
    }

    @Test
    void an_interface_lives_and_goes() {
        assertThat(done(network.identify()).limits()).isEqualTo(new NodeIdentity.Limits(3, 10));
        CloudInterface primary = done(network.describeInterfaces()).getFirst();
        assertThat(primary.primary()).isTrue();

        CloudInterface made =
                done(
                        network.createInterface(
                                new InterfaceRequest("wish-1", BlockKind.SECONDARY_ADDRESS, 3)));
        assertThat(made.blocks()).hasSize(3).allMatch(b -> made.subnet().contains(b.network()));
        CloudInterface it = done(network.attachInterface(made.id(), 1));

        List<Cidr> added = done(network.assignBlocks(it.id(), BlockKind.SECONDARY_ADDRESS, 2));
        assertThat(added)
                .hasSize(2)
                .noneMatch(made.blocks()::contains)
                .noneMatch(Cidr.of(it.primaryAddress())::equals);
        assertThat(done(network.unassignBlocks(it.id(), added))).isEqualTo(added);
        assertThat(done(network.describeInterfaces()))
                .filteredOn(other -> other.id().equals(it.id()))
                .singleElement()
                .satisfies(now -> {
                    assertThat(now.token()).contains("wish-1");
                    assertThat(now.blocks()).isEqualTo(made.blocks());
                    assertThat(now.primaryAddress().family()).isEqualTo(IpAddress.Family.IPV4);
                });

        assertThat(done(network.detachInterface(it.id())).attachment()).isEmpty();
        assertThat(done(network.deleteInterface(it.id()))).isEqualTo(it.id());
        assertThat(done(network.describeInterfaces())).hasSize(1);
    }
}
