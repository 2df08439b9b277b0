package dev.underlay.localvpc.metadata;

import dev.underlay.localvpc.state.Cidr;
import dev.underlay.localvpc.state.Eni;
import dev.underlay.localvpc.state.Instance;
import dev.underlay.localvpc.state.InstanceType;
import dev.underlay.localvpc.state.MetadataEni;
import dev.underlay.localvpc.state.Vpc;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What stands under {@code /latest/meta-data/} for one instance at one moment. A leaf with an empty
 * list does not exist, as on EC2.
 */
final class MetadataTree {
    private static final String MACS = "network/interfaces/macs/";

    /** Leaves that may exist; asking for another one is a mistake in the caller. */
    private static final Set<String> TOP =
            Set.of(
                    "instance-id",
                    "instance-type",
                    "mac",
                    "local-ipv4",
                    "ipv6",
                    "placement/availability-zone",
                    "placement/availability-zone-id",
                    "placement/region");

    private static final Set<String> OF_INTERFACE =
            Set.of(
                    "device-number",
                    "network-card",
                    "interface-id",
                    "mac",
                    "local-ipv4s",
                    "ipv4-prefix",
                    "ipv6s",
                    "ipv6-prefix",
                    "subnet-id",
                    "subnet-ipv4-cidr-block",
                    "subnet-ipv6-cidr-blocks",
                    "vpc-id",
                    "vpc-ipv4-cidr-block",
                    "vpc-ipv4-cidr-blocks",
                    "vpc-ipv6-cidr-blocks",
                    "security-group-ids",
                    "owner-id");

    private static final Pattern INTERFACE_LEAF =
            Pattern.compile(Pattern.quote(MACS) + "(?:[0-9a-f]{2}:){5}[0-9a-f]{2}/(.+)");

    /** Leaves by path; a path that ends in a slash is a directory without leaves. */
    private final TreeMap<String, String> leaves = new TreeMap<>();

    MetadataTree(Vpc vpc, String region, Instance instance) {
        leaves.put("instance-id", instance.id());
        leaves.put("instance-type", instance.type());
        leaves.put("mac", instance.mac());
        leaves.put("local-ipv4", instance.primaryAddress().getHostAddress());
        leaves.put("placement/availability-zone", instance.subnet().zone());
        leaves.put("placement/availability-zone-id", instance.subnet().zoneId());
        leaves.put("placement/region", region);
        InstanceType type = InstanceType.of(instance);
        for (MetadataEni shown : vpc.metadataOf(instance.id())) {
            String directory = MACS + shown.mac() + "/";
            if (shown.leaves() == null) {
                leaves.put(directory, "");
            } else {
                put(directory + "device-number", Integer.toString(shown.deviceIndex()));
                if (type.cards() > 1) {
                    put(directory + "network-card", Integer.toString(shown.cardIndex()));
                }
                putInterface(directory, vpc, shown.leaves());
                if (shown.mac().equals(instance.mac())) {
                    put("ipv6", lines(shown.leaves().ipv6Addresses().stream().limit(1)));
                }
            }
        }
    }

    /** Whether a path can exist on some instance at some time. */
    static boolean isDeclared(String path) {
        Matcher ofInterface = INTERFACE_LEAF.matcher(path);
        if (ofInterface.matches()) {
            return OF_INTERFACE.contains(ofInterface.group(1));
        }
        String directory = path.isEmpty() || path.endsWith("/") ? path : path + "/";
        return TOP.contains(path)
                || MACS.startsWith(directory)
                || TOP.stream().anyMatch(leaf -> leaf.startsWith(directory))
                || INTERFACE_LEAF.matcher(directory + "x").matches();
    }

    /** A leaf's content, or a directory's listing; empty if there is neither. */
    Optional<String> get(String path) {
        String leaf = leaves.get(path);
        if (leaf != null && !path.endsWith("/")) {
            return Optional.of(leaf);
        }
        String directory = path.isEmpty() || path.endsWith("/") ? path : path + "/";
        Set<String> children = new TreeSet<>();
        boolean exists = false;
        for (String known : leaves.tailMap(directory, true).keySet()) {
            if (!known.startsWith(directory)) {
                break;
            }
            exists = true;
            String rest = known.substring(directory.length());
            int slash = rest.indexOf('/');
            if (!rest.isEmpty()) {
                children.add(slash < 0 ? rest : rest.substring(0, slash + 1));
            }
        }
        return exists ? Optional.of(String.join("\n", children)) : Optional.empty();
    }

    private void putInterface(String directory, Vpc vpc, Eni eni) {
        put(directory + "interface-id", eni.id());
        put(directory + "mac", eni.mac());
        put(directory + "owner-id", Vpc.OWNER_ID);
        put(
                directory + "local-ipv4s",
                lines(Stream.concat(Stream.of(eni.primary()), eni.secondaryAddresses().stream())));
        put(directory + "ipv4-prefix", lines(eni.ipv4Prefixes().stream()));
        put(directory + "ipv6s", lines(eni.ipv6Addresses().stream()));
        put(directory + "ipv6-prefix", lines(eni.ipv6Prefixes().stream()));
        put(directory + "subnet-id", eni.subnet().id());
        put(directory + "subnet-ipv4-cidr-block", eni.subnet().cidr().toString());
        put(directory + "vpc-id", vpc.id());
        List<Cidr> cidrs = vpc.cidrs();
        put(directory + "vpc-ipv4-cidr-block", cidrs.get(0).toString());
        put(directory + "vpc-ipv4-cidr-blocks", lines(cidrs.stream()));
        put(
                directory + "subnet-ipv6-cidr-blocks",
                lines(Stream.ofNullable(eni.subnet().ipv6Cidr())));
        put(directory + "vpc-ipv6-cidr-blocks", lines(Stream.ofNullable(vpc.ipv6Cidr())));
        put(directory + "security-group-ids", String.join("\n", eni.groups()));
    }

    private void put(String path, String content) {
        if (!content.isEmpty()) {
            leaves.put(path, content);
        }
    }

    private static String lines(Stream<Cidr> blocks) {
        return String.join("\n", blocks.map(Cidr::toString).toList());
    }
}
