package dev.underlay.localvpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.underlay.localvpc.fabric.Kernel;
import dev.underlay.localvpc.fabric.NamespaceFabric;
import dev.underlay.localvpc.fabric.Netns;
import dev.underlay.localvpc.fabric.PacketCounter;
import dev.underlay.localvpc.state.Cidr;
import dev.underlay.localvpc.state.Eni;
import dev.underlay.localvpc.state.Instance;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.ec2.Ec2Client;

/**
 * The whole local VPC on the real fabric: an instance asks EC2 and the metadata service from its
 * own namespace, and what they answer is true for packets.
 */
@Tag("kernel")
class LocalVpcKernelTest {
    private static final String PREFIX = Kernel.prefix("vpc");

    private static NamespaceFabric fabric;
    private static LocalVpc vpc;
    private static Instance a;
    private static Instance b;

    @BeforeAll
    static void raise() throws IOException {
        Kernel.required();
        fabric = NamespaceFabric.create(PREFIX);
        VpcSpec spec =
                VpcSpec.loopback(fabric)
                        .withIpv6()
                        .withAddresses(
                                at(NamespaceFabric.EC2_ADDRESS),
                                at(NamespaceFabric.METADATA_ADDRESS));
        vpc = fabric.fabric().call(() -> LocalVpc.start(spec));
        a = vpc.launchInstance("m5.large", vpc.subnets().get(0).id());
        b = vpc.launchInstance("t3.small", vpc.subnets().get(1).id());
    }

    @AfterAll
    static void lower() throws IOException {
        if (vpc != null) {
            vpc.close();
        }
        if (fabric != null) {
            fabric.close();
        }
        assertThat(Netns.startingWith(PREFIX)).isEmpty();
    }

    @Test
    void the_metadata_service_knows_each_instance_by_its_address() throws IOException {
        assertThat(metadata(a, "instance-id")).isEqualTo(a.id());
        assertThat(metadata(a, "placement/availability-zone")).isEqualTo("us-east-1a");
        assertThat(metadata(b, "instance-id")).isEqualTo(b.id());
        assertThat(metadata(b, "instance-type")).isEqualTo("t3.small");
    }

    @Test
    void an_attached_interface_is_a_device_and_a_detached_one_is_gone() throws IOException {
        String eniId =
                ec2(
                        b,
                        client ->
                                client.createNetworkInterface(r ->
                                                r.subnetId(b.subnet().id())
                                                        .secondaryPrivateIpAddressCount(2))
                                        .networkInterface()
                                        .networkInterfaceId());
        String attachmentId =
                ec2(
                        b,
                        client ->
                                client.attachNetworkInterface(r ->
                                                r.networkInterfaceId(eniId)
                                                        .instanceId(b.id())
                                                        .deviceIndex(1))
                                        .attachmentId());
        String mac =
                vpc.interfaces().stream()
                        .filter(eni -> eni.id().equals(eniId))
                        .findFirst()
                        .orElseThrow()
                        .mac();

        assertThat(links(b)).contains(mac).contains(b.mac());
        assertThat(vpc.ledger().calls("AttachNetworkInterface", b.id())).isEqualTo(1);
        String unused =
                ec2(
                        b,
                        client ->
                                client.detachNetworkInterface(r -> r.attachmentId(attachmentId))
                                        .toString());
        assertThat(unused).isNotNull();
        assertThat(links(b)).doesNotContain(mac);
    }

    @Test
    void an_address_carries_packets_from_assign_to_unassign() throws IOException {
        Netns here = fabric.instance(a.id());
        Netns there = fabric.instance(b.id());
        String address =
                ec2(
                        a,
                        client ->
                                client.assignPrivateIpAddresses(r ->
                                                r.networkInterfaceId(a.primaryInterfaceId())
                                                        .secondaryPrivateIpAddressCount(1))
                                        .assignedPrivateIpAddresses()
                                        .get(0)
                                        .privateIpAddress());
        here.ip("addr add " + address + "/32 dev eth0");
        there.run("ping", "-c", "1", "-W", "2", address);

        String unused =
                ec2(
                        a,
                        client ->
                                client.unassignPrivateIpAddresses(r ->
                                                r.networkInterfaceId(a.primaryInterfaceId())
                                                        .privateIpAddresses(address))
                                        .toString());
        assertThat(unused).isNotNull();
        assertThatThrownBy(() -> there.run("ping", "-c", "1", "-W", "2", address))
                .hasMessageContaining("Unreachable");
    }

    @Test
    void an_attached_interface_carries_packets_once_the_instance_configures_it()
            throws IOException {
        Instance neighbour = vpc.launchInstance("m5.large", a.subnet().id());
        String eniId =
                ec2(
                        a,
                        client ->
                                client.createNetworkInterface(r -> r.subnetId(a.subnet().id()))
                                        .networkInterface()
                                        .networkInterfaceId());
        String attached =
                ec2(
                        a,
                        client ->
                                client.attachNetworkInterface(r ->
                                                r.networkInterfaceId(eniId)
                                                        .instanceId(a.id())
                                                        .deviceIndex(2))
                                        .attachmentId());
        assertThat(attached).startsWith("eni-attach-");
        Eni eni =
                vpc.interfaces().stream()
                        .filter(e -> e.id().equals(eniId))
                        .findFirst()
                        .orElseThrow();
        String address = eni.primary().address().getHostAddress();
        Netns here = fabric.instance(a.id());
        String link =
                here.run("ip", "-br", "link")
                        .lines()
                        .filter(line -> line.contains(eni.mac()))
                        .map(line -> line.substring(0, line.indexOf('@')))
                        .findFirst()
                        .orElseThrow();
        String fromIt = "ping -n -c 1 -W 2 -I " + address + " ";
        String peer = b.primaryAddress().getHostAddress();

        here.ip("link set " + link + " up", "addr add " + address + "/32 dev " + link);
        assertThatThrownBy(() -> here.run("sh", "-c", fromIt + peer))
                .as("by the default route, which is the wrong interface")
                .hasMessageContaining(" 0 received");

        String gateway = "10.0.0.1";
        here.sysctl("net/ipv4/conf/all/rp_filter=0", "net/ipv4/conf/" + link + "/rp_filter=0");
        here.ip(
                "route add " + gateway + " dev " + link + " table 2",
                "route add default via " + gateway + " dev " + link + " table 2",
                "rule add from " + address + " lookup 2");
        here.run("sh", "-c", fromIt + peer);
        here.run("sh", "-c", fromIt + neighbour.primaryAddress().getHostAddress());
        fabric.instance(b.id()).run("ping", "-n", "-c", "1", "-W", "2", address);
        fabric.instance(neighbour.id()).run("ping", "-n", "-c", "1", "-W", "2", address);
    }

    @Test
    void an_instance_boots_with_ipv6_to_its_neighbours_and_beyond_the_vpc() throws IOException {
        Netns here = fabric.instance(a.id());
        here.run("ping", "-n", "-c", "1", "-w", "5", ipv6(b).addressText());
        here.run("ping", "-n", "-c", "1", "-w", "5", NamespaceFabric.INTERNET_ADDRESS_V6);
        fabric.internet().run("ping", "-n", "-c", "1", "-w", "5", ipv6(a).addressText());
    }

    @Test
    void an_ipv6_prefix_carries_packets_from_assign_to_unassign() throws IOException {
        Netns here = fabric.instance(a.id());
        Netns there = fabric.instance(b.id());
        String prefix =
                ec2(
                        a,
                        client ->
                                client.assignIpv6Addresses(r ->
                                                r.networkInterfaceId(a.primaryInterfaceId())
                                                        .ipv6PrefixCount(1))
                                        .assignedIpv6Prefixes()
                                        .get(0));
        String inside = Cidr.parse(prefix).at(7, 128).addressText();
        String outside = Cidr.parse("2001:db8:0:100::/64").at(7, 128).addressText();
        here.ip(
                "addr add " + inside + "/128 dev eth0 nodad",
                "addr add " + outside + "/128 dev eth0 nodad");
        there.run("ping", "-n", "-c", "1", "-w", "5", inside);
        String to = ipv6(b).addressText();
        here.run("ping", "-n", "-c", "1", "-w", "5", "-I", inside, to);
        isDropped(here, outside, there, to);

        String unused =
                ec2(
                        a,
                        client ->
                                client.unassignIpv6Addresses(r ->
                                                r.networkInterfaceId(a.primaryInterfaceId())
                                                        .ipv6Prefixes(prefix))
                                        .toString());
        assertThat(unused).isNotNull();
        assertThatThrownBy(() -> there.run("ping", "-n", "-c", "1", "-W", "2", inside))
                .hasMessageContaining("nreachable");
        isDropped(here, inside, there, to);
    }

    /** A source that is not assigned: nothing of it arrives, whatever the way back would be. */
    private static void isDropped(Netns from, String source, Netns there, String to)
            throws IOException {
        try (PacketCounter arrived = PacketCounter.arriving(there, "eth0", "ip6 saddr " + source)) {
            assertThatThrownBy(() -> from.run("ping", "-n", "-c", "1", "-W", "1", "-I", source, to))
                    .hasMessageContaining(" 0 received");
            assertThat(arrived.packets()).isZero();
        }
    }

    private static Cidr ipv6(Instance instance) {
        return vpc.interfaces().stream()
                .filter(eni -> eni.id().equals(instance.primaryInterfaceId()))
                .findFirst()
                .orElseThrow()
                .ipv6Addresses()
                .get(0);
    }

    private static InetSocketAddress at(String address) {
        return new InetSocketAddress(InetAddress.ofLiteral(address), 80);
    }

    private static String links(Instance instance) throws IOException {
        return fabric.instance(instance.id()).ip("link show");
    }

    /**
     * Asks as a program in the instance would. Both clients are HttpURLConnection, which opens its
     * sockets on the calling thread; "close" keeps it from using another instance's connection.
     */
    private static String ec2(Instance from, Function<Ec2Client, String> call) throws IOException {
        return fabric.instance(from.id())
                .call(() -> {
                    try (Ec2Client client =
                            Ec2Client.builder()
                                    .endpointOverride(vpc.ec2Endpoint())
                                    .region(Region.of(vpc.region()))
                                    .credentialsProvider(
                                            StaticCredentialsProvider.create(
                                                    AwsBasicCredentials.create("a", "b")))
                                    .httpClient(UrlConnectionHttpClient.create())
                                    .overrideConfiguration(c -> c.putHeader("Connection", "close"))
                                    .build()) {
                        return call.apply(client);
                    }
                });
    }

    private static String metadata(Instance from, String path) throws IOException {
        return fabric.instance(from.id())
                .call(() -> {
                    HttpURLConnection put = open("/latest/api/token");
                    put.setRequestMethod("PUT");
                    put.setRequestProperty("X-aws-ec2-metadata-token-ttl-seconds", "60");
                    HttpURLConnection get = open("/latest/meta-data/" + path);
                    get.setRequestProperty("X-aws-ec2-metadata-token", body(put));
                    return body(get);
                });
    }

    private static HttpURLConnection open(String path) throws IOException {
        HttpURLConnection connection =
                (HttpURLConnection)
                        URI.create(vpc.metadataEndpoint() + path).toURL().openConnection();
        connection.setRequestProperty("Connection", "close");
        return connection;
    }

    private static String body(HttpURLConnection connection) throws IOException {
        try (var in = connection.getInputStream()) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
