package dev.underlay.cloud.aws;

import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.CloudInterface.Attachment;
import dev.underlay.pool.IpAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.GroupIdentifier;
import software.amazon.awssdk.services.ec2.model.Ipv4PrefixSpecification;
import software.amazon.awssdk.services.ec2.model.Ipv6PrefixSpecification;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceAttachment;
import software.amazon.awssdk.services.ec2.model.NetworkInterfacePrivateIpAddress;

/**
 * One interface of this node: what the port shows of it and what only EC2's calls need.
 *
 * @param cloud what the port shows
 * @param attachmentId the attachment's name, present while it is attached
 * @param endsWithInstance whether EC2 deletes it when the instance ends; true while unattached
 * @param groups the names of its security groups
 */
record NodeInterface(
        CloudInterface cloud,
        Optional<String> attachmentId,
        boolean endsWithInstance,
        List<String> groups) {
    /** Types that carry IP traffic and belong to whoever made them; the rest is left alone. */
    private static final Set<String> USABLE_TYPES = Set.of("interface", "efa");

    /** The card whose device indexes are ours; index 0 on it is the primary interface. */
    private static final int DEFAULT_CARD = 0;

    NodeInterface {
        groups = List.copyOf(groups);
    }

    /** The same interface with other blocks. */
    NodeInterface withBlocks(List<Cidr> blocks) {
        return new NodeInterface(
                copy(cloud.token(), cloud.attachment(), blocks),
                attachmentId,
                endsWithInstance,
                groups);
    }

    /** The same interface, known to be made from a wish. */
    NodeInterface withToken(String token) {
        return new NodeInterface(
                copy(Optional.of(token), cloud.attachment(), cloud.blocks()),
                attachmentId,
                endsWithInstance,
                groups);
    }

    /** The same interface, just attached; EC2 does not delete it with the instance yet. */
    NodeInterface attached(int deviceIndex, String attachment) {
        Attachment place = new Attachment(deviceIndex, CloudInterface.State.ATTACHED);
        return new NodeInterface(
                copy(cloud.token(), Optional.of(place), cloud.blocks()),
                Optional.of(attachment),
                false,
                groups);
    }

    /** The same interface, attached to nothing. */
    NodeInterface detached() {
        return new NodeInterface(
                copy(cloud.token(), Optional.empty(), cloud.blocks()),
                Optional.empty(),
                true,
                groups);
    }

    private CloudInterface copy(
            Optional<String> token, Optional<Attachment> attachment, List<Cidr> blocks) {
        return new CloudInterface(
                cloud.id(),
                token,
                cloud.mac(),
                cloud.subnetId(),
                cloud.subnet(),
                cloud.primaryAddress(),
                cloud.primary(),
                attachment,
                blocks,
                cloud.managed());
    }

    /** False for one that is attached to another instance, whatever its tags say. */
    static boolean belongsTo(NetworkInterface it, String instanceId) {
        NetworkInterfaceAttachment attachment = it.attachment();
        return attachment == null
                || attachment.instanceId() == null
                || attachment.instanceId().equals(instanceId);
    }

    /**
     * Reads EC2's description.
     *
     * @throws IllegalArgumentException when it lacks something that every interface has
     */
    static NodeInterface read(NetworkInterface it, Cidr subnet) {
        IpAddress primaryAddress =
                IpAddress.parse(needed("privateIpAddress", it.privateIpAddress(), it));
        NetworkInterfaceAttachment attachment = it.attachment();
        Optional<Attachment> place = place(attachment);
        boolean onDefaultCard =
                attachment == null
                        || attachment.networkCardIndex() == null
                        || attachment.networkCardIndex() == DEFAULT_CARD;
        boolean primary =
                onDefaultCard && place.map(p -> p.deviceIndex() == 0).orElse(Boolean.FALSE);
        boolean excluded =
                Tags.value(it.tagSet(), Tags.NO_MANAGE).filter("true"::equals).isPresent();
        boolean usable =
                it.interfaceTypeAsString() == null
                        || USABLE_TYPES.contains(it.interfaceTypeAsString());
        boolean requesterManaged = Boolean.TRUE.equals(it.requesterManaged());
        return new NodeInterface(
                new CloudInterface(
                        needed("networkInterfaceId", it.networkInterfaceId(), it),
                        Tags.value(it.tagSet(), Tags.TOKEN),
                        needed("macAddress", it.macAddress(), it).toLowerCase(Locale.ROOT),
                        needed("subnetId", it.subnetId(), it),
                        subnet,
                        primaryAddress,
                        primary,
                        place,
                        blocks(it, primaryAddress),
                        primary || (onDefaultCard && usable && !requesterManaged && !excluded)),
                place.isEmpty() || attachment == null
                        ? Optional.empty()
                        : Optional.ofNullable(attachment.attachmentId()),
                place.isEmpty()
                        || attachment == null
                        || Boolean.TRUE.equals(attachment.deleteOnTermination()),
                it.groups().stream().map(GroupIdentifier::groupId).toList());
    }

    private static Optional<Attachment> place(@Nullable NetworkInterfaceAttachment attachment) {
        if (attachment == null || attachment.deviceIndex() == null) {
            return Optional.empty();
        }
        String status = attachment.statusAsString();
        CloudInterface.State state =
                switch (status == null ? "attached" : status) {
                    case "attaching" -> CloudInterface.State.ATTACHING;
                    case "detaching" -> CloudInterface.State.DETACHING;
                    default -> CloudInterface.State.ATTACHED;
                };
        return "detached".equals(status)
                ? Optional.empty()
                : Optional.of(new Attachment(attachment.deviceIndex(), state));
    }

    private static List<Cidr> blocks(NetworkInterface it, IpAddress primaryAddress) {
        List<Cidr> blocks = new ArrayList<>();
        for (NetworkInterfacePrivateIpAddress address : it.privateIpAddresses()) {
            if (!Boolean.TRUE.equals(address.primary())) {
                Cidr secondary = cidr(address.privateIpAddress());
                if (!secondary.network().equals(primaryAddress)) {
                    blocks.add(secondary);
                }
            }
        }
        for (Ipv4PrefixSpecification prefix : it.ipv4Prefixes()) {
            blocks.add(cidr(prefix.ipv4Prefix()));
        }
        for (Ipv6PrefixSpecification prefix : it.ipv6Prefixes()) {
            blocks.add(cidr(prefix.ipv6Prefix()));
        }
        return blocks;
    }

    /**
     * Reads an address or a prefix of an answer.
     *
     * @throws IllegalArgumentException when there is none or it is not one
     */
    static Cidr cidr(@Nullable String text) {
        if (text == null) {
            throw new IllegalArgumentException("an empty address");
        }
        return Cidr.parse(text);
    }

    private static String needed(String field, @Nullable String value, NetworkInterface it) {
        if (value == null || value.isEmpty()) {
            throw new IllegalArgumentException(
                    "no " + field + " of interface " + it.networkInterfaceId());
        }
        return value;
    }
}
