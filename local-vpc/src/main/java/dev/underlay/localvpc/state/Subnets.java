package dev.underlay.localvpc.state;

import dev.underlay.localvpc.Dials;
import dev.underlay.localvpc.Lag;
import dev.underlay.localvpc.VpcSpec;
import dev.underlay.localvpc.state.Ec2Refusal.Resource;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The subnets with their addresses, and how a full one says so. Belongs to the VPC's lock. */
final class Subnets {
    private final Map<String, Subnet> byId = new LinkedHashMap<>();
    private final Map<String, AddressSpace> spaces = new LinkedHashMap<>();
    private final Map<String, Ipv6Space> ipv6Spaces = new LinkedHashMap<>();
    private final Dials dials;

    /**
     * Empty subnets.
     *
     * @throws IllegalArgumentException for one outside the VPC, or one that overlaps another
     */
    Subnets(
            VpcSpec spec,
            List<Cidr> vpcCidrs,
            @Nullable Cidr vpcIpv6,
            Supplier<String> newId,
            SplittableRandom random) {
        dials = spec.dials();
        for (VpcSpec.SubnetSpec wanted : spec.subnets()) {
            Cidr cidr = Cidr.parse(wanted.cidr());
            if (vpcCidrs.stream().noneMatch(vpcCidr -> vpcCidr.contains(cidr))) {
                throw new IllegalArgumentException(cidr + " lies in none of " + vpcCidrs);
            }
            for (Subnet other : byId.values()) {
                if (other.cidr().overlaps(cidr)) {
                    throw new IllegalArgumentException(cidr + " overlaps " + other.cidr());
                }
            }
            Cidr ipv6 = wanted.ipv6Cidr() == null ? null : Cidr.parse(wanted.ipv6Cidr());
            if (ipv6 != null) {
                checkIpv6(ipv6, vpcIpv6);
            }
            String zone = wanted.zone();
            String zoneId = spec.region() + "-az" + (zone.charAt(zone.length() - 1) - 'a' + 1);
            Subnet subnet = new Subnet(newId.get(), cidr, ipv6, zone, zoneId);
            byId.put(subnet.id(), subnet);
            spaces.put(subnet.id(), new AddressSpace(cidr, random));
            if (ipv6 != null) {
                ipv6Spaces.put(subnet.id(), new Ipv6Space(ipv6, random));
            }
        }
    }

    private void checkIpv6(Cidr ipv6, @Nullable Cidr vpcIpv6) {
        if (vpcIpv6 == null || !vpcIpv6.contains(ipv6)) {
            throw new IllegalArgumentException(ipv6 + " lies not in the VPC's IPv6 " + vpcIpv6);
        }
        for (Subnet other : byId.values()) {
            if (ipv6.equals(other.ipv6Cidr())) {
                throw new IllegalArgumentException(ipv6 + " is the block of two subnets");
            }
        }
    }

    List<Subnet> all() {
        return List.copyOf(byId.values());
    }

    Subnet get(String subnetId) {
        Subnet subnet = byId.get(subnetId);
        if (subnet == null) {
            throw Ec2Refusal.notFound(Resource.SUBNET, subnetId);
        }
        return subnet;
    }

    /** How many IPv4 addresses are free; none in a subnet that was told to be full. */
    int free(Subnet subnet) {
        return dials.isExhausted(subnet.id()) ? 0 : space(subnet).free();
    }

    /** Runs the body; whatever it took of the subnet is given back if it is refused. */
    <T> T allOrNothing(Subnet subnet, Supplier<T> body) {
        Ipv6Space ipv6 = ipv6Spaces.get(subnet.id());
        return space(subnet).allOrNothing(ipv6 == null ? body : () -> ipv6.allOrNothing(body));
    }

    /** Refuses a block that EC2 never gives here. */
    void checkGrantable(Subnet subnet, Cidr block) {
        boolean grantable =
                block.isIpv4()
                        ? space(subnet).isGrantable(block)
                        : ipv6Space(subnet).isGrantable(block);
        if (!grantable) {
            throw Ec2Refusal.parameterValue("invalid value for parameter address: " + block);
        }
    }

    /** Takes a block by name. */
    void take(Subnet subnet, Cidr block) {
        checkGrantable(subnet, block);
        boolean free =
                block.isIpv4() ? space(subnet).isFree(block) : ipv6Space(subnet).isFree(block);
        if (!free) {
            throw Ec2Refusal.addressInUse(block);
        }
        if (block.isIpv4()) {
            space(subnet).take(block);
        } else {
            ipv6Space(subnet).take(block);
        }
    }

    /** Draws and takes what the request gives as a count. */
    List<Cidr> draw(Subnet subnet, BlockRequest wanted, Instant now) {
        if (wanted.ipv6()) {
            return drawIpv6(subnet, wanted, now);
        }
        if (wanted.addressCount() != null) {
            return drawAddresses(subnet, wanted.addressCount(), now);
        }
        if (wanted.prefixCount() != null) {
            int count = wanted.prefixCount();
            return asDialled(() -> {
                if (dials.isExhausted(subnet.id())) {
                    throw Ec2Refusal.noFreePrefix();
                }
                return space(subnet).drawPrefixes(count, dials.lowestAddressFirst(), now);
            });
        }
        return List.of();
    }

    private List<Cidr> drawIpv6(Subnet subnet, BlockRequest wanted, Instant now) {
        boolean lowestFirst = dials.lowestAddressFirst();
        if (wanted.addressCount() != null) {
            return ipv6Space(subnet).drawAddresses(wanted.addressCount(), lowestFirst, now);
        }
        return wanted.prefixCount() == null
                ? List.of()
                : ipv6Space(subnet).drawPrefixes(wanted.prefixCount(), lowestFirst, now);
    }

    /** Draws and takes so many single IPv4 addresses. */
    List<Cidr> drawAddresses(Subnet subnet, int count, Instant now) {
        return asDialled(() -> {
            if (dials.isExhausted(subnet.id())) {
                throw Ec2Refusal.noFreeAddress();
            }
            return space(subnet).drawAddresses(count, dials.lowestAddressFirst(), now);
        });
    }

    /** Gives a block back; it rests before it is drawn again. */
    void give(Subnet subnet, Cidr block, Instant now) {
        Instant drawableFrom = now.plus(dials.lag(Lag.ADDRESS_REUSE));
        if (block.isIpv4()) {
            space(subnet).give(block, drawableFrom);
        } else {
            ipv6Space(subnet).give(block, drawableFrom);
        }
    }

    /** Reserves an IPv4 range, for prefixes or for addresses that are asked for by name. */
    void reserve(Subnet subnet, Cidr range, boolean forPrefixes) {
        if (!subnet.cidr().contains(range)) {
            throw Ec2Refusal.parameterValue(range + " is not inside " + subnet.cidr());
        }
        space(subnet).reserve(range, forPrefixes);
    }

    private AddressSpace space(Subnet subnet) {
        return Objects.requireNonNull(spaces.get(subnet.id()));
    }

    private Ipv6Space ipv6Space(Subnet subnet) {
        Ipv6Space space = ipv6Spaces.get(subnet.id());
        if (space == null) {
            throw Ec2Refusal.noIpv6(subnet.id());
        }
        return space;
    }

    private <T> T asDialled(Supplier<T> draw) {
        try {
            return draw.get();
        } catch (Ec2Refusal full) {
            throw switch (dials.fullSubnet()) {
                case OWN_CODE -> full;
                case PARAMETER_VALUE ->
                        Ec2Refusal.parameterValue(
                                "There aren't sufficient free Ipv4 addresses or prefixes");
            };
        }
    }
}
