package dev.underlay.cloud.aws;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.Refusal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.DescribeSubnetsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeSubnetsResponse;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ec2.model.SubnetCidrBlockStateCode;
import software.amazon.awssdk.services.ec2.model.Tag;

/**
 * The node's interfaces as EC2 describes them: the full list, a look at one, and what the last
 * description and our own changes since say.
 *
 * <p>Always asked by filter, never by a list of ids: one id that is gone fails the whole call.
 */
final class InterfaceView {
    private static final Logger LOG = LoggerFactory.getLogger(InterfaceView.class);

    /** Everything that is plugged into the instance, whoever made it. */
    private static final String BY_ATTACHMENT = "attachment.instance-id";

    /** What was made for the instance, plugged in or not. */
    private static final String BY_TAG = "tag:" + Tags.INSTANCE_ID;

    /**
     * A subnet's IPv4 CIDR never changes; what people change, tags and IPv6 CIDRs, is believed for
     * this long: at most a dozen calls an hour, and none on a node that asks for nothing.
     */
    static final Duration TAGS_KEPT = Duration.ofMinutes(5);

    private static final int MAX_SUBNETS = 100;

    /** Several times what the largest instance can hold, gone ones included. */
    private static final int MAX_INTERFACES = 256;

    private final Ec2Api ec2;
    private final String instanceId;
    private final Cache<String, Subnet> subnets =
            Caffeine.newBuilder().maximumSize(MAX_SUBNETS).build();
    private final Cache<String, Subnet> recent;
    private final Cache<String, NodeInterface> known =
            Caffeine.newBuilder().maximumSize(MAX_INTERFACES).build();

    /**
     * @param ticker by which descriptions of subnets grow old
     */
    InterfaceView(Ec2Api ec2, String instanceId, Ticker ticker) {
        this.ec2 = ec2;
        this.instanceId = instanceId;
        this.recent =
                Caffeine.newBuilder()
                        .maximumSize(MAX_SUBNETS)
                        .expireAfterWrite(TAGS_KEPT)
                        .ticker(ticker)
                        .build();
    }

    /**
     * All interfaces attached to this node and all that carry its tag, by device index, then id.
     * The primary interface is always among them: a description without it is older than the
     * instance, and says nothing about the others either.
     */
    List<NodeInterface> all(Deadline deadline) throws CallFailure {
        Map<String, NetworkInterface> found = new LinkedHashMap<>();
        for (String filter : List.of(BY_ATTACHMENT, BY_TAG)) {
            for (NetworkInterface it : describe(filter, deadline)) {
                found.putIfAbsent(it.networkInterfaceId(), it);
            }
        }
        List<NodeInterface> all = read(List.copyOf(found.values()), deadline);
        if (all.stream().noneMatch(it -> it.cloud().primary())) {
            throw CallFailure.certain(
                    Refusal.UNAVAILABLE,
                    "EC2 shows no interface at device index 0 of instance "
                            + instanceId
                            + " yet; it is asked again later");
        }
        all.forEach(this::remember);
        return all;
    }

    /** One interface as EC2 describes it at this moment; empty when it is not there. */
    Optional<NodeInterface> look(String interfaceId, Deadline deadline) throws CallFailure {
        for (String filter : List.of(BY_ATTACHMENT, BY_TAG)) {
            List<NetworkInterface> found =
                    describe(filter, deadline).stream()
                            .filter(it -> interfaceId.equals(it.networkInterfaceId()))
                            .toList();
            if (!found.isEmpty()) {
                List<NodeInterface> read = read(found, deadline);
                read.forEach(this::remember);
                return read.stream().findFirst();
            }
        }
        return Optional.empty();
    }

    /** The interface that was made from a wish, if there is one. */
    Optional<NodeInterface> lookForToken(String token, Deadline deadline) throws CallFailure {
        return read(
                        describe(BY_TAG, deadline).stream()
                                .filter(it ->
                                        Tags.value(it.tagSet(), Tags.TOKEN)
                                                .filter(token::equals)
                                                .isPresent())
                                .toList(),
                        deadline)
                .stream()
                .findFirst();
    }

    /** What is known without asking, or else a look. */
    NodeInterface knownOrLook(String interfaceId, Deadline deadline) throws CallFailure {
        NodeInterface remembered = known.getIfPresent(interfaceId);
        if (remembered != null) {
            return remembered;
        }
        return look(interfaceId, deadline)
                .orElseThrow(() ->
                        CallFailure.certain(
                                Refusal.GONE,
                                "EC2 knows no interface "
                                        + interfaceId
                                        + " of instance "
                                        + instanceId));
    }

    /** The interface the node booted with. */
    NodeInterface primary(Deadline deadline) throws CallFailure {
        Optional<NodeInterface> remembered =
                known.asMap().values().stream().filter(it -> it.cloud().primary()).findFirst();
        if (remembered.isPresent()) {
            return remembered.get();
        }
        return all(deadline).stream().filter(it -> it.cloud().primary()).findFirst().orElseThrow();
    }

    void remember(NodeInterface it) {
        known.put(it.cloud().id(), it);
    }

    void forget(String interfaceId) {
        known.invalidate(interfaceId);
    }

    /** The CIDR of a subnet. */
    Cidr subnet(String subnetId, Deadline deadline) throws CallFailure {
        return Cidr.parse(known(subnetId, deadline).cidrBlock());
    }

    /** Whether a subnet has an IPv6 CIDR, as at most {@link #TAGS_KEPT} ago. */
    boolean hasIpv6(String subnetId, Deadline deadline) throws CallFailure {
        return recent(subnetId, deadline).ipv6CidrBlockAssociationSet().stream()
                .anyMatch(association ->
                        association.ipv6CidrBlockState() != null
                                && association.ipv6CidrBlockState().state()
                                        == SubnetCidrBlockStateCode.ASSOCIATED);
    }

    /** The tags of a subnet, at most {@link #TAGS_KEPT} old. */
    List<Tag> tagsOf(String subnetId, Deadline deadline) throws CallFailure {
        return recent(subnetId, deadline).tags();
    }

    /** A subnet and the others of its zone and VPC, at most {@link #TAGS_KEPT} old. */
    List<Subnet> zoneOf(String subnetId, Deadline deadline) throws CallFailure {
        Subnet one = recent(subnetId, deadline);
        return recent.asMap().values().stream()
                .filter(other -> other.equals(one) || place(other).equals(place(one)))
                .toList();
    }

    /** The filters that find a subnet's zone; only its name where EC2 does not say it. */
    private static List<Filter> place(Subnet one) {
        return place(one.vpcId(), one.availabilityZone(), List.of(one.subnetId()));
    }

    private static List<Filter> place(
            @Nullable String vpcId, @Nullable String zone, List<String> otherwise) {
        return vpcId == null || zone == null
                ? List.of(filter("subnet-id", otherwise))
                : List.of(
                        filter("vpc-id", List.of(vpcId)),
                        filter("availability-zone", List.of(zone)));
    }

    private static Filter filter(String name, List<String> values) {
        return Filter.builder().name(name).values(values).build();
    }

    /** Reads a subnet and the others of its zone and VPC. */
    void readZone(String subnetId, Deadline deadline) throws CallFailure {
        describeSubnets(place(known(subnetId, deadline)), deadline);
    }

    private Subnet recent(String subnetId, Deadline deadline) throws CallFailure {
        if (recent.getIfPresent(subnetId) == null) {
            readZone(subnetId, deadline);
        }
        return known(subnetId, deadline);
    }

    private Subnet known(String subnetId, Deadline deadline) throws CallFailure {
        if (subnets.getIfPresent(subnetId) == null) {
            describeSubnets(List.of(filter("subnet-id", List.of(subnetId))), deadline);
        }
        Subnet subnet = subnets.getIfPresent(subnetId);
        if (subnet == null) {
            throw CallFailure.certain(
                    Refusal.UNAVAILABLE, "EC2 does not describe subnet " + subnetId);
        }
        return subnet;
    }

    private List<NodeInterface> read(List<NetworkInterface> found, Deadline deadline)
            throws CallFailure {
        List<NetworkInterface> ours =
                found.stream().filter(it -> NodeInterface.belongsTo(it, instanceId)).toList();
        loadSubnets(ours, deadline);
        List<NodeInterface> read = new ArrayList<>();
        for (NetworkInterface it : ours) {
            if (it.privateIpAddress() == null) {
                // An EFA without IP, for example: nothing a pod could use, nothing to show.
                LOG.debug("interface.skipped id={} reason=no_ipv4", it.networkInterfaceId());
                continue;
            }
            Cidr subnet = subnet(it.subnetId(), deadline);
            try {
                read.add(NodeInterface.read(it, subnet));
            } catch (IllegalArgumentException e) {
                throw CallFailure.certain(
                        Refusal.UNAVAILABLE,
                        "EC2 describes an interface in a way we cannot read: " + e.getMessage(),
                        e);
            }
        }
        read.sort(
                Comparator.comparing((NodeInterface it) ->
                                it.cloud()
                                        .attachment()
                                        .map(place -> place.deviceIndex())
                                        .orElse(Integer.MAX_VALUE))
                        .thenComparing(it -> it.cloud().id()));
        return read;
    }

    private List<NetworkInterface> describe(String filter, Deadline deadline) throws CallFailure {
        return DescribedInterfaces.by(
                ec2,
                filter + "=" + instanceId,
                List.of(Filter.builder().name(filter).values(instanceId).build()),
                deadline);
    }

    /** All subnets of the zone, since it takes the same one call. */
    private void loadSubnets(List<NetworkInterface> interfaces, Deadline deadline)
            throws CallFailure {
        List<NetworkInterface> missing =
                interfaces.stream()
                        .filter(it -> subnets.getIfPresent(it.subnetId()) == null)
                        .toList();
        if (!missing.isEmpty()) {
            NetworkInterface one = missing.getFirst();
            List<String> ids = missing.stream().map(NetworkInterface::subnetId).distinct().toList();
            describeSubnets(place(one.vpcId(), one.availabilityZone(), ids), deadline);
        }
    }

    private void describeSubnets(List<Filter> filters, Deadline deadline) throws CallFailure {
        List<Subnet> described =
                ec2.call(
                        Ec2Action.DESCRIBE_SUBNETS,
                        filters.stream()
                                .flatMap(filter -> filter.values().stream())
                                .collect(Collectors.joining(",")),
                        deadline,
                        DescribeSubnetsRequest.builder().filters(filters).build(),
                        Ec2Client::describeSubnets,
                        DescribeSubnetsResponse::subnets);
        for (Subnet subnet : described) {
            if (subnet.cidrBlock() != null) {
                subnets.put(subnet.subnetId(), subnet);
                recent.put(subnet.subnetId(), subnet);
            }
        }
    }

    /**
     * The refusal of a subnet that is full with how many addresses it has free, for people: none is
     * another matter than some that lie scattered. Any other failure stays as it is.
     */
    CallFailure withFreeAddresses(CallFailure failure, String subnetId, Deadline deadline) {
        boolean full =
                failure.refusal() == Refusal.SUBNET_FULL
                        || failure.refusal() == Refusal.NO_FREE_PREFIX;
        if (!full) {
            return failure;
        }
        try {
            readZone(subnetId, deadline);
            Integer free = known(subnetId, deadline).availableIpAddressCount();
            return free == null
                    ? failure
                    : CallFailure.certain(
                            failure.refusal(),
                            failure.getMessage()
                                    + "; "
                                    + subnetId
                                    + " has "
                                    + free
                                    + " free addresses",
                            failure.getCause());
        } catch (CallFailure look) {
            failure.addSuppressed(look);
            return failure;
        }
    }
}
