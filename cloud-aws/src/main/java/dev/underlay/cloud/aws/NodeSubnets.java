package dev.underlay.cloud.aws;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.underlay.pool.BlockKind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.DoubleSupplier;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ec2.model.Tag;

/**
 * In which subnets of its zone a node has interfaces for pods, by their tags, which are the AWS VPC
 * CNI's, and in which order they are tried.
 */
final class NodeSubnets {
    /** {@code 0} keeps pods out of a subnet; anything else lets them in. */
    static final String ROLE = "kubernetes.io/role/cni";

    /** Before a cluster's name: the subnet is for the clusters that are named so, if any is. */
    static final String CLUSTER = "cni.networking.k8s.aws/cluster/";

    /** How long a subnet that was full comes last. */
    private static final Duration FULL_FOR = Duration.ofMinutes(1);

    /** More than a zone has subnets; this only bounds the memory. */
    private static final int MAX_FULL = 100;

    private final boolean discovery;
    private final Optional<String> cluster;
    private final DoubleSupplier random;
    private final Cache<String, Boolean> full =
            Caffeine.newBuilder().maximumSize(MAX_FULL).expireAfterWrite(FULL_FOR).build();

    /**
     * @param discovery false: the subnet of the primary interface alone, whatever its tags
     * @param random numbers from 0 to 1
     */
    NodeSubnets(boolean discovery, Optional<String> cluster, DoubleSupplier random) {
        this.discovery = discovery;
        this.cluster = cluster;
        this.random = random;
    }

    /** Whether a subnet is closed to pods, the primary interface's too. */
    boolean closed(List<Tag> tags) {
        return discovery && Tags.value(tags, ROLE).equals(Optional.of("0"));
    }

    /** Whether interfaces for pods are made in a subnet. */
    boolean eligible(List<Tag> tags, boolean primary) {
        if (primary || !discovery) {
            return primary && !closed(tags);
        }
        boolean named = tags.stream().anyMatch(tag -> tag.key().startsWith(CLUSTER));
        boolean ours =
                cluster.isEmpty()
                        || !named
                        || Tags.value(tags, CLUSTER + cluster.get()).isPresent();
        return Tags.value(tags, ROLE).isPresent() && !closed(tags) && ours;
    }

    /**
     * The subnets to try, one after the other. Chance decides in proportion to free addresses, or
     * all nodes of a zone would run to the same subnet; those that were full lately come last.
     */
    List<String> order(List<Subnet> zone, String primaryId, BlockKind kind) {
        Map<String, Double> lots = new TreeMap<>();
        for (Subnet subnet : zone) {
            String id = subnet.subnetId();
            if (eligible(subnet.tags(), id.equals(primaryId))) {
                Integer free = subnet.availableIpAddressCount();
                double weight = 1 + (free == null ? 0 : free);
                boolean wasFull = full.getIfPresent(key(id, kind)) != null;
                // The largest of these is a subnet's with a chance in proportion to its weight
                // (Efraimidis and Spirakis, 2006).
                lots.put(id, Math.pow(random.getAsDouble(), 1 / weight) - (wasFull ? 1 : 0));
            }
        }
        List<String> order = new ArrayList<>(lots.keySet());
        order.sort(
                Comparator.comparing(id -> lots.getOrDefault(id, 0.0), Comparator.reverseOrder()));
        return order;
    }

    void full(String subnetId, BlockKind kind) {
        full.put(key(subnetId, kind), true);
    }

    private static String key(String subnetId, BlockKind kind) {
        return subnetId + " " + kind;
    }
}
