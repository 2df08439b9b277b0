package dev.underlay.localvpc.ec2;

import dev.underlay.localvpc.state.Ec2Refusal;
import dev.underlay.localvpc.state.Ec2Refusal.Resource;
import dev.underlay.localvpc.state.Eni;
import dev.underlay.localvpc.state.Instance;
import dev.underlay.localvpc.state.InstanceType;
import dev.underlay.localvpc.state.Subnet;
import dev.underlay.localvpc.state.Vpc;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceTypesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceTypesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeInstancesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstancesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeNetworkInterfacesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeNetworkInterfacesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeSubnetsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeSubnetsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeVpcsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeVpcsResponse;
import software.amazon.awssdk.services.ec2.model.Reservation;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;

/** The Describe calls. */
final class Reads {
    /** A page of most of them, by default and at most. */
    private static final int PAGE = 1_000;

    /** A page of DescribeInstanceTypes, by default and at most. */
    private static final int TYPES_PAGE = 100;

    private final Vpc vpc;
    private final Ec2Shapes shapes;

    Reads(Vpc vpc, Ec2Shapes shapes) {
        this.vpc = vpc;
        this.shapes = shapes;
    }

    void addTo(Ec2Calls calls) {
        calls.add(
                "DescribeNetworkInterfaces",
                DescribeNetworkInterfacesRequest::builder,
                DescribeNetworkInterfacesRequest.class,
                this::describeInterfaces,
                "NetworkInterfaceId",
                "Filter",
                "MaxResults",
                "NextToken",
                "DryRun");
        calls.add(
                "DescribeInstances",
                DescribeInstancesRequest::builder,
                DescribeInstancesRequest.class,
                this::describeInstances,
                "InstanceId",
                "Filter",
                "MaxResults",
                "NextToken",
                "DryRun");
        calls.add(
                "DescribeInstanceTypes",
                DescribeInstanceTypesRequest::builder,
                DescribeInstanceTypesRequest.class,
                this::describeTypes,
                "InstanceType",
                "Filter",
                "MaxResults",
                "NextToken",
                "DryRun");
        calls.add(
                "DescribeSubnets",
                DescribeSubnetsRequest::builder,
                DescribeSubnetsRequest.class,
                this::describeSubnets,
                "SubnetId",
                "Filter",
                "MaxResults",
                "NextToken",
                "DryRun");
        calls.add(
                "DescribeVpcs",
                DescribeVpcsRequest::builder,
                DescribeVpcsRequest.class,
                this::describeVpcs,
                "VpcId",
                "Filter",
                "MaxResults",
                "NextToken",
                "DryRun");
        calls.add(
                "DescribeSecurityGroups",
                DescribeSecurityGroupsRequest::builder,
                DescribeSecurityGroupsRequest.class,
                this::describeGroups,
                "GroupId",
                "Filter",
                "MaxResults",
                "NextToken",
                "DryRun");
    }

    private SdkPojo describeInterfaces(DescribeNetworkInterfacesRequest request) {
        List<Eni> named =
                named(
                        vpc.describedEnis(),
                        Eni::id,
                        request.networkInterfaceIds(),
                        Resource.INTERFACE);
        Page<Eni> page =
                page(
                        Describable.INTERFACES.apply(named, request.filters()),
                        Eni::id,
                        request.maxResults(),
                        request.nextToken(),
                        request.hasNetworkInterfaceIds(),
                        request.toBuilder().nextToken(null).build());
        return DescribeNetworkInterfacesResponse.builder()
                .networkInterfaces(page.items().stream().map(shapes::networkInterface).toList())
                .nextToken(page.nextToken())
                .build();
    }

    private SdkPojo describeInstances(DescribeInstancesRequest request) {
        List<Instance> named =
                named(vpc.instances(), Instance::id, request.instanceIds(), Resource.INSTANCE);
        Page<Instance> page =
                page(
                        Describable.instances(vpc).apply(named, request.filters()),
                        Instance::id,
                        request.maxResults(),
                        request.nextToken(),
                        request.hasInstanceIds(),
                        request.toBuilder().nextToken(null).build());
        List<Eni> enis = vpc.describedEnis();
        return DescribeInstancesResponse.builder()
                .reservations(page.items().stream().map(one -> reservation(one, enis)).toList())
                .nextToken(page.nextToken())
                .build();
    }

    private Reservation reservation(Instance instance, List<Eni> enis) {
        List<Eni> attached = enis.stream().filter(eni -> eni.isAt(instance.id())).toList();
        return Reservation.builder()
                .reservationId(instance.id().replaceFirst("i-", "r-"))
                .ownerId(Vpc.OWNER_ID)
                .instances(shapes.instance(instance, attached))
                .build();
    }

    private SdkPojo describeTypes(DescribeInstanceTypesRequest request) {
        Map<String, InstanceType> all = InstanceType.all();
        List<String> names = request.instanceTypesAsStrings();
        for (String name : names) {
            if (!all.containsKey(name)) {
                throw new Ec2Refusal(
                        400,
                        "InvalidInstanceType",
                        "The following supplied instance types do not exist: [" + name + "]");
            }
        }
        List<InstanceType> named =
                all.values().stream()
                        .filter(type -> names.isEmpty() || names.contains(type.name()))
                        .toList();
        Page<InstanceType> page =
                Page.of(
                        Describable.TYPES.apply(named, request.filters()),
                        InstanceType::name,
                        new Page.Ask(
                                request.maxResults(),
                                request.nextToken(),
                                !names.isEmpty(),
                                request.toBuilder().nextToken(null).build().toString()),
                        TYPES_PAGE,
                        TYPES_PAGE);
        return DescribeInstanceTypesResponse.builder()
                .instanceTypes(page.items().stream().map(Ec2Shapes::instanceType).toList())
                .nextToken(page.nextToken())
                .build();
    }

    private SdkPojo describeSubnets(DescribeSubnetsRequest request) {
        List<Subnet> named = named(vpc.subnets(), Subnet::id, request.subnetIds(), Resource.SUBNET);
        Page<Subnet> page =
                page(
                        Describable.subnets(vpc).apply(named, request.filters()),
                        Subnet::id,
                        request.maxResults(),
                        request.nextToken(),
                        request.hasSubnetIds(),
                        request.toBuilder().nextToken(null).build());
        return DescribeSubnetsResponse.builder()
                .subnets(page.items().stream().map(shapes::subnet).toList())
                .nextToken(page.nextToken())
                .build();
    }

    private SdkPojo describeVpcs(DescribeVpcsRequest request) {
        List<software.amazon.awssdk.services.ec2.model.Vpc> named =
                named(
                        List.of(shapes.vpc()),
                        software.amazon.awssdk.services.ec2.model.Vpc::vpcId,
                        request.vpcIds(),
                        Resource.VPC);
        var page =
                page(
                        Describable.VPCS.apply(named, request.filters()),
                        software.amazon.awssdk.services.ec2.model.Vpc::vpcId,
                        request.maxResults(),
                        request.nextToken(),
                        request.hasVpcIds(),
                        request.toBuilder().nextToken(null).build());
        return DescribeVpcsResponse.builder()
                .vpcs(page.items())
                .nextToken(page.nextToken())
                .build();
    }

    private SdkPojo describeGroups(DescribeSecurityGroupsRequest request) {
        List<SecurityGroup> named =
                named(
                        List.of(shapes.defaultGroup()),
                        SecurityGroup::groupId,
                        request.groupIds(),
                        Resource.GROUP);
        Page<SecurityGroup> page =
                page(
                        Describable.GROUPS.apply(named, request.filters()),
                        SecurityGroup::groupId,
                        request.maxResults(),
                        request.nextToken(),
                        request.hasGroupIds(),
                        request.toBuilder().nextToken(null).build());
        return DescribeSecurityGroupsResponse.builder()
                .securityGroups(page.items())
                .nextToken(page.nextToken())
                .build();
    }

    private static <T> Page<T> page(
            List<T> things,
            Function<T, String> key,
            @Nullable Integer maxResults,
            @Nullable String token,
            boolean byId,
            SdkPojo query) {
        return Page.of(
                things, key, new Page.Ask(maxResults, token, byId, query.toString()), PAGE, PAGE);
    }

    /** The things with these identifiers, or all if none are named. */
    private static <T> List<T> named(
            List<T> all, Function<T, String> id, List<String> wanted, Resource kind) {
        if (wanted.isEmpty()) {
            return all;
        }
        Map<String, T> byId = new LinkedHashMap<>();
        all.forEach(one -> byId.put(id.apply(one), one));
        List<T> found = new ArrayList<>();
        for (String name : new TreeSet<>(wanted)) {
            T one = byId.get(name);
            if (one == null) {
                throw Ec2Refusal.notFound(kind, name);
            }
            found.add(one);
        }
        return found;
    }
}
