package dev.underlay.cloud.aws;

import java.net.URI;
import java.util.Map;
import java.util.Optional;

/**
 * Where EC2 and the metadata service are and who we are to them.
 *
 * @param ec2Endpoint another place than the region's own EC2, for a local VPC or a proxy
 * @param region the region; without it the metadata service says
 * @param keys fixed credentials; without them the SDK's default chain finds some
 * @param metadataEndpoint the metadata service, without a path
 * @param clusterName the cluster's name, written as a tag on what we make
 * @param subnetDiscovery whether interfaces are also made in other subnets of the zone, by tags
 */
public record AwsSettings(
        Optional<URI> ec2Endpoint,
        Optional<String> region,
        Optional<Keys> keys,
        URI metadataEndpoint,
        Optional<String> clusterName,
        boolean subnetDiscovery) {
    private static final String SUBNET_DISCOVERY = "ENABLE_SUBNET_DISCOVERY";

    /** EC2 user guide, "Retrieve instance metadata": the IPv4 address of the service. */
    private static final String METADATA_ENDPOINT = "http://169.254.169.254";

    /**
     * Fixed credentials. They never appear in a text form.
     *
     * @param accessKeyId the public half
     * @param secretAccessKey the secret half
     * @param sessionToken present for temporary credentials
     */
    public record Keys(String accessKeyId, String secretAccessKey, Optional<String> sessionToken) {
        @Override
        public String toString() {
            return "Keys[" + accessKeyId + "]";
        }
    }

    /**
     * Reads the SDK's standard variables ({@code AWS_ENDPOINT_URL_EC2}, {@code AWS_ENDPOINT_URL},
     * {@code AWS_REGION}, {@code AWS_ACCESS_KEY_ID}, {@code AWS_SECRET_ACCESS_KEY}, {@code
     * AWS_SESSION_TOKEN}, {@code AWS_EC2_METADATA_SERVICE_ENDPOINT}), {@code CLUSTER_NAME} and
     * {@code ENABLE_SUBNET_DISCOVERY}. An empty value counts as absent.
     *
     * @throws IllegalArgumentException when an endpoint is not a URI or the flag none; the message
     *     names the variable
     */
    public static AwsSettings fromEnvironment(Map<String, String> environment) {
        Optional<String> accessKeyId = value(environment, "AWS_ACCESS_KEY_ID");
        Optional<String> secret = value(environment, "AWS_SECRET_ACCESS_KEY");
        Optional<Keys> keys =
                accessKeyId.isPresent() && secret.isPresent()
                        ? Optional.of(
                                new Keys(
                                        accessKeyId.get(),
                                        secret.get(),
                                        value(environment, "AWS_SESSION_TOKEN")))
                        : Optional.empty();
        return new AwsSettings(
                uri(environment, "AWS_ENDPOINT_URL_EC2")
                        .or(() -> uri(environment, "AWS_ENDPOINT_URL")),
                value(environment, "AWS_REGION"),
                keys,
                uri(environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT")
                        .orElse(URI.create(METADATA_ENDPOINT)),
                value(environment, "CLUSTER_NAME"),
                subnetDiscovery(value(environment, SUBNET_DISCOVERY).orElse("true")));
    }

    private static boolean subnetDiscovery(String text) {
        return switch (text) {
            case "1", "t", "T", "true", "TRUE", "True" -> true;
            case "0", "f", "F", "false", "FALSE", "False" -> false;
            default ->
                    throw new IllegalArgumentException(
                            "%s is \"%s\": it must be true or false; correct or unset it"
                                    .formatted(SUBNET_DISCOVERY, text));
        };
    }

    private static Optional<String> value(Map<String, String> environment, String name) {
        return Optional.ofNullable(environment.get(name)).filter(text -> !text.isEmpty());
    }

    private static Optional<URI> uri(Map<String, String> environment, String name) {
        return value(environment, name)
                .map(text -> {
                    URI uri;
                    try {
                        uri = URI.create(text);
                    } catch (IllegalArgumentException e) {
                        throw new IllegalArgumentException(name + "=" + text + " is not a URI", e);
                    }
                    if (uri.getScheme() == null || uri.getHost() == null) {
                        throw new IllegalArgumentException(
                                name + "=" + text + ": write it as http://host:port");
                    }
                    return uri;
                });
    }
}
