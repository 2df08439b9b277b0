package dev.underlay.cloud.aws;

import dev.underlay.pool.Cidr;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.Refusal;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the metadata service says about this node. What cannot change while the instance runs is
 * asked once.
 */
final class NodeMetadata {
    private static final Pattern MAC = Pattern.compile("([0-9a-f]{2}:){5}[0-9a-f]{2}");

    private final MetadataClient client;
    private volatile @Nullable Fixed fixed;

    /** What stays the same for the life of the instance; a stop may change its type. */
    record Fixed(
            String instanceId,
            String instanceType,
            String zone,
            String primaryInterfaceId,
            String primaryMac,
            IpAddress primaryAddress) {}

    NodeMetadata(MetadataClient client) {
        this.client = client;
    }

    Fixed fixed(Deadline deadline) throws CallFailure {
        Fixed known = fixed;
        if (known != null) {
            return known;
        }
        String mac = needed("mac", deadline).toLowerCase(Locale.ROOT);
        if (!MAC.matcher(mac).matches()) {
            throw broken("mac", mac);
        }
        Fixed read =
                new Fixed(
                        needed("instance-id", deadline),
                        needed("instance-type", deadline),
                        needed("placement/availability-zone", deadline),
                        needed("network/interfaces/macs/" + mac + "/interface-id", deadline),
                        mac,
                        address("local-ipv4", needed("local-ipv4", deadline)));
        fixed = read;
        return read;
    }

    /** The region the instance runs in. */
    String region(Deadline deadline) throws CallFailure {
        return needed("placement/region", deadline);
    }

    /**
     * The first IPv6 address of the primary interface, which is the node's own; it may get or lose
     * one while it runs. No such leaf means that it has none.
     */
    Optional<IpAddress> primaryIpv6(Deadline deadline) throws CallFailure {
        List<String> own = client.list(primaryInterface(deadline) + "/ipv6s", deadline);
        return own.isEmpty() ? Optional.empty() : Optional.of(address("ipv6s", own.getFirst()));
    }

    /**
     * The network's CIDRs, IPv4 first, in the service's order. One of IPv4 is always among them; no
     * leaf for those of IPv6 means that it has none.
     */
    List<Cidr> networkCidrs(Deadline deadline) throws CallFailure {
        String interfacePath = primaryInterface(deadline);
        List<Cidr> cidrs = new ArrayList<>(cidrs(interfacePath, "vpc-ipv4-cidr-blocks", deadline));
        if (cidrs.isEmpty()) {
            // Every VPC has one: the tree is not complete yet. Nobody may act on an empty list.
            throw CallFailure.certain(
                    Refusal.UNAVAILABLE,
                    "the metadata service names no IPv4 CIDR of the VPC at "
                            + interfacePath
                            + "; it is asked again later");
        }
        cidrs.addAll(cidrs(interfacePath, "vpc-ipv6-cidr-blocks", deadline));
        return cidrs;
    }

    private List<Cidr> cidrs(String interfacePath, String leaf, Deadline deadline)
            throws CallFailure {
        List<Cidr> cidrs = new ArrayList<>();
        for (String text : client.list(interfacePath + "/" + leaf, deadline)) {
            try {
                cidrs.add(Cidr.parse(text));
            } catch (IllegalArgumentException e) {
                throw broken(leaf, text);
            }
        }
        return cidrs;
    }

    private String primaryInterface(Deadline deadline) throws CallFailure {
        return "network/interfaces/macs/" + fixed(deadline).primaryMac();
    }

    /** A leaf that every instance has: where it is missing the tree is not complete yet. */
    private String needed(String path, Deadline deadline) throws CallFailure {
        try {
            return client.leaf(path, deadline);
        } catch (CallFailure failure) {
            throw failure.refusal() == Refusal.GONE
                    ? CallFailure.certain(
                            Refusal.UNAVAILABLE,
                            failure.getMessage() + "; it is asked again later",
                            failure)
                    : failure;
        }
    }

    private static IpAddress address(String leaf, String text) throws CallFailure {
        try {
            return IpAddress.parse(text);
        } catch (IllegalArgumentException e) {
            throw broken(leaf, text);
        }
    }

    private static CallFailure broken(String leaf, String text) {
        String shown = text.length() > 80 ? text.substring(0, 80) + "..." : text;
        return CallFailure.certain(
                Refusal.UNAVAILABLE,
                "the metadata service answered " + leaf + " with \"" + shown + "\"");
    }
}
