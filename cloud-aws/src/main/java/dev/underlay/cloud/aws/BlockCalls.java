package dev.underlay.cloud.aws;

import dev.underlay.pool.BlockKind;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.IpAddress;
import java.util.List;
import java.util.Set;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.AssignIpv6AddressesRequest;
import software.amazon.awssdk.services.ec2.model.AssignPrivateIpAddressesRequest;
import software.amazon.awssdk.services.ec2.model.AssignPrivateIpAddressesResponse;
import software.amazon.awssdk.services.ec2.model.UnassignIpv6AddressesRequest;
import software.amazon.awssdk.services.ec2.model.UnassignPrivateIpAddressesRequest;

/** The four requests that put blocks on an interface and take them off, one request a call. */
final class BlockCalls {
    private final Ec2Api ec2;

    BlockCalls(Ec2Api ec2) {
        this.ec2 = ec2;
    }

    /** Asks for blocks; the result are those that are new. */
    List<Cidr> assign(NodeInterface before, BlockKind kind, int count, Deadline deadline)
            throws CallFailure {
        try {
            return request(before, kind, count, deadline);
        } catch (CallFailure failure) {
            throw kind.delegated() ? Ec2Errors.ofPrefixes(failure) : failure;
        }
    }

    private List<Cidr> request(NodeInterface before, BlockKind kind, int count, Deadline deadline)
            throws CallFailure {
        String id = before.cloud().id();
        String thing = count + " blocks on " + id + " (" + before.cloud().subnetId() + ")";
        return switch (kind) {
            case SECONDARY_ADDRESS, PREFIX_28 -> {
                AssignPrivateIpAddressesRequest.Builder request =
                        AssignPrivateIpAddressesRequest.builder().networkInterfaceId(id);
                yield ec2.call(
                        Ec2Action.ASSIGN_PRIVATE_IP_ADDRESSES,
                        thing,
                        deadline,
                        kind == BlockKind.PREFIX_28
                                ? request.ipv4PrefixCount(count).build()
                                : request.secondaryPrivateIpAddressCount(count).build(),
                        Ec2Client::assignPrivateIpAddresses,
                        answer -> added(before, kind, count, listed(answer, kind)));
            }
            case PREFIX_80 ->
                    ec2.call(
                            Ec2Action.ASSIGN_IPV6_ADDRESSES,
                            thing,
                            deadline,
                            AssignIpv6AddressesRequest.builder()
                                    .networkInterfaceId(id)
                                    .ipv6PrefixCount(count)
                                    .build(),
                            Ec2Client::assignIpv6Addresses,
                            answer ->
                                    added(
                                            before,
                                            kind,
                                            count,
                                            answer.assignedIpv6Prefixes().stream()
                                                    .map(Cidr::parse)
                                                    .toList()));
        };
    }

    private static List<Cidr> listed(AssignPrivateIpAddressesResponse answer, BlockKind kind) {
        return kind == BlockKind.PREFIX_28
                ? answer.assignedIpv4Prefixes().stream()
                        .map(prefix -> NodeInterface.cidr(prefix.ipv4Prefix()))
                        .toList()
                : answer.assignedPrivateIpAddresses().stream()
                        .map(address -> NodeInterface.cidr(address.privateIpAddress()))
                        .toList();
    }

    /**
     * What an assign added. EC2 lists what is new; its documentation does not promise that, and
     * some that speak its protocol list everything. An answer longer than what was asked for, or
     * one that names the interface's own address, is such a list.
     */
    private static List<Cidr> added(
            NodeInterface before, BlockKind kind, int count, List<Cidr> listed) {
        if (listed.isEmpty()) {
            throw new IllegalArgumentException("no block of kind " + kind + " in it");
        }
        Cidr own = Cidr.of(before.cloud().primaryAddress());
        if (listed.size() <= count && !listed.contains(own)) {
            return listed.stream().sorted().toList();
        }
        Set<Cidr> had = Set.copyOf(before.cloud().blocks());
        return listed.stream()
                .filter(block -> !block.equals(own) && !had.contains(block))
                .sorted()
                .toList();
    }

    /** Gives blocks of one family back; the result is the same list. */
    List<Cidr> unassign(
            String interfaceId, IpAddress.Family family, List<Cidr> blocks, Deadline deadline)
            throws CallFailure {
        String thing = blocks + " on " + interfaceId;
        return switch (family) {
            case IPV4 ->
                    ec2.call(
                            Ec2Action.UNASSIGN_PRIVATE_IP_ADDRESSES,
                            thing,
                            deadline,
                            unassignIpv4(interfaceId, blocks),
                            Ec2Client::unassignPrivateIpAddresses,
                            _ -> blocks);
            case IPV6 ->
                    ec2.call(
                            Ec2Action.UNASSIGN_IPV6_ADDRESSES,
                            thing,
                            deadline,
                            UnassignIpv6AddressesRequest.builder()
                                    .networkInterfaceId(interfaceId)
                                    .ipv6Prefixes(blocks.stream().map(Cidr::toString).toList())
                                    .build(),
                            Ec2Client::unassignIpv6Addresses,
                            _ -> blocks);
        };
    }

    private static UnassignPrivateIpAddressesRequest unassignIpv4(
            String interfaceId, List<Cidr> blocks) {
        List<String> addresses =
                blocks.stream()
                        .filter(b -> b.prefixLength() == 32)
                        .map(b -> b.network().toString())
                        .toList();
        List<String> prefixes =
                blocks.stream().filter(b -> b.prefixLength() != 32).map(Cidr::toString).toList();
        UnassignPrivateIpAddressesRequest.Builder request =
                UnassignPrivateIpAddressesRequest.builder().networkInterfaceId(interfaceId);
        if (!addresses.isEmpty()) {
            request.privateIpAddresses(addresses);
        }
        if (!prefixes.isEmpty()) {
            request.ipv4Prefixes(prefixes);
        }
        return request.build();
    }
}
