package dev.underlay.cloud.aws;

import dev.underlay.pool.Refusal;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.Proxy;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The instance metadata service, version 2 only: a session token is fetched with PUT and sent with
 * every GET; there is no way back to version 1.
 *
 * <p>Why not the SDK's own client ({@code software.amazon.awssdk:imds}, tried in 2.42.2 beside core
 * 2.57.8): when the service forgets its tokens, every read fails with 401 until the old token's end
 * of life, up to six hours; the first read loads 1,141 classes in 180 ms, this one 371 in 50; and
 * it is released out of step with the rest.
 *
 * <p>Source: EC2 user guide, "Use the Instance Metadata Service to access instance metadata".
 */
final class MetadataClient {
    /** The longest life a token may have, seconds. */
    private static final int TOKEN_SECONDS = 21_600;

    /** When a token is replaced: with a tenth of its life left. */
    private static final Duration RENEW_AFTER = Duration.ofSeconds(TOKEN_SECONDS * 9L / 10);

    private static final String TOKEN_HEADER = "X-aws-ec2-metadata-token";
    private static final String TTL_HEADER = "X-aws-ec2-metadata-token-ttl-seconds";
    private static final String ACTION = "Metadata";

    /** The longest answer that is read; the longest real one is a few hundred bytes. */
    private static final int MAX_ANSWER_BYTES = 64 * 1024;

    private final URI endpoint;
    private final CallPolicy policy;
    private final CallGuard guard;
    private volatile @Nullable Token token;

    private record Token(String value, long renewAtNanos) {}

    private record Answer(int status, String body) {}

    MetadataClient(URI endpoint, CallPolicy policy, CallGuard guard) {
        this.endpoint = endpoint;
        this.policy = policy;
        this.guard = guard;
    }

    /**
     * Reads one value.
     *
     * @param path below {@code /latest/meta-data/}
     * @throws CallFailure with {@link Refusal#GONE} when there is no such leaf, or no value yet
     */
    String leaf(String path, Deadline deadline) throws CallFailure {
        String body = guard.call(ACTION, path, CallGuard.Kind.READ, deadline, () -> get(path));
        if (body.isEmpty()) {
            throw CallFailure.certain(
                    Refusal.GONE, "the metadata service has no value yet for " + path);
        }
        return body;
    }

    /** Reads a list, one value a line; the service answers 404 for an empty one. */
    List<String> list(String path, Deadline deadline) throws CallFailure {
        try {
            return leaf(path, deadline)
                    .lines()
                    .map(String::strip)
                    .filter(l -> !l.isEmpty())
                    .toList();
        } catch (CallFailure failure) {
            if (failure.refusal() == Refusal.GONE) {
                return List.of();
            }
            throw failure;
        }
    }

    private String get(String path) throws CallFailure {
        Answer answer = send("GET", "/latest/meta-data/" + path, TOKEN_HEADER, token());
        if (answer.status() == HttpURLConnection.HTTP_UNAUTHORIZED) {
            token = null; // it ran out, or the service forgot it: one new one, at once
            answer = send("GET", "/latest/meta-data/" + path, TOKEN_HEADER, token());
        }
        return switch (answer.status()) {
            case HttpURLConnection.HTTP_OK -> answer.body().strip();
            case HttpURLConnection.HTTP_NOT_FOUND ->
                    throw CallFailure.certain(Refusal.GONE, "the metadata service has no " + path);
            default -> throw failure(path, answer.status());
        };
    }

    private String token() throws CallFailure {
        Token current = token;
        if (current != null && current.renewAtNanos() - System.nanoTime() > 0) {
            return current.value();
        }
        // Two threads may both fetch one; each of the two is good.
        String path = "/latest/api/token";
        Answer answer = send("PUT", path, TTL_HEADER, String.valueOf(TOKEN_SECONDS));
        if (answer.status() != HttpURLConnection.HTTP_OK || answer.body().isBlank()) {
            throw failure(path, answer.status());
        }
        String value = answer.body().strip();
        token = new Token(value, System.nanoTime() + RENEW_AFTER.toNanos());
        return value;
    }

    private CallFailure failure(String path, int status) {
        String what = "the metadata service answered " + path + " with " + status;
        return switch (status) {
            case HttpURLConnection.HTTP_FORBIDDEN ->
                    CallFailure.certain(
                            Refusal.NOT_PERMITTED,
                            what + "; enable the instance's metadata endpoint (HttpEndpoint)");
            case HttpURLConnection.HTTP_BAD_REQUEST, HttpURLConnection.HTTP_UNAUTHORIZED ->
                    CallFailure.certain(
                            Refusal.MISCONFIGURED,
                            what + "; is " + endpoint + " really a metadata service?");
            default -> CallFailure.ambiguous(what, null);
        };
    }

    private Answer send(String method, String path, String header, String value)
            throws CallFailure {
        try {
            // Never through a proxy: it would answer for the machine it runs on.
            HttpURLConnection connection =
                    (HttpURLConnection)
                            endpoint.resolve(path).toURL().openConnection(Proxy.NO_PROXY);
            connection.setConnectTimeout((int) policy.connectTimeout().toMillis());
            connection.setReadTimeout((int) policy.attemptTimeout().toMillis());
            connection.setInstanceFollowRedirects(false);
            connection.setUseCaches(false);
            connection.setRequestMethod(method);
            connection.setRequestProperty(header, value);
            int status = connection.getResponseCode();
            try (InputStream body =
                    status < HttpURLConnection.HTTP_BAD_REQUEST
                            ? connection.getInputStream()
                            : connection.getErrorStream()) {
                String text =
                        body == null
                                ? ""
                                : new String(
                                        body.readNBytes(MAX_ANSWER_BYTES), StandardCharsets.UTF_8);
                return new Answer(status, text);
            }
        } catch (IOException e) {
            throw CallFailure.ambiguous(
                    "the metadata service at "
                            + endpoint
                            + " did not answer "
                            + path
                            + ": "
                            + e.getMessage()
                            + "; in a container without the host's network raise the instance's"
                            + " metadata hop limit to 2",
                    e);
        }
    }
}
