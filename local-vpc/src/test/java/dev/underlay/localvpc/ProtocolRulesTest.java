package dev.underlay.localvpc;

import static dev.underlay.localvpc.Rig.codeOf;
import static dev.underlay.localvpc.Rig.errorOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.underlay.localvpc.Dials.Reach;
import dev.underlay.localvpc.Dials.Throttle;
import dev.underlay.localvpc.Faults.Fault;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.CreateNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.TagSpecification;

/** The rules of the protocol, and what can go wrong on the way; each is broken once. */
class ProtocolRulesTest {
    private static final String SIGNED =
            "AWS4-HMAC-SHA256 Credential=AKID/20261125/us-east-1/ec2/aws4_request,"
                    + " SignedHeaders=host, Signature="
                    + "0".repeat(64);

    private final Rig rig = new Rig();

    @AfterEach
    void stop() {
        rig.close();
    }

    // ---- client tokens ----

    @Test
    void a_repeated_token_makes_nothing_new() {
        String first = createWithToken("t", "d");
        assertThat(createWithToken("t", "d")).isEqualTo(first);
        assertThat(codeOf(() -> createWithToken("t", "other")))
                .isEqualTo("IdempotentParameterMismatch");
        assertThat(rig.vpc.interfaces()).hasSize(2);

        rig.advance(Duration.ofHours(24));
        assertThat(createWithToken("t", "d")).isNotEqualTo(first);
    }

    @Test
    void a_repeat_shows_the_interface_as_it_is_by_then() {
        CreateNetworkInterfaceRequest request =
                CreateNetworkInterfaceRequest.builder()
                        .subnetId(rig.subnetA)
                        .clientToken("t")
                        .build();
        String id = rig.ec2.createNetworkInterface(request).networkInterface().networkInterfaceId();
        rig.attach(id, 1);
        var again = rig.ec2.createNetworkInterface(request);

        assertThat(again.networkInterface().statusAsString()).isEqualTo("in-use");
        assertThat(again.clientToken()).isEqualTo("t");
    }

    // ---- tags ----

    @Test
    void tags_have_their_rules() {
        String id = rig.create(0);
        assertThat(codeOf(() -> tag(id, Map.of("aws:x", "y")))).isEqualTo("InvalidParameterValue");
        Map<String, String> fifty =
                IntStream.range(0, 50)
                        .boxed()
                        .collect(Collectors.toMap(i -> "k" + i, i -> "v" + i));
        tag(id, fifty);
        tag(id, Map.of("k1", "new"));
        assertThat(codeOf(() -> tag(id, Map.of("one-more", "y")))).isEqualTo("TagLimitExceeded");
        assertThat(codeOf(() -> tag("eni-0", Map.of("a", "b"))))
                .isEqualTo("InvalidNetworkInterfaceID.NotFound");
        assertThat(codeOf(() -> tag("thing-0", Map.of("a", "b")))).isEqualTo("InvalidID");
        assertThat(
                        codeOf(() ->
                                rig.ec2.createNetworkInterface(r ->
                                        r.subnetId(rig.subnetA)
                                                .tagSpecifications(
                                                        TagSpecification.builder()
                                                                .resourceType("instance")
                                                                .build()))))
                .isEqualTo("InvalidParameterValue");
        assertThat(rig.eni(id).tags()).hasSize(50).containsEntry("k1", "new");
    }

    // ---- filters and pages ----

    @Test
    void filters_select_and_unknown_ones_are_refused() {
        String id = rig.create(2);
        rig.attach(id, 1);
        String loose = rig.create(0);

        assertThat(found("attachment.instance-id", rig.node.id()))
                .containsExactlyInAnyOrder(id, rig.node.primaryInterfaceId());
        assertThat(found("attachment.device-index", "1")).containsExactly(id);
        assertThat(found("status", "available")).containsExactly(loose);
        assertThat(found("addresses.private-ip-address", rig.blocks(id).get(1)))
                .containsExactly(id);
        assertThat(found("mac-address", rig.eni(id).mac().substring(0, 9) + "*"))
                .containsExactly(id);
        assertThat(found("network-interface-id", id, loose)).containsExactlyInAnyOrder(id, loose);
        assertThat(found("description", "no such")).isEmpty();
        assertThat(codeOf(() -> found("no-such-filter", "x"))).isEqualTo("InvalidParameterValue");
        assertThat(codeOf(() -> found("status"))).isEqualTo("InvalidParameterValue");
    }

    @Test
    void pages_hold_what_was_asked_for_and_their_tokens_belong_to_the_query() {
        Set<String> all = new HashSet<>(Set.of(rig.node.primaryInterfaceId()));
        for (int i = 0; i < 11; i++) {
            all.add(rig.create(0));
        }
        Set<String> seen = new HashSet<>();
        int pages = 0;
        for (var page : rig.ec2.describeNetworkInterfacesPaginator(r -> r.maxResults(5))) {
            assertThat(page.networkInterfaces()).hasSizeLessThanOrEqualTo(5);
            page.networkInterfaces()
                    .forEach(i -> assertThat(seen.add(i.networkInterfaceId())).isTrue());
            pages++;
        }
        assertThat(seen).isEqualTo(all);
        assertThat(pages).isEqualTo(3);

        String token = rig.ec2.describeNetworkInterfaces(r -> r.maxResults(5)).nextToken();
        assertThat(
                        codeOf(() ->
                                rig.ec2.describeNetworkInterfaces(
                                        r -> r.maxResults(6).nextToken(token))))
                .isEqualTo("InvalidParameterValue");
        assertThat(codeOf(() -> rig.ec2.describeNetworkInterfaces(r -> r.nextToken("garbage"))))
                .isEqualTo("InvalidParameterValue");
        assertThat(codeOf(() -> rig.ec2.describeNetworkInterfaces(r -> r.maxResults(4))))
                .isEqualTo("InvalidParameterValue");
        assertThat(
                        codeOf(() ->
                                rig.ec2.describeNetworkInterfaces(r ->
                                        r.maxResults(5)
                                                .networkInterfaceIds(
                                                        rig.node.primaryInterfaceId()))))
                .isEqualTo("InvalidParameterCombination");
    }

    @Test
    void all_instance_types_come_in_pages_of_a_hundred() {
        long types =
                rig.ec2.describeInstanceTypesPaginator(r -> {}).instanceTypes().stream()
                        .map(type -> type.instanceTypeAsString())
                        .distinct()
                        .count();
        assertThat(types).isEqualTo(1_391);
        assertThat(rig.vpc.ledger().calls("DescribeInstanceTypes")).isEqualTo(14);
        assertThat(
                        codeOf(() ->
                                rig.ec2.describeInstanceTypes(
                                        r -> r.instanceTypesWithStrings("m5.nonsense"))))
                .isEqualTo("InvalidInstanceType");
    }

    @Test
    void one_unknown_identifier_fails_the_whole_description() {
        String id = rig.create(0);
        var error =
                errorOf(() ->
                        rig.ec2.describeNetworkInterfaces(
                                r -> r.networkInterfaceIds("eni-0bad", id)));
        assertThat(error.awsErrorDetails().errorCode())
                .isEqualTo("InvalidNetworkInterfaceID.NotFound");
        assertThat(error.awsErrorDetails().errorMessage()).contains("eni-0bad");
    }

    // ---- staleness ----

    @Test
    void a_description_lags_behind_and_a_new_interface_is_not_found_meanwhile() {
        rig.dials.lag(Lag.DESCRIBE, Duration.ofSeconds(2));
        rig.advance(Duration.ofSeconds(2));
        String id = rig.create(1);
        assertThat(codeOf(() -> status(id))).isEqualTo("InvalidNetworkInterfaceID.NotFound");
        assertThat(found("network-interface-id", id)).isEmpty();
        rig.attach(id, 1);
        rig.advance(Duration.ofSeconds(1));
        String attachmentId = found("attachment.instance-id", rig.node.id()).toString();
        assertThat(attachmentId).doesNotContain(id);
        rig.advance(Duration.ofSeconds(1));
        assertThat(status(id)).isEqualTo("in-use");

        rig.vpc.console().detach(rig.eni(id));
        assertThat(status(id)).isEqualTo("in-use");
        rig.ec2.deleteNetworkInterface(r -> r.networkInterfaceId(id));
        assertThat(status(id)).isEqualTo("in-use");
        rig.advance(Duration.ofSeconds(2));
        assertThat(codeOf(() -> status(id))).isEqualTo("InvalidNetworkInterfaceID.NotFound");
    }

    // ---- permission, signature, unknown things ----

    @Test
    void a_denied_action_is_unauthorized_and_changes_nothing() {
        rig.dials.deny("CreateNetworkInterface");
        var error = errorOf(() -> rig.create(0));
        assertThat(error.awsErrorDetails().errorCode()).isEqualTo("UnauthorizedOperation");
        assertThat(error.statusCode()).isEqualTo(403);
        assertThat(rig.vpc.interfaces()).hasSize(1);
        rig.dials.allow("CreateNetworkInterface");
        rig.create(0);
    }

    @Test
    void a_dry_run_says_whether_it_would_be_allowed_and_changes_nothing() {
        var allowed =
                errorOf(() ->
                        rig.ec2.createNetworkInterface(r -> r.subnetId(rig.subnetA).dryRun(true)));
        assertThat(allowed.awsErrorDetails().errorCode()).isEqualTo("DryRunOperation");
        assertThat(allowed.statusCode()).isEqualTo(412);
        rig.dials.deny("CreateNetworkInterface");
        assertThat(
                        codeOf(() ->
                                rig.ec2.createNetworkInterface(
                                        r -> r.subnetId(rig.subnetA).dryRun(true))))
                .isEqualTo("UnauthorizedOperation");
        assertThat(rig.vpc.interfaces()).hasSize(1);
    }

    @Test
    void a_signature_must_be_there_for_this_region_and_service() throws Exception {
        String body = "Action=DescribeVpcs&Version=2016-11-15";
        assertThat(post("", body).statusCode()).isEqualTo(401);
        assertThat(post("Bearer x", body).body()).contains("<Code>AuthFailure</Code>");
        assertThat(post(SIGNED.replace("/ec2/", "/s3/"), body).statusCode()).isEqualTo(401);
        assertThat(post(SIGNED, body).statusCode()).isEqualTo(200);
        try (Ec2Client elsewhere = rig.client("eu-west-1", Duration.ofSeconds(5), 1)) {
            // Its client on HttpURLConnection loses the body of a 401, and so the code.
            assertThat(errorOf(() -> elsewhere.describeVpcs()).statusCode()).isEqualTo(401);
        }
    }

    @Test
    void what_nobody_planned_is_refused_and_is_a_finding() {
        assertThat(codeOf(() -> rig.ec2.describeVolumes())).isEqualTo("InvalidAction");
        assertThat(
                        codeOf(() ->
                                rig.ec2.createNetworkInterface(
                                        r -> r.subnetId(rig.subnetA).enablePrimaryIpv6(true))))
                .isEqualTo("UnknownParameter");

        assertThat(rig.vpc.findings())
                .containsExactly(
                        "unknown action DescribeVolumes",
                        "unknown parameters of CreateNetworkInterface: [EnablePrimaryIpv6]");
        assertThatThrownBy(rig.vpc::assertClean)
                .hasMessageContaining("DescribeVolumes")
                .hasMessageContaining("seed 1");
    }

    @Test
    void broken_forms_are_refused() throws Exception {
        assertThat(post(SIGNED, "Action=DescribeVpcs&Action=DescribeVpcs").body())
                .contains("<Code>InvalidParameter</Code>");
        assertThat(post(SIGNED, "Action=%zz").body()).contains("<Code>MalformedQueryString</Code>");
        assertThat(post(SIGNED, "").body()).contains("<Code>InvalidAction</Code>");
        assertThat(post(SIGNED, "Action=DescribeVpcs&MaxResults=many").body())
                .contains("<Code>InvalidParameterValue</Code>");
        assertThat(post(SIGNED, "Action=DescribeVpcs&VpcId.7=vpc-1").body())
                .contains("<Code>UnknownParameter</Code>");
    }

    // ---- throttling, latency, reach ----

    @Test
    void buckets_run_dry_per_action_and_fill_again() {
        rig.dials.throttle(new Throttle(2, 1, 3, 2));
        rig.create(0);
        rig.create(0);
        var error = errorOf(() -> rig.create(0));
        assertThat(error.awsErrorDetails().errorCode()).isEqualTo("RequestLimitExceeded");
        assertThat(error.statusCode()).isEqualTo(503);
        assertThat(error.isThrottlingException()).isTrue();
        for (int i = 0; i < 3; i++) {
            rig.ec2.describeVpcs();
        }
        assertThat(codeOf(() -> rig.ec2.describeVpcs())).isEqualTo("RequestLimitExceeded");
        rig.ec2.describeSubnets();

        rig.advance(Duration.ofSeconds(1));
        rig.create(0);
        assertThat(codeOf(() -> rig.create(0))).isEqualTo("RequestLimitExceeded");
        rig.ec2.describeVpcs();
        rig.ec2.describeVpcs();
        assertThat(codeOf(() -> rig.ec2.describeVpcs())).isEqualTo("RequestLimitExceeded");
        rig.dials.throttle(Throttle.NONE);
        rig.create(0);
    }

    @Test
    void a_call_takes_as_long_as_its_latency_and_is_applied_at_its_end() {
        rig.dials.callLatency("CreateNetworkInterface", Duration.ofMillis(150));
        long start = System.nanoTime();
        rig.create(0);
        assertThat(Duration.ofNanos(System.nanoTime() - start))
                .isGreaterThan(Duration.ofMillis(149));

        rig.dials.callLatency("CreateNetworkInterface", Duration.ofSeconds(30));
        try (Ec2Client hasty = rig.client("us-east-1", Duration.ofMillis(100), 1)) {
            assertThatThrownBy(() -> hasty.createNetworkInterface(r -> r.subnetId(rig.subnetA)))
                    .isInstanceOf(SdkClientException.class);
        }
        assertThat(rig.vpc.interfaces()).hasSize(2);
    }

    @Test
    void a_profile_sets_calls_and_effects() {
        rig.dials.latency(LatencyProfile.REAL);
        assertThat(rig.dials.callLatency("DescribeVpcs")).isEqualTo(Duration.ofMillis(120));
        assertThat(rig.dials.lag(Lag.DEVICE)).isPositive();
        rig.dials.latency(LatencyProfile.NONE);
        assertThat(rig.dials.callLatency("DescribeVpcs")).isZero();
        assertThat(rig.dials.lag(Lag.DEVICE)).isZero();
    }

    @Test
    void an_endpoint_that_is_cut_off_answers_nothing_until_it_is_back() {
        rig.dials.ec2(Reach.RESET);
        assertThatThrownBy(() -> rig.create(0)).isInstanceOf(SdkClientException.class);
        rig.dials.ec2(Reach.SILENT);
        try (Ec2Client hasty = rig.client("us-east-1", Duration.ofMillis(100), 1)) {
            assertThatThrownBy(hasty::describeVpcs).isInstanceOf(SdkClientException.class);
        }
        rig.dials.ec2(Reach.UP);
        rig.create(0);
        assertThat(rig.vpc.interfaces()).hasSize(2);
    }

    // ---- faults ----

    @Test
    void an_error_comes_at_the_call_it_was_planned_for() {
        rig.dials
                .faults()
                .nth("CreateNetworkInterface", 2, new Fault.Refuse(500, "InternalError", "oh"));
        rig.create(0);
        var error = errorOf(() -> rig.create(0));
        assertThat(error.awsErrorDetails().errorCode()).isEqualTo("InternalError");
        assertThat(error.awsErrorDetails().errorMessage()).isEqualTo("oh");
        rig.create(0);
        assertThat(rig.vpc.interfaces()).hasSize(3);
    }

    @Test
    void a_request_dropped_before_is_not_applied_and_one_dropped_after_is() {
        rig.dials.faults().next("CreateNetworkInterface", new Fault.DropBefore());
        assertThatThrownBy(() -> rig.create(0)).isInstanceOf(SdkClientException.class);
        assertThat(rig.vpc.interfaces()).hasSize(1);

        rig.dials.faults().next("CreateNetworkInterface", new Fault.DropAfter());
        assertThatThrownBy(() -> rig.create(0)).isInstanceOf(SdkClientException.class);
        assertThat(rig.vpc.interfaces()).hasSize(2);
        assertThat(rig.vpc.ledger().calls("CreateNetworkInterface")).isEqualTo(2);
    }

    @Test
    void the_sdks_own_retry_after_a_lost_answer_allocates_twice_unless_there_is_a_token() {
        String id = rig.create(0);
        try (Ec2Client retrying = rig.client("us-east-1", Duration.ofSeconds(5), 4)) {
            rig.dials.faults().next("AssignPrivateIpAddresses", new Fault.DropAfter());
            retrying.assignPrivateIpAddresses(
                    r -> r.networkInterfaceId(id).secondaryPrivateIpAddressCount(1));
            assertThat(rig.blocks(id)).hasSize(2);

            rig.dials.faults().next("CreateNetworkInterface", new Fault.DropAfter());
            retrying.createNetworkInterface(r -> r.subnetId(rig.subnetA));
            assertThat(rig.vpc.interfaces()).hasSize(3);
        }
    }

    @Test
    void a_broken_front_end_has_no_error_code() {
        rig.dials.faults().next("DescribeVpcs", new Fault.Html500());
        var error = errorOf(() -> rig.ec2.describeVpcs());
        assertThat(error.statusCode()).isEqualTo(500);
        assertThat(error.awsErrorDetails().errorCode()).isNull();
    }

    @Test
    void an_answer_can_end_in_the_middle_and_is_applied() {
        rig.dials.faults().next("CreateNetworkInterface", new Fault.Truncate());
        assertThatThrownBy(() -> rig.create(0)).isInstanceOf(SdkClientException.class);
        assertThat(rig.vpc.interfaces()).hasSize(2);
    }

    @Test
    void a_stalled_call_is_never_answered() {
        rig.dials.faults().always("DescribeVpcs", new Fault.Stall());
        try (Ec2Client hasty = rig.client("us-east-1", Duration.ofMillis(100), 1)) {
            assertThatThrownBy(hasty::describeVpcs).isInstanceOf(SdkClientException.class);
        }
        rig.dials.faults().clear();
        rig.ec2.describeVpcs();
    }

    private String createWithToken(String token, String description) {
        return rig.ec2
                .createNetworkInterface(r ->
                        r.subnetId(rig.subnetA)
                                .clientToken(token)
                                .description(description)
                                .secondaryPrivateIpAddressCount(1))
                .networkInterface()
                .networkInterfaceId();
    }

    private void tag(String id, Map<String, String> tags) {
        rig.ec2.createTags(r ->
                r.resources(id)
                        .tags(
                                tags.entrySet().stream()
                                        .map(tag ->
                                                Tag.builder()
                                                        .key(tag.getKey())
                                                        .value(tag.getValue())
                                                        .build())
                                        .toList()));
    }

    private Set<String> found(String filter, String... values) {
        return rig
                .ec2
                .describeNetworkInterfaces(
                        r -> r.filters(Filter.builder().name(filter).values(values).build()))
                .networkInterfaces()
                .stream()
                .map(i -> i.networkInterfaceId())
                .collect(Collectors.toSet());
    }

    private String status(String id) {
        return rig.ec2
                .describeNetworkInterfaces(r -> r.networkInterfaceIds(id))
                .networkInterfaces()
                .get(0)
                .statusAsString();
    }

    private HttpResponse<String> post(String authorization, String body) throws Exception {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(rig.vpc.ec2Endpoint() + "/"))
                        .header("Content-Type", "application/x-www-form-urlencoded")
                        .POST(HttpRequest.BodyPublishers.ofString(body));
        if (!authorization.isEmpty()) {
            request.header("Authorization", authorization);
        }
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        }
    }
}
