package dev.underlay.localvpc.state;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * An elastic network interface at one moment. It never changes; the VPC replaces it.
 *
 * @param id such as {@code eni-0ab1}
 * @param subnet where its addresses come from
 * @param mac lower case with colons
 * @param description free text
 * @param status where it is in its life
 * @param primary its own address, never taken away
 * @param blocks everything else assigned to it, in the order of assignment
 * @param groups security group identifiers
 * @param tags sorted by key
 * @param sourceDestCheck whether packets need a source or destination of its own
 * @param attachment null if it is attached to nothing
 * @param foreign made by somebody else than the account's callers under test
 */
public record Eni(
        String id,
        Subnet subnet,
        String mac,
        String description,
        Status status,
        Cidr primary,
        List<Cidr> blocks,
        List<String> groups,
        Map<String, String> tags,
        boolean sourceDestCheck,
        @Nullable Attachment attachment,
        boolean foreign) {

    /** What DescribeNetworkInterfaces says, in lower case with dashes. */
    public enum Status {
        /** Just made. */
        PENDING,
        /** Attached to nothing; can be deleted. */
        AVAILABLE,
        /** An attach was answered. */
        ATTACHING,
        /** Attached. */
        IN_USE,
        /** A detach was answered. */
        DETACHING;

        /** The text on the wire. */
        public String text() {
            return switch (this) {
                case PENDING -> "pending";
                case AVAILABLE -> "available";
                case ATTACHING -> "attaching";
                case IN_USE -> "in-use";
                case DETACHING -> "detaching";
            };
        }
    }

    /**
     * Where an interface is attached.
     *
     * @param id such as {@code eni-attach-0ab1}
     * @param instanceId the instance
     * @param deviceIndex unique per network card
     * @param cardIndex the network card
     * @param deleteOnTermination whether it goes with the instance
     * @param since when the attach was answered
     * @param plugged whether the device is in the instance
     */
    public record Attachment(
            String id,
            String instanceId,
            int deviceIndex,
            int cardIndex,
            boolean deleteOnTermination,
            Instant since,
            boolean plugged) {
        Attachment withPlugged(boolean to) {
            return new Attachment(
                    id, instanceId, deviceIndex, cardIndex, deleteOnTermination, since, to);
        }

        Attachment withDeleteOnTermination(boolean to) {
            return new Attachment(id, instanceId, deviceIndex, cardIndex, to, since, plugged);
        }

        /** Whether it is the instance's primary interface. */
        public boolean isPrimary() {
            return deviceIndex == 0 && cardIndex == 0;
        }
    }

    /** Copies the lists. */
    public Eni {
        blocks = List.copyOf(blocks);
        groups = List.copyOf(groups);
        tags = Collections.unmodifiableMap(new TreeMap<>(tags));
    }

    /** Single IPv4 addresses but the primary. */
    public List<Cidr> secondaryAddresses() {
        return select(block -> block.isIpv4() && block.isAddress());
    }

    /** Delegated IPv4 prefixes. */
    public List<Cidr> ipv4Prefixes() {
        return select(block -> block.isIpv4() && !block.isAddress());
    }

    /** Single IPv6 addresses. */
    public List<Cidr> ipv6Addresses() {
        return select(block -> !block.isIpv4() && block.isAddress());
    }

    /** Delegated IPv6 prefixes. */
    public List<Cidr> ipv6Prefixes() {
        return select(block -> !block.isIpv4() && !block.isAddress());
    }

    /** The primary address and everything else, in the order of assignment. */
    public List<Cidr> allBlocks() {
        List<Cidr> all = new ArrayList<>(blocks.size() + 1);
        all.add(primary);
        all.addAll(blocks);
        return all;
    }

    /** Whether it is attached to the instance, in whatever state. */
    public boolean isAt(String instanceId) {
        return attachment != null && attachment.instanceId().equals(instanceId);
    }

    Eni withStatus(Status to) {
        return with(to, description, blocks, groups, tags, sourceDestCheck, attachment);
    }

    Eni withBlocks(List<Cidr> to) {
        return with(status, description, to, groups, tags, sourceDestCheck, attachment);
    }

    Eni withTags(Map<String, String> to) {
        return with(status, description, blocks, groups, to, sourceDestCheck, attachment);
    }

    Eni withDescription(String to) {
        return with(status, to, blocks, groups, tags, sourceDestCheck, attachment);
    }

    Eni withGroups(List<String> to) {
        return with(status, description, blocks, to, tags, sourceDestCheck, attachment);
    }

    Eni withSourceDestCheck(boolean to) {
        return with(status, description, blocks, groups, tags, to, attachment);
    }

    Eni withAttachment(Status newStatus, @Nullable Attachment to) {
        return with(newStatus, description, blocks, groups, tags, sourceDestCheck, to);
    }

    private Eni with(
            Status newStatus,
            String newDescription,
            List<Cidr> newBlocks,
            List<String> newGroups,
            Map<String, String> newTags,
            boolean newSourceDestCheck,
            @Nullable Attachment newAttachment) {
        return new Eni(
                id,
                subnet,
                mac,
                newDescription,
                newStatus,
                primary,
                newBlocks,
                newGroups,
                newTags,
                newSourceDestCheck,
                newAttachment,
                foreign);
    }

    private List<Cidr> select(Predicate<Cidr> which) {
        return blocks.stream().filter(which).toList();
    }
}
