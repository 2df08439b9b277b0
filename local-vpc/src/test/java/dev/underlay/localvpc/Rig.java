package dev.underlay.localvpc;

import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.underlay.localvpc.state.Eni;
import dev.underlay.localvpc.state.Instance;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;

/** A local VPC on virtual time with a recording fabric, one m5.large and the AWS SDK's client. */
final class Rig implements AutoCloseable {
    final VirtualClock clock = new VirtualClock();
    final RecordingFabric fabric;
    final LocalVpc vpc;
    final Dials dials;
    final String subnetA;
    final String subnetB;
    final Instance node;
    final Ec2Client ec2;

    Rig() {
        this(UnaryOperator.identity());
    }

    Rig(UnaryOperator<VpcSpec> change) {
        this(new RecordingFabric(), change);
    }

    Rig(RecordingFabric fabric, UnaryOperator<VpcSpec> change) {
        this.fabric = fabric;
        try {
            vpc = LocalVpc.start(change.apply(VpcSpec.loopback(fabric).withClock(clock)));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        dials = vpc.dials();
        subnetA = vpc.subnets().get(0).id();
        subnetB = vpc.subnets().get(vpc.subnets().size() - 1).id();
        node = vpc.launchInstance("m5.large", subnetA);
        ec2 = client("us-east-1", Duration.ofSeconds(20), 1);
    }

    /** The SDK's client, with as many attempts as given. */
    Ec2Client client(String region, Duration timeout, int attempts) {
        return Ec2Client.builder()
                .endpointOverride(vpc.ec2Endpoint())
                .region(Region.of(region))
                .credentialsProvider(
                        StaticCredentialsProvider.create(
                                AwsBasicCredentials.create("AKIDTEST", "secret")))
                .httpClient(UrlConnectionHttpClient.builder().socketTimeout(timeout).build())
                .overrideConfiguration(c -> c.retryStrategy(retry -> retry.maxAttempts(attempts)))
                .build();
    }

    /** An interface with so many further addresses. */
    String create(int secondaries) {
        return ec2.createNetworkInterface(
                        r -> {
                            r.subnetId(subnetA);
                            if (secondaries > 0) {
                                r.secondaryPrivateIpAddressCount(secondaries);
                            }
                        })
                .networkInterface()
                .networkInterfaceId();
    }

    /** Attaches to the node; the attachment's identifier. */
    String attach(String eniId, int deviceIndex) {
        return ec2.attachNetworkInterface(r ->
                        r.networkInterfaceId(eniId).instanceId(node.id()).deviceIndex(deviceIndex))
                .attachmentId();
    }

    /** An interface's state, past all lags. */
    Eni eni(String eniId) {
        return vpc.interfaces().stream()
                .filter(eni -> eni.id().equals(eniId))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + eniId));
    }

    List<String> blocks(String eniId) {
        return eni(eniId).blocks().stream().map(Object::toString).toList();
    }

    void advance(Duration by) {
        clock.advance(by);
        vpc.settle();
    }

    /** The code of the error that the call ends with. */
    static String codeOf(ThrowingCallable call) {
        return errorOf(call).awsErrorDetails().errorCode();
    }

    static Ec2Exception errorOf(ThrowingCallable call) {
        Ec2Exception error = catchThrowableOfType(Ec2Exception.class, call);
        if (error == null) {
            throw new AssertionError("the call was not refused");
        }
        return error;
    }

    @Override
    public void close() {
        ec2.close();
        vpc.close();
    }
}
