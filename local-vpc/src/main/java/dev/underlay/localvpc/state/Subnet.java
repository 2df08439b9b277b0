package dev.underlay.localvpc.state;

/**
 * A subnet of the VPC.
 *
 * @param id such as {@code subnet-0ab1}
 * @param cidr its IPv4 block
 * @param zone the availability zone's name
 * @param zoneId the zone's identifier that is the same in every account
 */
public record Subnet(String id, Cidr cidr, String zone, String zoneId) {}
