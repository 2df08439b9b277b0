package dev.underlay.cloud.aws;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.pool.Refusal;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;

/** Every code that EC2 is known to answer, with the texts seen in the field. */
final class Ec2ErrorsTest {
    private static CallFailure read(Ec2Action action, int status, String code, String words) {
        return Ec2Errors.read(
                action,
                "eni-1",
                (Ec2Exception)
                        Ec2Exception.builder()
                                .statusCode(status)
                                .awsErrorDetails(
                                        AwsErrorDetails.builder()
                                                .errorCode(code)
                                                .errorMessage(words)
                                                .build())
                                .build());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "503 | RequestLimitExceeded | Request limit exceeded. | THROTTLED",
                "400 | Throttling | Rate exceeded | THROTTLED",
                "400 | ThrottlingException | Rate exceeded | THROTTLED",
                "400 | InsufficientFreeAddressesInSubnet | The specified subnet does not have"
                        + " enough free addresses to satisfy the request. | SUBNET_FULL",
                "400 | InsufficientCidrBlocks | The specified subnet does not have enough free cidr"
                        + " blocks to satisfy the request. | NO_FREE_PREFIX",
                "400 | InvalidParameterValue | There aren't sufficient free Ipv4 addresses or"
                        + " prefixes | SUBNET_FULL",
                "400 | PrivateIpAddressLimitExceeded | Number of private addresses will exceed"
                        + " limit. | INTERFACE_FULL",
                "400 | AttachmentLimitExceeded | Interface count 4 exceeds the limit for t3.medium"
                        + " | ATTACHMENT_LIMIT",
                "400 | InvalidParameterValue | Instance 'i-1' already has an interface attached at"
                        + " device index '2'. | DEVICE_INDEX_TAKEN",
                "400 | NetworkInterfaceLimitExceeded | limit | QUOTA_EXCEEDED",
                "400 | InvalidNetworkInterfaceID.NotFound | does not exist | GONE",
                "400 | InvalidAttachmentID.NotFound | does not exist | GONE",
                "400 | InvalidInstanceID.NotFound | does not exist | GONE",
                "400 | InvalidParameterValue | Network interface 'eni-1' is currently in use. |"
                        + " BUSY",
                "400 | InvalidNetworkInterface.InUse | Interface: [eni-1] in use. | BUSY",
                "400 | IncorrectState | not running | BUSY",
                "400 | IncorrectInstanceState | not running | BUSY",
                "403 | UnauthorizedOperation | You are not authorized | NOT_PERMITTED",
                "403 | AccessDeniedException | denied | NOT_PERMITTED",
                "401 | AuthFailure | AWS was not able to validate | NOT_PERMITTED",
                "400 | RequestExpired | Request has expired. | NOT_PERMITTED",
                "400 | InvalidSubnetID.NotFound | does not exist | MISCONFIGURED",
                "400 | InvalidGroup.NotFound | does not exist | MISCONFIGURED",
                "400 | InvalidSecurityGroupID.NotFound | does not exist | MISCONFIGURED",
                "400 | OperationNotPermitted | The network interface at device index 0 and"
                        + " networkCard index 0 cannot be detached. | MISCONFIGURED",
                "400 | InvalidParameterValue | something else | MISCONFIGURED",
                "400 | SomethingNew | words | MISCONFIGURED",
            })
    void a_refusal_is_certain_and_has_its_class(
            int status, String code, String words, Refusal refusal) {
        CallFailure failure = read(Ec2Action.ATTACH_NETWORK_INTERFACE, status, code, words);
        assertThat(failure.refusal()).isEqualTo(refusal);
        assertThat(failure.ambiguous()).isFalse();
        assertThat(failure.getMessage())
                .contains("AttachNetworkInterface", "eni-1", code, words, "; ");
    }

    @ParameterizedTest
    @CsvSource({"500,InternalError", "503,Unavailable", "503,ServiceUnavailable", "500,", "400,"})
    void a_failure_of_the_cloud_and_an_answer_without_a_code_leave_the_outcome_open(
            int status, String code) {
        CallFailure failure = read(Ec2Action.ASSIGN_PRIVATE_IP_ADDRESSES, status, code, "");
        assertThat(failure.refusal()).isEqualTo(Refusal.UNAVAILABLE);
        assertThat(failure.ambiguous()).isTrue();
    }

    /** Some of EC2's texts say "addresses or prefixes": what was asked for decides. */
    @Test
    void a_call_for_prefixes_that_finds_no_room_says_nothing_about_addresses() {
        CallFailure full =
                read(
                        Ec2Action.ASSIGN_PRIVATE_IP_ADDRESSES,
                        400,
                        "InvalidParameterValue",
                        "There aren't sufficient free Ipv4 addresses or prefixes");
        assertThat(full.refusal()).isEqualTo(Refusal.SUBNET_FULL);
        CallFailure prefixes = Ec2Errors.ofPrefixes(full);
        assertThat(prefixes.refusal()).isEqualTo(Refusal.NO_FREE_PREFIX);
        assertThat(prefixes.ambiguous()).isFalse();
        assertThat(prefixes.getMessage()).contains("sufficient free", "single addresses");
        CallFailure busy = read(Ec2Action.ASSIGN_PRIVATE_IP_ADDRESSES, 400, "IncorrectState", "");
        assertThat(Ec2Errors.ofPrefixes(busy)).isSameAs(busy);
    }

    @Test
    void an_exception_without_any_detail_leaves_the_outcome_open() {
        CallFailure failure =
                Ec2Errors.read(
                        Ec2Action.DELETE_NETWORK_INTERFACE,
                        "eni-1",
                        (Ec2Exception) Ec2Exception.builder().statusCode(502).build());
        assertThat(failure.ambiguous()).isTrue();
        assertThat(failure.getMessage()).contains("502", "DeleteNetworkInterface");
    }

    @ParameterizedTest
    @EnumSource(Ec2Action.class)
    void a_missing_permission_is_named(Ec2Action action) {
        assertThat(read(action, 403, "UnauthorizedOperation", "no").getMessage())
                .contains("ec2:" + action.wireName());
    }

    @Test
    void what_was_never_sent_is_certain_and_what_was_not_answered_is_not() {
        for (Exception cause :
                Arrays.asList(
                        new ConnectException("Connection refused"),
                        new UnknownHostException("ec2.example"),
                        new SocketTimeoutException("Connect timed out"))) {
            assertThat(unanswered(cause).ambiguous()).as(cause.toString()).isFalse();
        }
        for (Exception cause :
                Arrays.asList(
                        new SocketTimeoutException("Read timed out"),
                        new java.net.SocketException("Connection reset"))) {
            assertThat(unanswered(cause).ambiguous()).as(cause.toString()).isTrue();
        }
    }

    @Test
    void missing_credentials_are_a_matter_for_a_person() {
        CallFailure failure =
                Ec2Errors.read(
                        Ec2Action.DESCRIBE_SUBNETS,
                        "subnet-1",
                        SdkClientException.create(
                                "Unable to load credentials from any of the providers"));
        assertThat(failure.refusal()).isEqualTo(Refusal.NOT_PERMITTED);
    }

    private static CallFailure unanswered(Exception cause) {
        CallFailure failure =
                Ec2Errors.read(
                        Ec2Action.ATTACH_NETWORK_INTERFACE,
                        "eni-1",
                        SdkClientException.create("Unable to execute HTTP request", cause));
        assertThat(failure.refusal()).isEqualTo(Refusal.UNAVAILABLE);
        return failure;
    }
}
