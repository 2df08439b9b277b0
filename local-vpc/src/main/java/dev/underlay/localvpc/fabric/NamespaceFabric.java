package dev.underlay.localvpc.fabric;

import dev.underlay.localvpc.Fabric;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A VPC's network in one namespace: its route table <em>is</em> the VPC's mapping.
 *
 * <pre>
 *   internet ── fabric ──┬── instance: eth0, eth1, ...
 *  203.0.113.5           └── instance: eth0, ...
 * </pre>
 *
 * <ul>
 *   <li>Each interface is a link of its own between its instance and the fabric, so there is no
 *       broadcast domain; the fabric answers ARP and NDP for everyone with its own MAC.
 *   <li>A mapped block is a route to the link of its interface. What an instance sends is dropped
 *       unless the route back to its source is the link that it came by (IPv4, IPv6 and ARP) and
 *       its source MAC is the interface's.
 *   <li>An address without a mapping has no route: the sender hears "unreachable" from its gateway,
 *       and nothing from ARP if it asks for the address itself.
 *   <li>The gateway of each subnet, the metadata service and the EC2 endpoint are addresses of the
 *       fabric itself. The local VPC opens its sockets in {@link #fabric()}.
 *   <li>IPv6 addresses have fe80::1 as their gateway; addresses inside a /80 answer no NDP of their
 *       own and are reached through it only.
 * </ul>
 *
 * <p>An instance boots as a cloud image does on a careful distribution: eth0 with its primary
 * addresses and default routes, strict reverse-path filtering, no forwarding. Thread-safe; every
 * call blocks until the kernel agrees (some 10 ms for a mapping, 50 ms for an instance) and throws
 * {@link UncheckedIOException} in the kernel's words when it does not.
 */
public final class NamespaceFabric implements Fabric, AutoCloseable {
    /** Where the instance metadata service listens (EC2 user guide, "Instance metadata"). */
    public static final String METADATA_ADDRESS = "169.254.169.254";

    /** The metadata service's IPv6 address (same page). */
    public static final String METADATA_ADDRESS_V6 = "fd00:ec2::254";

    /** Where the EC2 API listens: TEST-NET-1 of RFC 5737, outside every VPC. */
    public static final String EC2_ADDRESS = "192.0.2.1";

    /** The one host of the internet: TEST-NET-3 of RFC 5737. */
    public static final String INTERNET_ADDRESS = "203.0.113.5";

    /** The internet host's IPv6 address. */
    public static final String INTERNET_ADDRESS_V6 = "fd00:99::5";

    /** Jumbo frames inside a VPC (EC2 user guide, "Network MTU for your EC2 instance"). */
    public static final int MTU_BYTES = 9001;

    /** What an internet gateway passes (same page). */
    public static final int INTERNET_MTU_BYTES = 1500;

    /** HttpPutResponseHopLimit of an instance that asks for nothing else (EC2 API). */
    public static final int DEFAULT_METADATA_HOPS = 1;

    /** The fabric's end of every link. */
    private static final String MAC = "02:fa:00:00:00:01";

    /** The fabric as IPv6 gateway on every link. */
    private static final String GATEWAY_V6 = "fe80::1";

    /**
     * Stands for the interface on its link, with a permanent neighbour entry, so that one entry
     * serves every address and prefix of both families and nothing ever waits for an answer.
     */
    private static final String NEXT_HOP = "fe80::2";

    private record Cable(String link, String instanceId, Port port) {}

    private final String prefix;
    private final Netns fabric;
    private final Netns internet;
    private final Map<String, Cable> cables = new HashMap<>(); // by port id
    private final Map<String, Integer> metadataHops = new HashMap<>(); // by instance id
    private final Map<String, String> ndpProxied = new HashMap<>(); // IPv6 address to link
    private int cablesMade;

    private NamespaceFabric(String prefix) {
        this.prefix = prefix;
        this.fabric = new Netns(prefix + "fabric");
        this.internet = new Netns(prefix + "internet");
    }

    /**
     * Makes a fabric without instances.
     *
     * @param prefix starts the name of every namespace that this fabric makes; two fabrics stand
     *     side by side under different ones
     * @throws IOException when the kernel refuses; nothing is left behind then
     */
    public static NamespaceFabric create(String prefix) throws IOException {
        NamespaceFabric made = new NamespaceFabric(prefix);
        try {
            made.makeFabric();
            made.makeInternet();
            return made;
        } catch (IOException e) {
            made.close();
            throw e;
        }
    }

    /**
     * Removes everything that a fabric with this prefix made, also when its process was killed, and
     * ends what runs in its namespaces.
     */
    public static void removeLeftovers(String prefix) throws IOException {
        Netns.deleteAll(prefix);
    }

    /** Where the packets of the VPC pass, and where its endpoints listen. */
    public Netns fabric() {
        return fabric;
    }

    /** A host outside the VPC that routes everything back to it. */
    public Netns internet() {
        return internet;
    }

    /** The namespace of an instance. */
    public Netns instance(String instanceId) {
        return new Netns(prefix + instanceId);
    }

    /** The fabric's end of an interface's link, for captures and counters. */
    public synchronized String link(String portId) {
        return cable(portId).link;
    }

    /**
     * How many hops an answer of the metadata service may travel to this instance: its IP time to
     * live. A pod behind the instance is the second hop.
     *
     * @param hops 1 to 64
     */
    public synchronized void metadataHopLimit(String instanceId, int hops) {
        if (hops < 1 || hops > 64) {
            throw new IllegalArgumentException("a hop limit is 1 to 64, not " + hops);
        }
        metadataHops.put(instanceId, hops);
        kernel(
                "set the hop limit of " + instanceId,
                () -> {
                    for (Cable cable : cables.values()) {
                        if (cable.instanceId.equals(instanceId)) {
                            fabric.nft(linkTable(cable));
                        }
                    }
                });
    }

    @Override
    public synchronized void boot(String instanceId, Port primary) {
        kernel(
                "boot " + instanceId,
                () -> {
                    Netns instance = Netns.create(instance(instanceId).name());
                    instance.sysctl(
                            "net/ipv4/ip_forward=0",
                            "net/ipv6/conf/all/forwarding=0",
                            "net/ipv4/conf/all/rp_filter=1",
                            "net/ipv4/conf/default/rp_filter=1");
                    connect(instanceId, primary, List.of());
                    // Nothing else is on the link: waiting for duplicates would only take time.
                    instance.sysctl("net/ipv6/conf/eth0/accept_dad=0");
                    String address = primary.primaryAddress().getHostAddress();
                    // As systemd-networkd leaves it after DHCP on Amazon Linux 2023.
                    instance.ip(
                            "link set eth0 up",
                            "addr add %s/%d metric 512 dev eth0"
                                    .formatted(address, primary.subnetPrefixLength()),
                            "route add default via %s dev eth0 proto dhcp src %s metric 512"
                                    .formatted(gateway(primary), address));
                    if (primary.primaryIpv6() != null) {
                        // Likewise after DHCPv6 and a router's advertisement.
                        String ipv6 = primary.primaryIpv6().getHostAddress();
                        instance.ip(
                                "addr add %s/128 metric 512 dev eth0 nodad".formatted(ipv6),
                                "route add default via %s dev eth0 proto ra src %s metric 512"
                                        .formatted(GATEWAY_V6, ipv6));
                    }
                });
    }

    @Override
    public synchronized void plug(String instanceId, Port port) {
        plug(instanceId, port, List.of());
    }

    @Override
    public synchronized void plug(String instanceId, Port port, List<Block> mapped) {
        kernel(
                "plug " + port.id() + " into " + instanceId,
                () -> connect(instanceId, port, mapped));
    }

    @Override
    public synchronized void unplug(String portId) {
        kernel("unplug " + portId, () -> disconnect(cable(portId)));
    }

    @Override
    public synchronized void map(String portId, InetAddress network, int prefixLength) {
        kernel(
                "map " + network.getHostAddress() + "/" + prefixLength + " to " + portId,
                mapping(cable(portId), new Block(network, prefixLength)));
    }

    @Override
    public synchronized void unmap(String portId, InetAddress network, int prefixLength) {
        Cable cable = cable(portId);
        String address = network.getHostAddress();
        List<String> commands = new ArrayList<>();
        commands.add(route("del", network, prefixLength, cable));
        if (ndpProxied.remove(address, cable.link)) {
            others(cable.link).forEach(other -> commands.add(ndpProxy("del", address, other)));
        }
        kernel("unmap " + address + "/" + prefixLength + " from " + portId, commands);
    }

    @Override
    public synchronized void terminate(String instanceId) {
        kernel(
                "terminate " + instanceId,
                () -> {
                    for (Cable cable : List.copyOf(cables.values())) {
                        if (cable.instanceId.equals(instanceId)) {
                            disconnect(cable);
                        }
                    }
                    metadataHops.remove(instanceId);
                    instance(instanceId).delete();
                });
    }

    /** Removes the fabric with all its instances. */
    @Override
    public synchronized void close() throws IOException {
        removeLeftovers(prefix);
    }

    private void makeFabric() throws IOException {
        Netns.create(fabric.name());
        fabric.sysctl(
                "net/ipv4/ip_forward=1",
                "net/ipv6/conf/all/forwarding=1",
                // What new links start with. Reverse-path filtering also judges the sender of an
                // ARP request, which no table of nftables does by routes.
                "net/ipv4/conf/all/rp_filter=1",
                "net/ipv4/conf/default/rp_filter=1",
                "net/ipv4/conf/default/proxy_arp=1",
                "net/ipv6/conf/default/proxy_ndp=1",
                "net/ipv6/conf/default/accept_dad=0",
                "net/ipv6/conf/default/accept_ra=0",
                "net/ipv4/conf/all/send_redirects=0",
                "net/ipv4/conf/default/send_redirects=0");
        fabric.ip(
                "addr add " + METADATA_ADDRESS + "/32 dev lo",
                "addr add " + METADATA_ADDRESS_V6 + "/128 dev lo nodad",
                "addr add " + EC2_ADDRESS + "/32 dev lo");
        fabric.nft(
                """
                table inet vpc {
                  chain source {
                    type filter hook prerouting priority -300;
                    iif lo accept
                    ip6 saddr fe80::/10 accept
                    fib saddr . iif oif missing counter drop
                  }
                  chain redirects {
                    type filter hook output priority 0;
                    icmpv6 type nd-redirect drop
                  }
                }
                """);
    }

    private void makeInternet() throws IOException {
        Netns.create(internet.name());
        fabric.ip(
                "link add internet mtu %d type veth peer name eth0 netns %s mtu %d"
                        .formatted(INTERNET_MTU_BYTES, internet.name(), INTERNET_MTU_BYTES),
                "link set internet addrgenmode none",
                "link set internet up",
                "addr add 203.0.113.1/24 dev internet",
                "addr add " + GATEWAY_V6 + "/64 dev internet nodad",
                "addr add fd00:99::1/64 dev internet nodad");
        internet.ip(
                "link set eth0 up",
                "addr add " + INTERNET_ADDRESS + "/24 dev eth0",
                "addr add " + INTERNET_ADDRESS_V6 + "/64 dev eth0 nodad",
                "route add default via 203.0.113.1",
                "route add default via fd00:99::1");
    }

    private List<String> mapping(Cable cable, Block block) {
        InetAddress network = block.network();
        List<String> commands = new ArrayList<>();
        commands.add(route("replace", network, block.prefixLength(), cable));
        if (network instanceof Inet6Address && block.prefixLength() == 128) {
            String address = network.getHostAddress();
            ndpProxied.put(address, cable.link);
            others(cable.link).forEach(other -> commands.add(ndpProxy("replace", address, other)));
        }
        return commands;
    }

    /** The instance's end comes last: what sees it finds everything else in place. */
    private void connect(String instanceId, Port port, List<Block> mapped) throws IOException {
        Cable cable = new Cable("p" + ++cablesMade, instanceId, port);
        String link = cable.link;
        String device = link + "x";
        List<String> commands =
                new ArrayList<>(
                        List.of(
                                "link add %s mtu %d address %s type veth peer name %s mtu %d address %s"
                                        .formatted(
                                                link,
                                                MTU_BYTES,
                                                MAC,
                                                device,
                                                MTU_BYTES,
                                                port.mac()),
                                "link set " + link + " addrgenmode none",
                                // Otherwise an answer for another waits for up to 0.8 s.
                                "ntable change name arp_cache dev " + link + " proxy_delay 0",
                                "ntable change name ndisc_cache dev " + link + " proxy_delay 0",
                                "link set " + link + " up",
                                "addr replace " + gateway(port) + "/32 dev lo",
                                "addr add " + GATEWAY_V6 + "/64 dev " + link + " nodad",
                                "neigh add %s lladdr %s dev %s nud permanent"
                                        .formatted(NEXT_HOP, port.mac(), link)));
        ndpProxied.keySet().forEach(address -> commands.add(ndpProxy("add", address, link)));
        fabric.ip(commands.toArray(String[]::new));
        cables.put(port.id(), cable);
        fabric.nft(linkTable(cable));
        List<String> last = new ArrayList<>();
        mapped.forEach(block -> last.addAll(mapping(cable, block)));
        // The kernel chooses N of ethN: the first that is free.
        last.add("link set %s netns %s name eth%%d".formatted(device, instance(instanceId).name()));
        fabric.ip(last.toArray(String[]::new));
    }

    private void disconnect(Cable cable) throws IOException {
        cables.remove(cable.port.id());
        // The other end goes too, wherever it is by now, and so do routes and neighbours.
        List<String> commands = new ArrayList<>(List.of("link del " + cable.link));
        Set<String> gone = new LinkedHashSet<>();
        ndpProxied.forEach((address, link) -> {
            if (link.equals(cable.link)) {
                gone.add(address);
            }
        });
        for (String address : gone) {
            ndpProxied.remove(address);
            others(cable.link).forEach(other -> commands.add(ndpProxy("del", address, other)));
        }
        fabric.ip(commands.toArray(String[]::new));
        fabric.nft("delete table netdev " + cable.link);
    }

    /** What is checked and changed on one link, as a script that replaces what was. */
    private String linkTable(Cable cable) {
        return """
        table netdev %1$s
        delete table netdev %1$s
        table netdev %1$s {
          chain from {
            type filter hook ingress device %1$s priority 0;
            ether saddr != %2$s counter drop
          }
          chain to {
            type filter hook egress device %1$s priority 0;
            ip saddr %3$s ip ttl set %5$d
            ip6 saddr %4$s ip6 hoplimit set %5$d
          }
        }
        """
                .formatted(
                        cable.link,
                        cable.port.mac(),
                        METADATA_ADDRESS,
                        METADATA_ADDRESS_V6,
                        metadataHops.getOrDefault(cable.instanceId, DEFAULT_METADATA_HOPS));
    }

    private static String route(String verb, InetAddress network, int prefixLength, Cable cable) {
        // The preferred source signs the fabric's own ICMP errors.
        return network instanceof Inet4Address
                ? "route %s %s/%d via inet6 %s dev %s src %s"
                        .formatted(
                                verb,
                                network.getHostAddress(),
                                prefixLength,
                                NEXT_HOP,
                                cable.link,
                                gateway(cable.port))
                : "route %s %s/%d via %s dev %s"
                        .formatted(
                                verb, network.getHostAddress(), prefixLength, NEXT_HOP, cable.link);
    }

    private static String ndpProxy(String verb, String address, String link) {
        return "neigh %s proxy %s dev %s".formatted(verb, address, link);
    }

    private List<String> others(String link) {
        return cables.values().stream()
                .map(Cable::link)
                .filter(other -> !other.equals(link))
                .toList();
    }

    private Cable cable(String portId) {
        Cable cable = cables.get(portId);
        if (cable == null) {
            throw new IllegalArgumentException("no interface " + portId + " is plugged in");
        }
        return cable;
    }

    /** The subnet's address plus one (VPC user guide, "Subnet CIDR blocks"). */
    private static String gateway(Port port) {
        byte[] address = port.subnetAddress().getAddress();
        address[address.length - 1]++;
        try {
            return InetAddress.getByAddress(address).getHostAddress();
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("not a subnet address: " + port, e);
        }
    }

    private void kernel(String what, List<String> ipCommands) {
        kernel(what, () -> fabric.ip(ipCommands.toArray(String[]::new)));
    }

    private static void kernel(String what, Step step) {
        try {
            step.run();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot " + what + ": " + e.getMessage(), e);
        }
    }

    @FunctionalInterface
    private interface Step {
        void run() throws IOException;
    }
}
