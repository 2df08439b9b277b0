package dev.underlay.localvpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.underlay.localvpc.Dials.MetadataTokens;
import dev.underlay.localvpc.Dials.Reach;
import dev.underlay.localvpc.Faults.Fault;
import dev.underlay.localvpc.state.Cidr;
import dev.underlay.localvpc.state.Instance;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The metadata service: its tokens, its tree, its lags and its faults. */
class MetadataTest {
    private static final String TOKEN = "X-aws-ec2-metadata-token";
    private static final String TTL = "X-aws-ec2-metadata-token-ttl-seconds";
    private static final String MACS = "network/interfaces/macs/";

    private Rig rig = new Rig();
    private final HttpClient http = HttpClient.newHttpClient();

    @AfterEach
    void stop() {
        http.close();
        rig.close();
    }

    // ---- tokens ----

    @Test
    void a_token_lives_as_long_as_was_asked_for() throws Exception {
        HttpResponse<String> answer = put("60");
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue(TTL)).contains("60");
        String token = answer.body();

        assertThat(get("instance-id", token).body()).isEqualTo(rig.node.id());
        rig.advance(Duration.ofSeconds(59));
        assertThat(get("instance-id", token).statusCode()).isEqualTo(200);
        rig.advance(Duration.ofSeconds(1));
        assertThat(get("instance-id", token).statusCode()).isEqualTo(401);
    }

    @Test
    void a_life_that_is_missing_or_out_of_range_is_refused() throws Exception {
        for (String ttl : List.of("0", "21601", "-1", "many", "")) {
            assertThat(put(ttl).statusCode()).as(ttl).isEqualTo(400);
        }
        assertThat(put("1").statusCode()).isEqualTo(200);
        assertThat(put("21600").statusCode()).isEqualTo(200);
        assertThat(send(request("/latest/api/token").PUT(empty())).statusCode()).isEqualTo(400);
        assertThat(
                        send(request("/latest/api/token")
                                        .header(TTL, "60")
                                        .header("X-Forwarded-For", "10.0.0.9")
                                        .PUT(empty()))
                                .statusCode())
                .isEqualTo(403);
    }

    @Test
    void nothing_is_answered_without_a_good_token() throws Exception {
        Instance other = rig.vpc.launchInstance("m5.large", rig.subnetB);
        rig.vpc.callersOnLoopbackAre(other.id());
        String foreign = put("60").body();
        assertThat(get("instance-id", foreign).body()).isEqualTo(other.id());
        rig.vpc.callersOnLoopbackAre(rig.node.id());

        assertThat(get("instance-id", "").statusCode()).isEqualTo(401);
        assertThat(get("instance-id", "made-up").statusCode()).isEqualTo(401);
        assertThat(get("instance-id", foreign).statusCode()).isEqualTo(401);
        rig.dials.metadataTokens(MetadataTokens.OPTIONAL);
        assertThat(get("instance-id", "").statusCode()).isEqualTo(200);
        assertThat(get("instance-id", "made-up").statusCode()).isEqualTo(401);
        rig.dials.metadataTokens(MetadataTokens.OFF);
        assertThat(get("instance-id", "").statusCode()).isEqualTo(403);
        assertThat(put("60").statusCode()).isEqualTo(403);
    }

    // ---- tree ----

    @Test
    void the_tree_says_who_the_instance_is() throws Exception {
        assertThat(leaf("instance-type")).isEqualTo("m5.large");
        assertThat(leaf("mac")).isEqualTo(rig.node.mac());
        assertThat(leaf("local-ipv4")).isEqualTo(rig.node.primaryAddress().getHostAddress());
        assertThat(leaf("placement/availability-zone")).isEqualTo("us-east-1a");
        assertThat(leaf("placement/availability-zone-id")).isEqualTo("us-east-1-az1");
        assertThat(leaf("placement/region")).isEqualTo("us-east-1");
        assertThat(leaf("")).contains("instance-id", "network/", "placement/");
        assertThat(leaf("placement")).contains("region").doesNotContain("/");
        assertThat(leaf(MACS)).isEqualTo(rig.node.mac() + "/");
        rig.vpc.assertClean();
    }

    @Test
    void an_interface_has_its_leaves() throws Exception {
        String id = rig.create(2);
        rig.attach(id, 1);
        String prefix =
                rig.ec2
                        .assignPrivateIpAddresses(r -> r.networkInterfaceId(id).ipv4PrefixCount(1))
                        .assignedIpv4Prefixes()
                        .get(0)
                        .ipv4Prefix();
        String at = MACS + rig.eni(id).mac() + "/";

        assertThat(leaf(MACS).lines()).contains(rig.eni(id).mac() + "/").hasSize(2);
        assertThat(leaf(at + "interface-id")).isEqualTo(id);
        assertThat(leaf(at + "device-number")).isEqualTo("1");
        assertThat(leaf(at + "local-ipv4s"))
                .isEqualTo(
                        rig.eni(id).primary()
                                + "\n"
                                + rig.eni(id).secondaryAddresses().stream()
                                        .map(Cidr::toString)
                                        .collect(Collectors.joining("\n")));
        assertThat(leaf(at + "ipv4-prefix")).isEqualTo(prefix);
        assertThat(leaf(at + "subnet-id")).isEqualTo(rig.subnetA);
        assertThat(leaf(at + "subnet-ipv4-cidr-block")).isEqualTo("10.0.0.0/24");
        assertThat(leaf(at + "vpc-id")).isEqualTo(rig.vpc.vpcId());
        assertThat(leaf(at + "vpc-ipv4-cidr-block")).isEqualTo("10.0.0.0/16");
        assertThat(leaf(at + "vpc-ipv4-cidr-blocks")).isEqualTo("10.0.0.0/16");
        assertThat(leaf(at + "security-group-ids")).isEqualTo(rig.vpc.defaultGroup());
        assertThat(leaf(at + "owner-id")).isEqualTo("123456789012");
        assertThat(status(at + "network-card")).isEqualTo(404);
        rig.vpc.assertClean();
    }

    @Test
    void an_empty_list_is_not_there_and_a_misspelt_leaf_is_a_finding() throws Exception {
        String at = MACS + rig.node.mac() + "/";
        assertThat(status(at + "ipv4-prefix")).isEqualTo(404);
        assertThat(status(at + "ipv6s")).isEqualTo(404);
        assertThat(status(at + "vpc-ipv6-cidr-blocks")).isEqualTo(404);
        assertThat(status(MACS + "02:00:00:00:00:01/local-ipv4s")).isEqualTo(404);
        rig.vpc.assertClean();

        assertThat(status(at + "local-ipv4")).isEqualTo(404);
        assertThat(status("instance-idd")).isEqualTo(404);
        assertThat(rig.vpc.findings())
                .containsExactly(
                        "undeclared metadata path /latest/meta-data/" + at + "local-ipv4",
                        "undeclared metadata path /latest/meta-data/instance-idd");
    }

    @Test
    void cards_show_where_there_are_several() throws Exception {
        Instance big = rig.vpc.launchInstance("p4d.24xlarge", rig.subnetA);
        rig.vpc.callersOnLoopbackAre(big.id());
        assertThat(leaf(MACS + big.mac() + "/network-card")).isEqualTo("0");
    }

    // ---- lags ----

    @Test
    void an_attached_interface_appears_late_and_without_its_leaves_first() throws Exception {
        rig.dials.lag(Lag.ATTACH, Duration.ofSeconds(1));
        rig.dials.lag(Lag.METADATA_INTERFACE, Duration.ofSeconds(30));
        rig.dials.lag(Lag.METADATA_LEAVES, Duration.ofSeconds(2));
        String id = rig.create(0);
        rig.attach(id, 1);
        String mac = rig.eni(id).mac();
        rig.advance(Duration.ofSeconds(1));
        assertThat(leaf(MACS)).isEqualTo(rig.node.mac() + "/");
        rig.advance(Duration.ofMillis(29_999));
        assertThat(leaf(MACS)).doesNotContain(mac);
        rig.advance(Duration.ofMillis(1));
        assertThat(leaf(MACS)).contains(mac);
        assertThat(status(MACS + mac + "/interface-id")).isEqualTo(404);
        assertThat(leaf(MACS + mac)).isEmpty();
        rig.advance(Duration.ofSeconds(2));
        assertThat(leaf(MACS + mac + "/interface-id")).isEqualTo(id);
    }

    @Test
    void addresses_follow_late_both_ways() throws Exception {
        rig.advance(Duration.ofSeconds(10));
        rig.dials.lag(Lag.METADATA_ADDRESSES, Duration.ofSeconds(5));
        String at = MACS + rig.node.mac() + "/local-ipv4s";
        String primary = leaf(at);
        String added =
                rig.ec2
                        .assignPrivateIpAddresses(r ->
                                r.networkInterfaceId(rig.node.primaryInterfaceId())
                                        .secondaryPrivateIpAddressCount(1))
                        .assignedPrivateIpAddresses()
                        .get(0)
                        .privateIpAddress();
        assertThat(leaf(at)).isEqualTo(primary);
        rig.advance(Duration.ofSeconds(5));
        assertThat(leaf(at)).isEqualTo(primary + "\n" + added);

        rig.ec2.unassignPrivateIpAddresses(
                r -> r.networkInterfaceId(rig.node.primaryInterfaceId()).privateIpAddresses(added));
        assertThat(leaf(at)).isEqualTo(primary + "\n" + added);
        rig.advance(Duration.ofSeconds(5));
        assertThat(leaf(at)).isEqualTo(primary);
    }

    @Test
    void ipv6_has_leaves_of_its_own_where_there_is_some() throws Exception {
        String directory = MACS + rig.node.mac() + "/";
        assertThat(leaf(directory)).doesNotContain("ipv6");
        rig.close();
        rig = new Rig(VpcSpec::withIpv6);
        directory = MACS + rig.node.mac() + "/";
        String primary = rig.node.primaryInterfaceId();
        String own = rig.blocks(primary).get(0);
        assertThat(leaf("ipv6")).isEqualTo(own);
        assertThat(leaf(directory + "ipv6s")).isEqualTo(own);
        assertThat(leaf(directory + "subnet-ipv6-cidr-blocks")).isEqualTo("2001:db8:0:100::/64");
        assertThat(leaf(directory + "vpc-ipv6-cidr-blocks")).isEqualTo("2001:db8:0:100::/56");
        assertThat(leaf(directory)).doesNotContain("ipv6-prefix");
        rig.advance(Duration.ofSeconds(10));
        rig.dials.lag(Lag.METADATA_ADDRESSES, Duration.ofSeconds(5));
        rig.ec2.assignIpv6Addresses(r -> r.networkInterfaceId(primary).ipv6PrefixCount(1));
        assertThat(leaf(directory)).doesNotContain("ipv6-prefix");
        rig.advance(Duration.ofSeconds(5));
        assertThat(leaf(directory + "ipv6-prefix")).isEqualTo(rig.blocks(primary).get(1));
    }

    @Test
    void a_new_interface_shows_the_addresses_it_was_made_with() throws Exception {
        rig.dials.lag(Lag.METADATA_ADDRESSES, Duration.ofSeconds(5));
        String id = rig.create(3);
        rig.attach(id, 1);
        assertThat(leaf(MACS + rig.eni(id).mac() + "/local-ipv4s").lines()).hasSize(4);
    }

    @Test
    void a_detached_interface_lingers_even_when_it_is_deleted() throws Exception {
        rig.dials.lag(Lag.METADATA_LINGER, Duration.ofSeconds(5));
        String id = rig.create(0);
        String mac = rig.eni(id).mac();
        String attachmentId = rig.attach(id, 1);
        rig.advance(Duration.ofSeconds(1));
        rig.ec2.detachNetworkInterface(r -> r.attachmentId(attachmentId));
        rig.ec2.deleteNetworkInterface(r -> r.networkInterfaceId(id));

        assertThat(leaf(MACS + mac + "/interface-id")).isEqualTo(id);
        rig.advance(Duration.ofMillis(4_999));
        assertThat(leaf(MACS)).contains(mac);
        rig.advance(Duration.ofMillis(1));
        assertThat(leaf(MACS)).isEqualTo(rig.node.mac() + "/");
    }

    // ---- faults ----

    @Test
    void requests_fail_as_planned() throws Exception {
        String token = put("60").body();
        rig.dials.faults().next(Faults.METADATA, new Fault.Refuse(503, "-", "busy"));
        assertThat(get("mac", token).statusCode()).isEqualTo(503);
        // The JDK's client tries a lost GET again by itself.
        for (Fault fault : List.of(new Fault.DropBefore(), new Fault.Stall())) {
            rig.dials.faults().always(Faults.METADATA, fault);
            assertThatThrownBy(() -> get("mac", token)).isInstanceOf(IOException.class);
        }
        rig.dials.faults().clear();
        rig.dials.metadata(Reach.RESET);
        assertThatThrownBy(() -> get("mac", token)).isInstanceOf(IOException.class);
        rig.dials.metadata(Reach.UP);
        assertThat(get("mac", token).statusCode()).isEqualTo(200);
        assertThat(rig.vpc.ledger().counts())
                .containsEntry(new CallLedger.Key(Faults.METADATA, rig.node.id(), "ok"), 2L)
                .containsEntry(new CallLedger.Key(Faults.METADATA, rig.node.id(), "503"), 1L);
    }

    @Test
    void only_the_methods_of_the_protocol_are_allowed() throws Exception {
        String token = put("60").body();
        assertThat(send(request("/latest/api/token").header(TOKEN, token).GET()).statusCode())
                .isEqualTo(405);
        assertThat(
                        send(request("/latest/meta-data/mac").header(TOKEN, token).DELETE())
                                .statusCode())
                .isEqualTo(405);
        assertThat(send(request("/latest/user-data").header(TOKEN, token).GET()).statusCode())
                .isEqualTo(404);
    }

    private String leaf(String path) throws Exception {
        HttpResponse<String> answer = get(path, put("60").body());
        assertThat(answer.statusCode()).as(path).isEqualTo(200);
        return answer.body();
    }

    private int status(String path) throws Exception {
        return get(path, put("60").body()).statusCode();
    }

    private HttpResponse<String> put(String ttl) throws Exception {
        return send(request("/latest/api/token").header(TTL, ttl).PUT(empty()));
    }

    private HttpResponse<String> get(String path, String token) throws Exception {
        HttpRequest.Builder request = request("/latest/meta-data/" + path).GET();
        return send(token.isEmpty() ? request : request.header(TOKEN, token));
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(rig.vpc.metadataEndpoint() + path))
                .timeout(Duration.ofMillis(500));
    }

    private HttpResponse<String> send(HttpRequest.Builder request) throws Exception {
        return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private static HttpRequest.BodyPublisher empty() {
        return HttpRequest.BodyPublishers.noBody();
    }
}
