package dev.underlay.localvpc.state;

import org.jspecify.annotations.Nullable;

/**
 * A subnet of the VPC.
 *
 * @param id such as {@code subnet-0ab1}
 * @param cidr its IPv4 block
 * @param ipv6Cidr its IPv6 block; null for one without
 * @param zone the availability zone's name
 * @param zoneId the zone's identifier that is the same in every account
 */
public record Subnet(String id, Cidr cidr, @Nullable Cidr ipv6Cidr, String zone, String zoneId) {}
