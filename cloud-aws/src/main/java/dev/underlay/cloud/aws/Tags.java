package dev.underlay.cloud.aws;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import software.amazon.awssdk.services.ec2.model.ResourceType;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.TagSpecification;

/**
 * The tags on what we make. All but the token are the AWS VPC CNI's, so that its tools, IAM
 * conditions and cleaners see what they expect.
 */
final class Tags {
    /** Which instance it was made for. */
    static final String INSTANCE_ID = "node.k8s.amazonaws.com/instance_id";

    /** When it was made, RFC 3339, UTC, seconds. */
    static final String CREATED_AT = "node.k8s.amazonaws.com/createdAt";

    /** Which cluster it was made for. */
    static final String CLUSTER = "cluster.k8s.amazonaws.com/name";

    /** {@code true} keeps our hands off an interface; no other value does. */
    static final String NO_MANAGE = "node.k8s.amazonaws.com/no_manage";

    /** The wish it was made from: also its client token. */
    static final String TOKEN = "underlay/token";

    private Tags() {}

    static TagSpecification ofInterface(
            String instanceId, String token, Optional<String> cluster, Instant now) {
        List<Tag> tags = new ArrayList<>();
        tags.add(tag(INSTANCE_ID, instanceId));
        tags.add(tag(CREATED_AT, now.truncatedTo(ChronoUnit.SECONDS).toString()));
        tags.add(tag(TOKEN, token));
        cluster.ifPresent(name -> tags.add(tag(CLUSTER, name)));
        return TagSpecification.builder()
                .resourceType(ResourceType.NETWORK_INTERFACE)
                .tags(tags)
                .build();
    }

    static Optional<String> value(List<Tag> tags, String key) {
        return tags.stream().filter(tag -> key.equals(tag.key())).map(Tag::value).findFirst();
    }

    private static Tag tag(String key, String value) {
        return Tag.builder().key(key).value(value).build();
    }
}
