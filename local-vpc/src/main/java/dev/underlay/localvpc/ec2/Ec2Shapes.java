package dev.underlay.localvpc.ec2;

import dev.underlay.localvpc.state.Cidr;
import dev.underlay.localvpc.state.Eni;
import dev.underlay.localvpc.state.Instance;
import dev.underlay.localvpc.state.InstanceType;
import dev.underlay.localvpc.state.Subnet;
import dev.underlay.localvpc.state.Vpc;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.GroupIdentifier;
import software.amazon.awssdk.services.ec2.model.InstanceIpv6Address;
import software.amazon.awssdk.services.ec2.model.InstanceIpv6Prefix;
import software.amazon.awssdk.services.ec2.model.InstanceNetworkInterface;
import software.amazon.awssdk.services.ec2.model.InstanceNetworkInterfaceAttachment;
import software.amazon.awssdk.services.ec2.model.InstancePrivateIpAddress;
import software.amazon.awssdk.services.ec2.model.InstanceTypeInfo;
import software.amazon.awssdk.services.ec2.model.Ipv4PrefixSpecification;
import software.amazon.awssdk.services.ec2.model.Ipv6PrefixSpecification;
import software.amazon.awssdk.services.ec2.model.NetworkCardInfo;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceAttachment;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceIpv6Address;
import software.amazon.awssdk.services.ec2.model.NetworkInterfacePrivateIpAddress;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;
import software.amazon.awssdk.services.ec2.model.SubnetIpv6CidrBlockAssociation;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.VpcCidrBlockAssociation;
import software.amazon.awssdk.services.ec2.model.VpcIpv6CidrBlockAssociation;

/** The state's things as EC2's answers show them. */
final class Ec2Shapes {
    private final Vpc vpc;

    Ec2Shapes(Vpc vpc) {
        this.vpc = vpc;
    }

    NetworkInterface networkInterface(Eni eni) {
        Eni.Attachment attachment = eni.attachment();
        NetworkInterface.Builder shape =
                NetworkInterface.builder()
                        .networkInterfaceId(eni.id())
                        .subnetId(eni.subnet().id())
                        .vpcId(vpc.id())
                        .availabilityZone(eni.subnet().zone())
                        .description(eni.description())
                        .ownerId(Vpc.OWNER_ID)
                        .requesterManaged(false)
                        .status(eni.status().text())
                        .macAddress(eni.mac())
                        .interfaceType("interface")
                        .sourceDestCheck(eni.sourceDestCheck())
                        .privateIpAddress(eni.primary().toString())
                        .groups(groups(eni))
                        .tagSet(tags(eni.tags()))
                        .privateIpAddresses(
                                addresses(eni).stream()
                                        .map(address ->
                                                NetworkInterfacePrivateIpAddress.builder()
                                                        .primary(address.equals(eni.primary()))
                                                        .privateIpAddress(address.toString())
                                                        .build())
                                        .toList())
                        .ipv4Prefixes(prefixes(eni.ipv4Prefixes()))
                        .ipv6Address(ipv6Address(eni))
                        .ipv6Addresses(
                                eni.ipv6Addresses().stream()
                                        .map(address ->
                                                NetworkInterfaceIpv6Address.builder()
                                                        .ipv6Address(address.toString())
                                                        .build())
                                        .toList())
                        .ipv6Prefixes(
                                eni.ipv6Prefixes().stream()
                                        .map(block ->
                                                Ipv6PrefixSpecification.builder()
                                                        .ipv6Prefix(block.toString())
                                                        .build())
                                        .toList());
        if (attachment != null) {
            shape.attachment(
                    NetworkInterfaceAttachment.builder()
                            .attachmentId(attachment.id())
                            .instanceId(attachment.instanceId())
                            .instanceOwnerId(Vpc.OWNER_ID)
                            .deviceIndex(attachment.deviceIndex())
                            .networkCardIndex(attachment.cardIndex())
                            .deleteOnTermination(attachment.deleteOnTermination())
                            .attachTime(attachment.since())
                            .status(attachmentStatus(eni))
                            .build());
        }
        return shape.build();
    }

    software.amazon.awssdk.services.ec2.model.Instance instance(
            Instance instance, List<Eni> interfaces) {
        return software.amazon.awssdk.services.ec2.model.Instance.builder()
                .instanceId(instance.id())
                .instanceType(instance.type())
                .vpcId(vpc.id())
                .subnetId(instance.subnet().id())
                .privateIpAddress(instance.primaryAddress().getHostAddress())
                .ipv6Address(
                        interfaces.stream()
                                .filter(eni -> eni.id().equals(instance.primaryInterfaceId()))
                                .flatMap(eni -> eni.ipv6Addresses().stream())
                                .map(Cidr::toString)
                                .findFirst()
                                .orElse(null))
                .launchTime(instance.launchTime())
                .placement(placement -> placement.availabilityZone(instance.subnet().zone()))
                .state(state -> state.code(instance.state().code()).name(instance.state().text()))
                .tags(tags(vpc.tagsOf(instance.id())))
                .networkInterfaces(interfaces.stream().map(this::ofInstance).toList())
                .build();
    }

    software.amazon.awssdk.services.ec2.model.Subnet subnet(Subnet subnet) {
        return software.amazon.awssdk.services.ec2.model.Subnet.builder()
                .subnetId(subnet.id())
                .vpcId(vpc.id())
                .ownerId(Vpc.OWNER_ID)
                .state("available")
                .cidrBlock(subnet.cidr().toString())
                .ipv6CidrBlockAssociationSet(
                        Stream.ofNullable(subnet.ipv6Cidr())
                                .map(cidr ->
                                        SubnetIpv6CidrBlockAssociation.builder()
                                                .ipv6CidrBlock(cidr.toString())
                                                .ipv6CidrBlockState(s -> s.state("associated"))
                                                .build())
                                .toList())
                .assignIpv6AddressOnCreation(false)
                .availabilityZone(subnet.zone())
                .availabilityZoneId(subnet.zoneId())
                .availableIpAddressCount(vpc.freeAddresses(subnet.id()))
                .tags(tags(vpc.tagsOf(subnet.id())))
                .build();
    }

    software.amazon.awssdk.services.ec2.model.Vpc vpc() {
        return software.amazon.awssdk.services.ec2.model.Vpc.builder()
                .vpcId(vpc.id())
                .ownerId(Vpc.OWNER_ID)
                .state("available")
                .cidrBlock(vpc.cidrs().get(0).toString())
                .cidrBlockAssociationSet(
                        vpc.cidrs().stream()
                                .map(cidr ->
                                        VpcCidrBlockAssociation.builder()
                                                .cidrBlock(cidr.toString())
                                                .cidrBlockState(state -> state.state("associated"))
                                                .build())
                                .toList())
                .ipv6CidrBlockAssociationSet(
                        Stream.ofNullable(vpc.ipv6Cidr())
                                .map(cidr ->
                                        VpcIpv6CidrBlockAssociation.builder()
                                                .ipv6CidrBlock(cidr.toString())
                                                .ipv6CidrBlockState(s -> s.state("associated"))
                                                .build())
                                .toList())
                .tags(tags(vpc.tagsOf(vpc.id())))
                .build();
    }

    SecurityGroup defaultGroup() {
        return SecurityGroup.builder()
                .groupId(vpc.defaultGroup())
                .groupName("default")
                .description("default VPC security group")
                .vpcId(vpc.id())
                .ownerId(Vpc.OWNER_ID)
                .tags(tags(vpc.tagsOf(vpc.defaultGroup())))
                .build();
    }

    static InstanceTypeInfo instanceType(InstanceType type) {
        List<NetworkCardInfo> cards =
                IntStream.range(0, type.cards())
                        .mapToObj(index ->
                                NetworkCardInfo.builder()
                                        .networkCardIndex(index)
                                        .maximumNetworkInterfaces(type.interfacesPerCard())
                                        .build())
                        .toList();
        InstanceTypeInfo.Builder shape =
                InstanceTypeInfo.builder()
                        .instanceType(type.name())
                        .bareMetal(type.bareMetal())
                        .networkInfo(info ->
                                info.maximumNetworkInterfaces(
                                                type.interfacesPerCard() * type.cards())
                                        .ipv4AddressesPerInterface(type.addressesPerInterface())
                                        .ipv6AddressesPerInterface(type.addressesPerInterface())
                                        .ipv6Supported(true)
                                        .defaultNetworkCardIndex(0)
                                        .maximumNetworkCards(type.cards())
                                        .networkCards(cards));
        return type.hypervisor().equals("unknown")
                ? shape.build()
                : shape.hypervisor(type.hypervisor()).build();
    }

    static List<Ipv4PrefixSpecification> prefixes(List<Cidr> blocks) {
        return blocks.stream()
                .map(block ->
                        Ipv4PrefixSpecification.builder().ipv4Prefix(block.toString()).build())
                .toList();
    }

    /** The first IPv6 address; null if there is none. */
    private static @Nullable String ipv6Address(Eni eni) {
        return eni.ipv6Addresses().isEmpty() ? null : eni.ipv6Addresses().get(0).toString();
    }

    /** What an attachment's status says; null if there is none. */
    static @Nullable String attachmentStatus(Eni eni) {
        return switch (eni.status()) {
            case ATTACHING -> "attaching";
            case IN_USE -> "attached";
            case DETACHING -> "detaching";
            case PENDING, AVAILABLE -> null;
        };
    }

    /** The primary IPv4 address and the secondary ones. */
    static List<Cidr> addresses(Eni eni) {
        return eni.allBlocks().stream()
                .filter(block -> block.isIpv4() && block.isAddress())
                .toList();
    }

    private InstanceNetworkInterface ofInstance(Eni eni) {
        Eni.Attachment attachment = Objects.requireNonNull(eni.attachment());
        return InstanceNetworkInterface.builder()
                .networkInterfaceId(eni.id())
                .subnetId(eni.subnet().id())
                .vpcId(vpc.id())
                .description(eni.description())
                .ownerId(Vpc.OWNER_ID)
                .status(eni.status().text())
                .macAddress(eni.mac())
                .interfaceType("interface")
                .sourceDestCheck(eni.sourceDestCheck())
                .privateIpAddress(eni.primary().toString())
                .groups(groups(eni))
                .privateIpAddresses(
                        addresses(eni).stream()
                                .map(address ->
                                        InstancePrivateIpAddress.builder()
                                                .primary(address.equals(eni.primary()))
                                                .privateIpAddress(address.toString())
                                                .build())
                                .toList())
                .ipv4Prefixes(
                        eni.ipv4Prefixes().stream()
                                .map(block ->
                                        software.amazon.awssdk.services.ec2.model.InstanceIpv4Prefix
                                                .builder()
                                                .ipv4Prefix(block.toString())
                                                .build())
                                .toList())
                .ipv6Addresses(
                        eni.ipv6Addresses().stream()
                                .map(address ->
                                        InstanceIpv6Address.builder()
                                                .ipv6Address(address.toString())
                                                .build())
                                .toList())
                .ipv6Prefixes(
                        eni.ipv6Prefixes().stream()
                                .map(block ->
                                        InstanceIpv6Prefix.builder()
                                                .ipv6Prefix(block.toString())
                                                .build())
                                .toList())
                .attachment(
                        InstanceNetworkInterfaceAttachment.builder()
                                .attachmentId(attachment.id())
                                .deviceIndex(attachment.deviceIndex())
                                .networkCardIndex(attachment.cardIndex())
                                .deleteOnTermination(attachment.deleteOnTermination())
                                .attachTime(attachment.since())
                                .status(attachmentStatus(eni))
                                .build())
                .build();
    }

    private static List<GroupIdentifier> groups(Eni eni) {
        return eni.groups().stream()
                .map(group -> GroupIdentifier.builder().groupId(group).groupName("default").build())
                .toList();
    }

    private static List<Tag> tags(Map<String, String> tags) {
        return tags.entrySet().stream()
                .map(tag -> Tag.builder().key(tag.getKey()).value(tag.getValue()).build())
                .toList();
    }
}
