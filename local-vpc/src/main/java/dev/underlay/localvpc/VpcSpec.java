package dev.underlay.localvpc;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;

/**
 * What a local VPC is made of.
 *
 * @param region an AWS region's name; requests signed for another are refused
 * @param cidrs the VPC's IPv4 CIDRs, the primary one first
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
     */
    public record SubnetSpec(String cidr, String zone) {}

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
        return new VpcSpec(region, cidrs, subnets, fabric, ec2, metadata, dials, clock, seed);
    }

    /** The same with other subnets. */
    public VpcSpec withSubnets(List<SubnetSpec> others) {
        return new VpcSpec(
                region, cidrs, others, fabric, ec2Address, metadataAddress, dials, clock, seed);
    }

    /** The same on another clock. */
    public VpcSpec withClock(InstantSource other) {
        return new VpcSpec(
                region, cidrs, subnets, fabric, ec2Address, metadataAddress, dials, other, seed);
    }

    /** Wall time that never jumps. */
    private static InstantSource monotonic() {
        Instant start = Instant.now();
        long startNanos = System.nanoTime();
        return () -> start.plusNanos(System.nanoTime() - startNanos);
    }
}
