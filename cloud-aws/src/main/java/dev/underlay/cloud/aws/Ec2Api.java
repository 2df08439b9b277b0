package dev.underlay.cloud.aws;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.BiFunction;
import java.util.function.Function;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.client.config.SdkAdvancedClientOption;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.Ec2ClientBuilder;
import software.amazon.awssdk.services.ec2.model.Ec2Request;

/**
 * The SDK's client with everything about it that is a choice of ours: one attempt a request (the
 * guard repeats), a deadline for every attempt, the JDK's own HTTP.
 */
final class Ec2Api implements AutoCloseable {
    private final Ec2Client client;
    private final ScheduledExecutorService timeouts;
    private final CallPolicy policy;
    private final CallGuard guard;

    Ec2Api(AwsSettings settings, String region, CallPolicy policy, CallGuard guard) {
        this.policy = policy;
        this.guard = guard;
        this.timeouts =
                Executors.newSingleThreadScheduledExecutor(
                        task -> Thread.ofPlatform().name("ec2-timeouts").daemon().unstarted(task));
        Ec2ClientBuilder builder =
                Ec2Client.builder()
                        .region(Region.of(region))
                        .credentialsProvider(credentials(settings))
                        .httpClientBuilder(
                                UrlConnectionHttpClient.builder()
                                        .connectionTimeout(policy.connectTimeout())
                                        .socketTimeout(policy.attemptTimeout()))
                        .overrideConfiguration(c ->
                                c.retryStrategy(AwsRetryStrategy.doNotRetry())
                                        .scheduledExecutorService(timeouts)
                                        .putAdvancedOption(
                                                SdkAdvancedClientOption.USER_AGENT_SUFFIX,
                                                "underlay"));
        settings.ec2Endpoint().ifPresent(builder::endpointOverride);
        this.client = builder.build();
    }

    /**
     * Makes one request through the guard.
     *
     * @param thing what it is about, for messages
     * @param request all of it but the time it may take
     * @param method the client's method for it
     * @param reader makes a value of the answer; where the answer lacks something it throws {@link
     *     IllegalArgumentException}, and the outcome counts as ambiguous
     */
    <Q extends Ec2Request, A, T> T call(
            Ec2Action action,
            String thing,
            Deadline deadline,
            Q request,
            BiFunction<Ec2Client, Q, A> method,
            Function<A, T> reader)
            throws CallFailure {
        return guard.call(
                action.wireName(),
                thing,
                action.kind(),
                deadline,
                () -> {
                    try {
                        return reader.apply(method.apply(client, within(deadline, request)));
                    } catch (SdkException e) {
                        throw Ec2Errors.read(action, thing, e);
                    } catch (IllegalArgumentException e) {
                        throw Ec2Errors.unreadable(action, thing, e);
                    }
                });
    }

    @Override
    public void close() {
        client.close();
        timeouts.shutdownNow();
    }

    /** The same request with the time an attempt may take. */
    @SuppressWarnings("unchecked") // a request's builder builds a request of the same class
    private <Q extends Ec2Request> Q within(Deadline deadline, Q request) {
        Duration left = deadline.left();
        Duration attempt = policy.attemptTimeout();
        return (Q)
                request.toBuilder()
                        .overrideConfiguration(
                                AwsRequestOverrideConfiguration.builder()
                                        .apiCallTimeout(
                                                left.compareTo(attempt) < 0
                                                        ? left.plusMillis(1)
                                                        : attempt)
                                        .build())
                        .build();
    }

    private static AwsCredentialsProvider credentials(AwsSettings settings) {
        if (settings.keys().isEmpty()) {
            return DefaultCredentialsProvider.builder().build();
        }
        AwsSettings.Keys keys = settings.keys().get();
        AwsCredentials fixed =
                keys.sessionToken().isPresent()
                        ? AwsSessionCredentials.create(
                                keys.accessKeyId(),
                                keys.secretAccessKey(),
                                keys.sessionToken().get())
                        : AwsBasicCredentials.create(keys.accessKeyId(), keys.secretAccessKey());
        return StaticCredentialsProvider.create(fixed);
    }
}
