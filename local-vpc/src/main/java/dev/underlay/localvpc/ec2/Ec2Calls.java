package dev.underlay.localvpc.ec2;

import dev.underlay.localvpc.Auditor;
import dev.underlay.localvpc.Dials;
import dev.underlay.localvpc.state.BlockRequest;
import dev.underlay.localvpc.state.Cidr;
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
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.services.ec2.model.AssignPrivateIpAddressesRequest;
import software.amazon.awssdk.services.ec2.model.AssignPrivateIpAddressesResponse;
import software.amazon.awssdk.services.ec2.model.AssignedPrivateIpAddress;
import software.amazon.awssdk.services.ec2.model.AttachNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.AttachNetworkInterfaceResponse;
import software.amazon.awssdk.services.ec2.model.CreateNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.CreateNetworkInterfaceResponse;
import software.amazon.awssdk.services.ec2.model.CreateTagsRequest;
import software.amazon.awssdk.services.ec2.model.CreateTagsResponse;
import software.amazon.awssdk.services.ec2.model.DeleteNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.DeleteNetworkInterfaceResponse;
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
import software.amazon.awssdk.services.ec2.model.DetachNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.DetachNetworkInterfaceResponse;
import software.amazon.awssdk.services.ec2.model.ModifyNetworkInterfaceAttributeRequest;
import software.amazon.awssdk.services.ec2.model.ModifyNetworkInterfaceAttributeResponse;
import software.amazon.awssdk.services.ec2.model.Reservation;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.TagSpecification;
import software.amazon.awssdk.services.ec2.model.UnassignPrivateIpAddressesRequest;
import software.amazon.awssdk.services.ec2.model.UnassignPrivateIpAddressesResponse;

/**
 * The actions that are known, each with the parameters that it understands. What is not listed here
 * is refused and noted as a finding: code under test called something that nobody planned.
 */
final class Ec2Calls {
    /** A page of most Describe calls, by default and at most. */
    private static final int PAGE = 1_000;

    /** A page of DescribeInstanceTypes, by default and at most. */
    private static final int TYPES_PAGE = 100;

    /** One action. */
    private record Call(
            Supplier<? extends SdkPojo> builder,
            Set<String> parameters,
            Function<Object, SdkPojo> body) {}

    private final Map<String, Call> calls = new TreeMap<>();
    private final Vpc vpc;
    private final Dials dials;
    private final Auditor auditor;
    private final Ec2Shapes shapes;

    Ec2Calls(Vpc vpc, Dials dials, Auditor auditor) {
        this.vpc = vpc;
        this.dials = dials;
        this.auditor = auditor;
        shapes = new Ec2Shapes(vpc);
        addChanges();
        addReads();
    }

    /** Whether the action is known. */
    boolean knows(String action) {
        return calls.containsKey(action);
    }

    /**
     * Decodes the request; nothing is changed yet.
     *
     * @return applies it
     * @throws Ec2Refusal for an unknown action or parameter, which is a finding too
     */
    Supplier<SdkPojo> prepare(String action, NavigableMap<String, String> parameters) {
        Call call = calls.get(action);
        if (call == null) {
            auditor.note("unknown action " + action);
            throw new Ec2Refusal(
                    400,
                    "InvalidAction",
                    "The action " + action + " is not valid for this web service.");
        }
        Set<String> unknown = new TreeSet<>();
        Object request =
                QueryCodec.decode(call.builder.get(), parameters, call.parameters, unknown);
        if (!unknown.isEmpty()) {
            auditor.note("unknown parameters of " + action + ": " + unknown);
            throw new Ec2Refusal(
                    400, "UnknownParameter", "The parameters " + unknown + " are not recognized");
        }
        return () -> call.body.apply(request);
    }

    private void addChanges() {
        add(
                "CreateNetworkInterface",
                CreateNetworkInterfaceRequest::builder,
                CreateNetworkInterfaceRequest.class,
                this::create,
                "SubnetId",
                "Description",
                "SecurityGroupId",
                "PrivateIpAddress",
                "PrivateIpAddresses",
                "SecondaryPrivateIpAddressCount",
                "Ipv4Prefix",
                "Ipv4PrefixCount",
                "TagSpecification",
                "ClientToken",
                "DryRun");
        add(
                "AttachNetworkInterface",
                AttachNetworkInterfaceRequest::builder,
                AttachNetworkInterfaceRequest.class,
                this::attach,
                "NetworkInterfaceId",
                "InstanceId",
                "DeviceIndex",
                "NetworkCardIndex",
                "DryRun");
        add(
                "DetachNetworkInterface",
                DetachNetworkInterfaceRequest::builder,
                DetachNetworkInterfaceRequest.class,
                this::detach,
                "AttachmentId",
                "Force",
                "DryRun");
        add(
                "DeleteNetworkInterface",
                DeleteNetworkInterfaceRequest::builder,
                DeleteNetworkInterfaceRequest.class,
                this::delete,
                "NetworkInterfaceId",
                "DryRun");
        add(
                "ModifyNetworkInterfaceAttribute",
                ModifyNetworkInterfaceAttributeRequest::builder,
                ModifyNetworkInterfaceAttributeRequest.class,
                this::modify,
                "NetworkInterfaceId",
                "Description",
                "SourceDestCheck",
                "SecurityGroupId",
                "Attachment",
                "DryRun");
        add(
                "AssignPrivateIpAddresses",
                AssignPrivateIpAddressesRequest::builder,
                AssignPrivateIpAddressesRequest.class,
                this::assign,
                "NetworkInterfaceId",
                "PrivateIpAddress",
                "SecondaryPrivateIpAddressCount",
                "Ipv4Prefix",
                "Ipv4PrefixCount",
                "AllowReassignment");
        add(
                "UnassignPrivateIpAddresses",
                UnassignPrivateIpAddressesRequest::builder,
                UnassignPrivateIpAddressesRequest.class,
                this::unassign,
                "NetworkInterfaceId",
                "PrivateIpAddress",
                "Ipv4Prefix");
        add(
                "CreateTags",
                CreateTagsRequest::builder,
                CreateTagsRequest.class,
                this::createTags,
                "ResourceId",
                "Tag",
                "DryRun");
    }

    private void addReads() {
        add(
                "DescribeNetworkInterfaces",
                DescribeNetworkInterfacesRequest::builder,
                DescribeNetworkInterfacesRequest.class,
                this::describeInterfaces,
                "NetworkInterfaceId",
                "Filter",
                "MaxResults",
                "NextToken",
                "DryRun");
        add(
                "DescribeInstances",
                DescribeInstancesRequest::builder,
                DescribeInstancesRequest.class,
                this::describeInstances,
                "InstanceId",
                "Filter",
                "MaxResults",
                "NextToken",
                "DryRun");
        add(
                "DescribeInstanceTypes",
                DescribeInstanceTypesRequest::builder,
                DescribeInstanceTypesRequest.class,
                this::describeTypes,
                "InstanceType",
                "Filter",
                "MaxResults",
                "NextToken",
                "DryRun");
        add(
                "DescribeSubnets",
                DescribeSubnetsRequest::builder,
                DescribeSubnetsRequest.class,
                this::describeSubnets,
                "SubnetId",
                "Filter",
                "MaxResults",
                "NextToken",
                "DryRun");
        add(
                "DescribeVpcs",
                DescribeVpcsRequest::builder,
                DescribeVpcsRequest.class,
                this::describeVpcs,
                "VpcId",
                "Filter",
                "MaxResults",
                "NextToken",
                "DryRun");
        add(
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

    private <R> void add(
            String action,
            Supplier<? extends SdkPojo> builder,
            Class<R> type,
            Function<R, SdkPojo> body,
            String... parameters) {
        Set<String> known = Set.of(parameters);
        Set<String> modelled = new TreeSet<>();
        builder.get().sdkFields().forEach(field -> modelled.add(field.locationName()));
        if (!modelled.containsAll(known)) {
            throw new IllegalArgumentException(
                    action + " has " + modelled + ", not all of " + new TreeSet<>(known));
        }
        calls.put(action, new Call(builder, known, request -> body.apply(type.cast(request))));
    }

    // ---- changes ----

    private SdkPojo create(CreateNetworkInterfaceRequest request) {
        Cidr primary =
                request.privateIpAddress() == null ? null : address(request.privateIpAddress());
        List<Cidr> others = new ArrayList<>();
        for (var wanted : request.privateIpAddresses()) {
            Cidr address = address(required(wanted.privateIpAddress(), "PrivateIpAddress"));
            if (!Boolean.TRUE.equals(wanted.primary())) {
                others.add(address);
            } else if (primary == null || primary.equals(address)) {
                primary = address;
            } else {
                throw Ec2Refusal.parameterCombination(
                        "Only one primary private IP address can be specified.");
            }
        }
        BlockRequest wanted =
                new BlockRequest(
                        others.isEmpty() ? null : others,
                        request.secondaryPrivateIpAddressCount(),
                        request.hasIpv4Prefixes()
                                ? request.ipv4Prefixes().stream()
                                        .map(p -> cidr(required(p.ipv4Prefix(), "Ipv4Prefix")))
                                        .toList()
                                : null,
                        request.ipv4PrefixCount());
        Eni made =
                vpc.create(
                        new Vpc.NewEni(
                                required(request.subnetId(), "subnetId"),
                                primary,
                                wanted,
                                request.groups(),
                                Objects.requireNonNullElse(request.description(), ""),
                                tagsFor("network-interface", request.tagSpecifications()),
                                request.clientToken(),
                                request.toString(),
                                false));
        return CreateNetworkInterfaceResponse.builder()
                .networkInterface(shapes.networkInterface(made))
                .clientToken(request.clientToken())
                .build();
    }

    private SdkPojo attach(AttachNetworkInterfaceRequest request) {
        String eniId = required(request.networkInterfaceId(), "networkInterfaceId");
        noteForeign("AttachNetworkInterface", eni -> eni.id().equals(eniId));
        int card = Objects.requireNonNullElse(request.networkCardIndex(), 0);
        Eni eni =
                vpc.attach(
                        eniId,
                        required(request.instanceId(), "instanceId"),
                        required(request.deviceIndex(), "deviceIndex"),
                        card);
        return AttachNetworkInterfaceResponse.builder()
                .attachmentId(Objects.requireNonNull(eni.attachment()).id())
                .networkCardIndex(card)
                .build();
    }

    private SdkPojo detach(DetachNetworkInterfaceRequest request) {
        String attachmentId = required(request.attachmentId(), "attachmentId");
        noteForeign(
                "DetachNetworkInterface",
                eni -> eni.attachment() != null && eni.attachment().id().equals(attachmentId));
        vpc.detach(attachmentId);
        return DetachNetworkInterfaceResponse.builder().build();
    }

    private SdkPojo delete(DeleteNetworkInterfaceRequest request) {
        String eniId = required(request.networkInterfaceId(), "networkInterfaceId");
        noteForeign("DeleteNetworkInterface", eni -> eni.id().equals(eniId));
        vpc.delete(eniId);
        return DeleteNetworkInterfaceResponse.builder().build();
    }

    private SdkPojo modify(ModifyNetworkInterfaceAttributeRequest request) {
        String eniId = required(request.networkInterfaceId(), "networkInterfaceId");
        noteForeign("ModifyNetworkInterfaceAttribute", eni -> eni.id().equals(eniId));
        List<Runnable> changes = new ArrayList<>();
        if (request.hasGroups()) {
            changes.add(() -> vpc.modifyGroups(eniId, request.groups()));
        }
        if (request.sourceDestCheck() != null) {
            boolean to = required(request.sourceDestCheck().value(), "SourceDestCheck.Value");
            changes.add(() -> vpc.modifySourceDestCheck(eniId, to));
        }
        if (request.description() != null) {
            String to = required(request.description().value(), "Description.Value");
            changes.add(() -> vpc.modifyDescription(eniId, to));
        }
        if (request.attachment() != null) {
            String attachmentId =
                    required(request.attachment().attachmentId(), "Attachment.AttachmentId");
            boolean to =
                    required(
                            request.attachment().deleteOnTermination(),
                            "Attachment.DeleteOnTermination");
            changes.add(() -> vpc.modifyDeleteOnTermination(eniId, attachmentId, to));
        }
        if (changes.size() != 1) {
            throw Ec2Refusal.parameterCombination(
                    "Exactly one attribute can be modified at a time, not " + changes.size());
        }
        changes.get(0).run();
        return ModifyNetworkInterfaceAttributeResponse.builder().build();
    }

    private SdkPojo assign(AssignPrivateIpAddressesRequest request) {
        String eniId = required(request.networkInterfaceId(), "networkInterfaceId");
        noteForeign("AssignPrivateIpAddresses", eni -> eni.id().equals(eniId));
        BlockRequest wanted =
                new BlockRequest(
                        request.hasPrivateIpAddresses()
                                ? addresses(request.privateIpAddresses())
                                : null,
                        request.secondaryPrivateIpAddressCount(),
                        request.hasIpv4Prefixes() ? cidrs(request.ipv4Prefixes()) : null,
                        request.ipv4PrefixCount());
        List<Cidr> fresh =
                vpc.assign(eniId, wanted, Boolean.TRUE.equals(request.allowReassignment()));
        List<Cidr> listed = fresh;
        if (dials.assignListsAll()) {
            listed =
                    vpc.enis().stream()
                            .filter(eni -> eni.id().equals(eniId))
                            .flatMap(eni -> eni.allBlocks().stream())
                            .toList();
        }
        return AssignPrivateIpAddressesResponse.builder()
                .networkInterfaceId(eniId)
                .assignedPrivateIpAddresses(
                        listed.stream()
                                .filter(Cidr::isAddress)
                                .map(address ->
                                        AssignedPrivateIpAddress.builder()
                                                .privateIpAddress(address.toString())
                                                .build())
                                .toList())
                .assignedIpv4Prefixes(
                        Ec2Shapes.prefixes(listed.stream().filter(b -> !b.isAddress()).toList()))
                .build();
    }

    private SdkPojo unassign(UnassignPrivateIpAddressesRequest request) {
        String eniId = required(request.networkInterfaceId(), "networkInterfaceId");
        noteForeign("UnassignPrivateIpAddresses", eni -> eni.id().equals(eniId));
        List<Cidr> blocks = new ArrayList<>(addresses(request.privateIpAddresses()));
        blocks.addAll(cidrs(request.ipv4Prefixes()));
        vpc.unassign(eniId, blocks);
        return UnassignPrivateIpAddressesResponse.builder().build();
    }

    private SdkPojo createTags(CreateTagsRequest request) {
        if (!request.hasResources() || !request.hasTags()) {
            throw Ec2Refusal.missing(request.hasResources() ? "tag" : "resourceId");
        }
        vpc.tag(request.resources(), tags(request.tags().stream()));
        return CreateTagsResponse.builder().build();
    }

    // ---- reads ----

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

    // ---- parameters ----

    /** Somebody else's interface is touched: allowed by EC2, but not what callers should do. */
    private void noteForeign(String action, Predicate<Eni> which) {
        vpc.enis().stream()
                .filter(Eni::foreign)
                .filter(which)
                .forEach(eni -> auditor.note(action + " on somebody else's " + eni.id()));
    }

    private static <T> T required(@Nullable T value, String parameter) {
        if (value == null) {
            throw Ec2Refusal.missing(parameter);
        }
        return value;
    }

    private static Map<String, String> tagsFor(String type, List<TagSpecification> all) {
        for (TagSpecification one : all) {
            if (!type.equals(one.resourceTypeAsString())) {
                throw Ec2Refusal.parameterValue(
                        "'%s' is not a valid taggable resource type for this operation."
                                .formatted(one.resourceTypeAsString()));
            }
        }
        return tags(all.stream().flatMap(one -> one.tags().stream()));
    }

    private static Map<String, String> tags(Stream<Tag> tags) {
        Map<String, String> map = new TreeMap<>();
        tags.forEach(tag -> {
            String value = Objects.requireNonNullElse(tag.value(), "");
            if (map.put(required(tag.key(), "Tag.Key"), value) != null) {
                throw Ec2Refusal.parameterValue("Duplicate tag key '" + tag.key() + "'");
            }
        });
        return map;
    }

    private static List<Cidr> addresses(List<String> texts) {
        return texts.stream().map(Ec2Calls::address).toList();
    }

    private static Cidr address(String text) {
        Cidr one = cidr(text);
        if (!one.isAddress()) {
            throw Ec2Refusal.parameterValue("invalid value for parameter address: " + text);
        }
        return one;
    }

    private static List<Cidr> cidrs(List<String> texts) {
        return texts.stream().map(Ec2Calls::cidr).toList();
    }

    private static Cidr cidr(String text) {
        try {
            return Cidr.parse(text);
        } catch (IllegalArgumentException e) {
            throw Ec2Refusal.parameterValue("invalid value for parameter address: " + text);
        }
    }
}
