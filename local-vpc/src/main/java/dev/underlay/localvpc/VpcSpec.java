package dev.underlay.localvpc;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a local VPC is made of.
 *
 * @param region an AWS region's name; requests signed for another are refused
 * @param cidrs the VPC's IPv4 CIDRs, the primary one first
 * @param ipv6Cidr the VPC's IPv6 /56; null for a VPC without IPv6
 * @param subnets at least one
 * @param fabric carries the packets
 * @param ec2Address where EC2 listens; port 0 takes a free one
 * @param metadataAddress where the instance metadata service listens; port 0 takes a free one
 * @param dials how slow, how stale and how broken it is; can be turned while it runs
 * @param clock moves states on; a virtual one makes lags testable
 * @param seed of every random choice: addresses, identifiers
 */
public record VpcSpec(
        String region,
        List<String> cidrs,
        @Nullable String ipv6Cidr,
        List<SubnetSpec> subnets,
        Fabric fabric,
        InetSocketAddress ec2Address,
        InetSocketAddress metadataAddress,
        Dials dials,
        InstantSource clock,
        long seed) {

    /**
     * A subnet of the VPC.
     *
     * @param cidr inside one of the VPC's
     * @param zone the availability zone's name, such as {@code us-east-1a}
     * @param ipv6Cidr a /64 inside the VPC's IPv6 block; null for a subnet without IPv6
     */
    public record SubnetSpec(String cidr, String zone, @Nullable String ipv6Cidr) {
        /** One without IPv6. */
        public SubnetSpec(String cidr, String zone) {
            this(cidr, zone, null);
        }
    }

    /** Copies the lists. */
    public VpcSpec {
        cidrs = List.copyOf(cidrs);
        subnets = List.copyOf(subnets);
    }

    /**
     * 10.0.0.0/16 in us-east-1 with 10.0.0.0/24 in zone a and 10.0.1.0/24 in zone b, on free
     * loopback ports, without latency or faults.
     */
    public static VpcSpec loopback(Fabric fabric) {
        InetSocketAddress anyPort = new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0);
        return new VpcSpec(
                "us-east-1",
                List.of("10.0.0.0/16"),
                null,
                List.of(
                        new SubnetSpec("10.0.0.0/24", "us-east-1a"),
                        new SubnetSpec("10.0.1.0/24", "us-east-1b")),
                fabric,
                anyPort,
                anyPort,
                new Dials(),
                monotonic(),
                1);
    }

    /** The same with the endpoints where instances look for them. */
    public VpcSpec withAddresses(InetSocketAddress ec2, InetSocketAddress metadata) {
        return new VpcSpec(
                region, cidrs, ipv6Cidr, subnets, fabric, ec2, metadata, dials, clock, seed);
    }

    /** The same with other subnets. */
    public VpcSpec withSubnets(List<SubnetSpec> others) {
        return with(ipv6Cidr, others, clock);
    }

    /** The same with 2001:db8:0:100::/56, of which the n-th subnet has the n-th /64. */
    public VpcSpec withIpv6() {
        List<SubnetSpec> dual = new ArrayList<>();
        for (SubnetSpec subnet : subnets) {
            String ipv6 = "2001:db8:0:1%02x::/64".formatted(dual.size());
            dual.add(new SubnetSpec(subnet.cidr, subnet.zone, ipv6));
        }
        return with("2001:db8:0:100::/56", dual, clock);
    }

    /** The same on another clock. */
    public VpcSpec withClock(InstantSource other) {
        return with(ipv6Cidr, subnets, other);
    }

    private VpcSpec with(
            @Nullable String newIpv6Cidr, List<SubnetSpec> newSubnets, InstantSource newClock) {
        return new VpcSpec(
                region,
                cidrs,
                newIpv6Cidr,
                newSubnets,
                fabric,
                ec2Address,
                metadataAddress,
                dials,
                newClock,
                seed);
    }

    /** Wall time that never jumps. */
    private static InstantSource monotonic() {
        Instant start = Instant.now();
        long startNanos = System.nanoTime();
        return () -> start.plusNanos(System.nanoTime() - startNanos);
    }
}
