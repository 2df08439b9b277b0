package dev.underlay.cloud.aws;

import dev.underlay.cloud.aws.CallGuard.Kind;

/** The EC2 actions that are used; a node's IAM policy needs these and no other. */
enum Ec2Action {
    DESCRIBE_NETWORK_INTERFACES("DescribeNetworkInterfaces", Kind.READ),
    DESCRIBE_SUBNETS("DescribeSubnets", Kind.READ),
    DESCRIBE_INSTANCE_TYPES("DescribeInstanceTypes", Kind.READ),
    /** Has a client token: a repeat gives the same interface. */
    CREATE_NETWORK_INTERFACE("CreateNetworkInterface", Kind.CHANGE),
    ATTACH_NETWORK_INTERFACE("AttachNetworkInterface", Kind.CHANGE_ONCE),
    MODIFY_NETWORK_INTERFACE_ATTRIBUTE("ModifyNetworkInterfaceAttribute", Kind.CHANGE),
    ASSIGN_PRIVATE_IP_ADDRESSES("AssignPrivateIpAddresses", Kind.CHANGE_ONCE),
    ASSIGN_IPV6_ADDRESSES("AssignIpv6Addresses", Kind.CHANGE_ONCE),
    UNASSIGN_PRIVATE_IP_ADDRESSES("UnassignPrivateIpAddresses", Kind.CHANGE_ONCE),
    UNASSIGN_IPV6_ADDRESSES("UnassignIpv6Addresses", Kind.CHANGE_ONCE),
    DETACH_NETWORK_INTERFACE("DetachNetworkInterface", Kind.CHANGE_ONCE),
    DELETE_NETWORK_INTERFACE("DeleteNetworkInterface", Kind.CHANGE_ONCE),
    CREATE_TAGS("CreateTags", Kind.CHANGE);

    private final String wireName;
    private final Kind kind;

    Ec2Action(String wireName, Kind kind) {
        this.wireName = wireName;
        this.kind = kind;
    }

    /** The action's name in the API. */
    String wireName() {
        return wireName;
    }

    Kind kind() {
        return kind;
    }

    /** The IAM actions without which it is refused. */
    String permission() {
        return this == CREATE_NETWORK_INTERFACE
                ? "ec2:CreateNetworkInterface (and ec2:CreateTags on network-interface/*)"
                : "ec2:" + wireName;
    }
}
