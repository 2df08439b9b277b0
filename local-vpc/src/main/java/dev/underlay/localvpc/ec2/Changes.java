package dev.underlay.localvpc.ec2;

import dev.underlay.localvpc.Auditor;
import dev.underlay.localvpc.Dials;
import dev.underlay.localvpc.state.BlockRequest;
import dev.underlay.localvpc.state.Cidr;
import dev.underlay.localvpc.state.Ec2Refusal;
import dev.underlay.localvpc.state.Eni;
import dev.underlay.localvpc.state.Vpc;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.services.ec2.model.AssignIpv6AddressesRequest;
import software.amazon.awssdk.services.ec2.model.AssignIpv6AddressesResponse;
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
import software.amazon.awssdk.services.ec2.model.DetachNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.DetachNetworkInterfaceResponse;
import software.amazon.awssdk.services.ec2.model.ModifyNetworkInterfaceAttributeRequest;
import software.amazon.awssdk.services.ec2.model.ModifyNetworkInterfaceAttributeResponse;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.TagSpecification;
import software.amazon.awssdk.services.ec2.model.UnassignIpv6AddressesRequest;
import software.amazon.awssdk.services.ec2.model.UnassignIpv6AddressesResponse;
import software.amazon.awssdk.services.ec2.model.UnassignPrivateIpAddressesRequest;
import software.amazon.awssdk.services.ec2.model.UnassignPrivateIpAddressesResponse;

/** The actions that change something. */
final class Changes {
    private final Vpc vpc;
    private final Dials dials;
    private final Auditor auditor;
    private final Ec2Shapes shapes;

    Changes(Vpc vpc, Dials dials, Auditor auditor, Ec2Shapes shapes) {
        this.vpc = vpc;
        this.dials = dials;
        this.auditor = auditor;
        this.shapes = shapes;
    }

    void addTo(Ec2Calls calls) {
        calls.add(
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
                "Ipv6Addresses",
                "Ipv6AddressCount",
                "Ipv6Prefix",
                "Ipv6PrefixCount",
                "TagSpecification",
                "ClientToken",
                "DryRun");
        calls.add(
                "AttachNetworkInterface",
                AttachNetworkInterfaceRequest::builder,
                AttachNetworkInterfaceRequest.class,
                this::attach,
                "NetworkInterfaceId",
                "InstanceId",
                "DeviceIndex",
                "NetworkCardIndex",
                "DryRun");
        calls.add(
                "DetachNetworkInterface",
                DetachNetworkInterfaceRequest::builder,
                DetachNetworkInterfaceRequest.class,
                this::detach,
                "AttachmentId",
                "Force",
                "DryRun");
        calls.add(
                "DeleteNetworkInterface",
                DeleteNetworkInterfaceRequest::builder,
                DeleteNetworkInterfaceRequest.class,
                this::delete,
                "NetworkInterfaceId",
                "DryRun");
        calls.add(
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
        calls.add(
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
        calls.add(
                "UnassignPrivateIpAddresses",
                UnassignPrivateIpAddressesRequest::builder,
                UnassignPrivateIpAddressesRequest.class,
                this::unassign,
                "NetworkInterfaceId",
                "PrivateIpAddress",
                "Ipv4Prefix");
        calls.add(
                "AssignIpv6Addresses",
                AssignIpv6AddressesRequest::builder,
                AssignIpv6AddressesRequest.class,
                this::assignIpv6,
                "NetworkInterfaceId",
                "Ipv6Addresses",
                "Ipv6AddressCount",
                "Ipv6Prefix",
                "Ipv6PrefixCount");
        calls.add(
                "UnassignIpv6Addresses",
                UnassignIpv6AddressesRequest::builder,
                UnassignIpv6AddressesRequest.class,
                this::unassignIpv6,
                "NetworkInterfaceId",
                "Ipv6Addresses",
                "Ipv6Prefix");
        calls.add(
                "CreateTags",
                CreateTagsRequest::builder,
                CreateTagsRequest.class,
                this::createTags,
                "ResourceId",
                "Tag",
                "DryRun");
    }

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
                        false,
                        others.isEmpty() ? null : others,
                        request.secondaryPrivateIpAddressCount(),
                        request.hasIpv4Prefixes()
                                ? request.ipv4Prefixes().stream()
                                        .map(p -> cidr(required(p.ipv4Prefix(), "Ipv4Prefix")))
                                        .toList()
                                : null,
                        request.ipv4PrefixCount());
        BlockRequest wantedIpv6 =
                new BlockRequest(
                        true,
                        request.hasIpv6Addresses()
                                ? request.ipv6Addresses().stream()
                                        .map(a -> address(required(a.ipv6Address(), "Ipv6Address")))
                                        .toList()
                                : null,
                        request.ipv6AddressCount(),
                        request.hasIpv6Prefixes()
                                ? request.ipv6Prefixes().stream()
                                        .map(p -> cidr(required(p.ipv6Prefix(), "Ipv6Prefix")))
                                        .toList()
                                : null,
                        request.ipv6PrefixCount());
        Eni made =
                vpc.create(
                        new Vpc.NewEni(
                                required(request.subnetId(), "subnetId"),
                                primary,
                                wanted,
                                wantedIpv6,
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
                        false,
                        request.hasPrivateIpAddresses()
                                ? addresses(request.privateIpAddresses())
                                : null,
                        request.secondaryPrivateIpAddressCount(),
                        request.hasIpv4Prefixes() ? cidrs(request.ipv4Prefixes()) : null,
                        request.ipv4PrefixCount());
        List<Cidr> fresh =
                vpc.assign(eniId, wanted, Boolean.TRUE.equals(request.allowReassignment()));
        List<Cidr> listed = listed(eniId, fresh, true);
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

    private SdkPojo assignIpv6(AssignIpv6AddressesRequest request) {
        String eniId = required(request.networkInterfaceId(), "networkInterfaceId");
        noteForeign("AssignIpv6Addresses", eni -> eni.id().equals(eniId));
        BlockRequest wanted =
                new BlockRequest(
                        true,
                        request.hasIpv6Addresses() ? addresses(request.ipv6Addresses()) : null,
                        request.ipv6AddressCount(),
                        request.hasIpv6Prefixes() ? cidrs(request.ipv6Prefixes()) : null,
                        request.ipv6PrefixCount());
        List<Cidr> listed = listed(eniId, vpc.assign(eniId, wanted, false), false);
        return AssignIpv6AddressesResponse.builder()
                .networkInterfaceId(eniId)
                .assignedIpv6Addresses(texts(listed.stream().filter(Cidr::isAddress)))
                .assignedIpv6Prefixes(texts(listed.stream().filter(b -> !b.isAddress())))
                .build();
    }

    private SdkPojo unassignIpv6(UnassignIpv6AddressesRequest request) {
        String eniId = required(request.networkInterfaceId(), "networkInterfaceId");
        noteForeign("UnassignIpv6Addresses", eni -> eni.id().equals(eniId));
        List<Cidr> addresses = addresses(request.ipv6Addresses());
        List<Cidr> prefixes = cidrs(request.ipv6Prefixes());
        List<Cidr> blocks = Stream.concat(addresses.stream(), prefixes.stream()).toList();
        checkFamily(blocks, false);
        vpc.unassign(eniId, blocks);
        return UnassignIpv6AddressesResponse.builder()
                .networkInterfaceId(eniId)
                .unassignedIpv6Addresses(texts(addresses.stream()))
                .unassignedIpv6Prefixes(texts(prefixes.stream()))
                .build();
    }

    /** What an assign answers: what is new, or all of the family where it was dialled so. */
    private List<Cidr> listed(String eniId, List<Cidr> fresh, boolean ipv4) {
        return !dials.assignListsAll()
                ? fresh
                : vpc.enis().stream()
                        .filter(eni -> eni.id().equals(eniId))
                        .flatMap(eni -> eni.allBlocks().stream())
                        .filter(block -> block.isIpv4() == ipv4)
                        .toList();
    }

    private static List<String> texts(Stream<Cidr> blocks) {
        return blocks.map(Cidr::toString).toList();
    }

    private static void checkFamily(List<Cidr> blocks, boolean ipv4) {
        for (Cidr block : blocks) {
            if (block.isIpv4() != ipv4) {
                throw Ec2Refusal.parameterValue("invalid value for parameter address: " + block);
            }
        }
    }

    private SdkPojo unassign(UnassignPrivateIpAddressesRequest request) {
        String eniId = required(request.networkInterfaceId(), "networkInterfaceId");
        noteForeign("UnassignPrivateIpAddresses", eni -> eni.id().equals(eniId));
        List<Cidr> blocks = new ArrayList<>(addresses(request.privateIpAddresses()));
        blocks.addAll(cidrs(request.ipv4Prefixes()));
        checkFamily(blocks, true);
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
        return texts.stream().map(Changes::address).toList();
    }

    private static Cidr address(String text) {
        Cidr one = cidr(text);
        if (!one.isAddress()) {
            throw Ec2Refusal.parameterValue("invalid value for parameter address: " + text);
        }
        return one;
    }

    private static List<Cidr> cidrs(List<String> texts) {
        return texts.stream().map(Changes::cidr).toList();
    }

    private static Cidr cidr(String text) {
        try {
            return Cidr.parse(text);
        } catch (IllegalArgumentException e) {
            throw Ec2Refusal.parameterValue("invalid value for parameter address: " + text);
        }
    }
}
