package dev.underlay.cloud.aws;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudAnswer;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.NodeIdentity;
import dev.underlay.pool.Refusal;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Tokens, empty lists, trees that are not complete, and a service that is away. */
final class MetadataClientTest {
    private static final String CIDRS =
            "network/interfaces/macs/" + FakeMetadata.MAC + "/vpc-ipv4-cidr-blocks";

    private FakeMetadata metadata;
    private AwsCloudNetwork network;

    @BeforeEach
    void start() throws IOException {
        metadata = new FakeMetadata();
        network = network(metadata.endpoint());
    }

    @AfterEach
    void stop() {
        network.close();
        metadata.close();
    }

    private static AwsCloudNetwork network(URI endpoint) {
        return new AwsCloudNetwork(
                AwsSettings.fromEnvironment(
                        Map.of("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint.toString())),
                CloudCallListener.NONE);
    }

    private static Refusal refusal(CloudAnswer<?> answer) {
        return switch (answer) {
            case CloudAnswer.Done<?>(var value) -> throw new AssertionError("done: " + value);
            case CloudAnswer.Refused<?>(var refusal, _) -> refusal;
        };
    }

    private List<Cidr> cidrs() {
        return switch (network.networkCidrs()) {
            case CloudAnswer.Done<List<Cidr>>(var value) -> value;
            case CloudAnswer.Refused<List<Cidr>>(var refusal, var message) ->
                    throw new AssertionError(refusal + ": " + message);
        };
    }

    @Test
    void one_token_serves_many_reads() {
        assertThat(cidrs()).containsExactly(Cidr.parse("10.0.0.0/16"), Cidr.parse("100.64.0.0/16"));
        cidrs();
        assertThat(metadata.puts).hasValue(1);
    }

    @Test
    void a_forgotten_token_is_replaced_at_once() {
        cidrs();
        metadata.forgetTokens();
        assertThat(cidrs()).hasSize(2);
        assertThat(metadata.puts).hasValue(2);
    }

    @Test
    void what_cannot_change_is_read_once() {
        cidrs();
        int first = metadata.gets.get();
        cidrs();
        assertThat(metadata.gets.get() - first).isEqualTo(2); // the two lists of CIDRs
    }

    @Test
    void a_service_that_stumbles_is_asked_again() {
        metadata.failures.set(3);
        assertThat(cidrs()).hasSize(2);
    }

    @Test
    void an_ipv6_list_adds_to_the_ipv4_one_and_its_absence_is_an_empty_list() {
        assertThat(cidrs()).hasSize(2);
        metadata.leaves.put(CIDRS.replace("ipv4", "ipv6"), "2001:db8:0:100::/56");
        assertThat(cidrs()).hasSize(3).last().hasToString("2001:db8:0:100::/56");
    }

    @Test
    void an_incomplete_tree_never_gives_an_empty_list_of_cidrs() {
        cidrs();
        metadata.leaves.remove(CIDRS);
        assertThat(refusal(network.networkCidrs())).isEqualTo(Refusal.UNAVAILABLE);
        metadata.leaves.put(CIDRS.replace("ipv4", "ipv6"), "2001:db8:0:100::/56");
        assertThat(refusal(network.networkCidrs())).isEqualTo(Refusal.UNAVAILABLE);
        metadata.leaves.put(CIDRS, "10.0.0.0/16");
        assertThat(cidrs()).hasSize(2);
    }

    @Test
    void a_node_has_the_first_ipv6_address_of_its_primary_interface_or_none() {
        assertThat(identity().primaryIpv6()).isEmpty();
        String leaf = "network/interfaces/macs/" + FakeMetadata.MAC + "/ipv6s";
        metadata.leaves.put(leaf, "2001:db8:0:100::10\n2001:db8:0:100::11");
        assertThat(identity().primaryIpv6()).hasValue(IpAddress.parse("2001:db8:0:100::10"));
        metadata.leaves.put(leaf, "none");
        assertThat(network.identify().toString()).contains("ipv6s").contains("none");
    }

    private NodeIdentity identity() {
        return switch (network.identify()) {
            case CloudAnswer.Done<NodeIdentity>(var value) -> value;
            case CloudAnswer.Refused<NodeIdentity>(var refusal, var message) ->
                    throw new AssertionError(refusal + ": " + message);
        };
    }

    @Test
    void an_identity_waits_for_the_leaves_it_needs_and_names_the_missing_one() {
        String leaf = "network/interfaces/macs/" + FakeMetadata.MAC + "/interface-id";
        String value = metadata.leaves.remove(leaf);
        CloudAnswer<NodeIdentity> answer = network.identify();
        assertThat(refusal(answer)).isEqualTo(Refusal.UNAVAILABLE);
        assertThat(answer.toString()).contains(leaf);
        metadata.leaves.put(leaf, String.valueOf(value));
        assertThat(cidrs()).hasSize(2);
    }

    @Test
    void a_disabled_service_and_one_that_answers_nonsense_are_named() {
        metadata.leaves.put("mac", "../../user-data");
        assertThat(network.networkCidrs().toString()).contains("mac").contains("user-data");
        metadata.disabled = true;
        assertThat(refusal(network.networkCidrs())).isEqualTo(Refusal.NOT_PERMITTED);
    }

    @Test
    void a_service_that_is_away_is_refused_within_the_deadline() throws IOException {
        URI nobody;
        try (ServerSocket socket = new ServerSocket(0)) {
            nobody = URI.create("http://127.0.0.1:" + socket.getLocalPort());
        }
        try (AwsCloudNetwork alone = network(nobody)) {
            CloudAnswer<NodeIdentity> answer = alone.identify();
            assertThat(refusal(answer)).isEqualTo(Refusal.UNAVAILABLE);
            assertThat(answer.toString()).contains(nobody.toString());
        }
    }
}
