package dev.underlay.localvpc.ec2;

import dev.underlay.localvpc.state.Cidr;
import dev.underlay.localvpc.state.Eni;
import dev.underlay.localvpc.state.Instance;
import dev.underlay.localvpc.state.InstanceType;
import dev.underlay.localvpc.state.Subnet;
import dev.underlay.localvpc.state.Vpc;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;
import software.amazon.awssdk.services.ec2.model.Tag;

/** Which filters each Describe call knows. Names and meaning are the EC2 API reference's. */
final class Describable {
    static final Filters<Eni> INTERFACES =
            new Filters<>(
                    Map.ofEntries(
                            one("network-interface-id", Eni::id),
                            one("subnet-id", eni -> eni.subnet().id()),
                            one("availability-zone", eni -> eni.subnet().zone()),
                            one("status", eni -> eni.status().text()),
                            one("description", Eni::description),
                            one("mac-address", Eni::mac),
                            one("interface-type", _ -> "interface"),
                            one("owner-id", _ -> Vpc.OWNER_ID),
                            one("private-ip-address", eni -> eni.primary().toString()),
                            Map.entry(
                                    "addresses.private-ip-address",
                                    eni ->
                                            Ec2Shapes.addresses(eni).stream()
                                                    .map(Cidr::toString)
                                                    .toList()),
                            Map.entry("group-id", Eni::groups),
                            attached("attachment.attachment-id", Eni.Attachment::id),
                            attached("attachment.instance-id", Eni.Attachment::instanceId),
                            attached(
                                    "attachment.device-index",
                                    at -> Integer.toString(at.deviceIndex())),
                            one("attachment.status", Ec2Shapes::attachmentStatus)),
                    Eni::tags);

    static final Filters<InstanceType> TYPES =
            new Filters<>(
                    Map.ofEntries(
                            one("instance-type", InstanceType::name),
                            one("hypervisor", InstanceType::hypervisor),
                            one("bare-metal", type -> Boolean.toString(type.bareMetal()))),
                    _ -> Map.of());

    static final Filters<software.amazon.awssdk.services.ec2.model.Vpc> VPCS =
            new Filters<>(
                    Map.ofEntries(
                            one("vpc-id", vpc -> vpc.vpcId()),
                            one("cidr", vpc -> vpc.cidrBlock()),
                            one("state", vpc -> vpc.stateAsString())),
                    vpc -> tags(vpc.tags()));

    static final Filters<SecurityGroup> GROUPS =
            new Filters<>(
                    Map.ofEntries(
                            one("group-id", SecurityGroup::groupId),
                            one("group-name", SecurityGroup::groupName),
                            one("vpc-id", SecurityGroup::vpcId)),
                    group -> tags(group.tags()));

    private Describable() {}

    static Filters<Instance> instances(Vpc vpc) {
        return new Filters<>(
                Map.ofEntries(
                        one("instance-id", Instance::id),
                        one("instance-type", Instance::type),
                        one("instance-state-name", instance -> instance.state().text()),
                        one("subnet-id", instance -> instance.subnet().id()),
                        one("availability-zone", instance -> instance.subnet().zone()),
                        one("vpc-id", _ -> vpc.id()),
                        one(
                                "private-ip-address",
                                instance -> instance.primaryAddress().getHostAddress())),
                instance -> vpc.tagsOf(instance.id()));
    }

    static Filters<Subnet> subnets(Vpc vpc) {
        return new Filters<>(
                Map.ofEntries(
                        one("subnet-id", Subnet::id),
                        one("availability-zone", Subnet::zone),
                        one("availability-zone-id", Subnet::zoneId),
                        one("cidr-block", subnet -> subnet.cidr().toString()),
                        one("state", _ -> "available"),
                        one("vpc-id", _ -> vpc.id())),
                subnet -> vpc.tagsOf(subnet.id()));
    }

    private static <T> Map.Entry<String, Function<T, List<String>>> one(
            String name, Function<T, @Nullable String> value) {
        return Map.entry(
                name,
                thing -> {
                    String text = value.apply(thing);
                    return text == null ? List.of() : List.of(text);
                });
    }

    private static Map.Entry<String, Function<Eni, List<String>>> attached(
            String name, Function<Eni.Attachment, String> value) {
        return one(name, eni -> eni.attachment() == null ? null : value.apply(eni.attachment()));
    }

    private static Map<String, String> tags(List<Tag> tags) {
        Map<String, String> map = new TreeMap<>();
        tags.forEach(tag -> map.put(tag.key(), tag.value()));
        return map;
    }
}
