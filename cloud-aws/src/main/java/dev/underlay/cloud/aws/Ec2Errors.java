package dev.underlay.cloud.aws;

import dev.underlay.pool.Refusal;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;

/**
 * Turns what the SDK throws into a {@link CallFailure}: by code, where one code means several
 * things by words of its message, and by status where there is no code (a proxy's page, a crash of
 * the service).
 *
 * <p>Source of the codes: EC2 API reference, "Error codes for the Amazon EC2 API"; the texts are
 * those seen in the field.
 */
final class Ec2Errors {
    /** What an error means and what a person may do; the planner does the rest by itself. */
    private record Meaning(Refusal refusal, String next) {}

    private static final Meaning SUBNET_FULL =
            new Meaning(
                    Refusal.SUBNET_FULL,
                    "the subnet has no room for it; free addresses in it or give the nodes another"
                            + " subnet");
    private static final Meaning NO_FREE_PREFIX =
            new Meaning(
                    Refusal.NO_FREE_PREFIX,
                    "the subnet has no free /28, single addresses serve meanwhile; reserve a range"
                            + " of it for prefixes or give the nodes another subnet");
    private static final Meaning DEVICE_INDEX_TAKEN =
            new Meaning(Refusal.DEVICE_INDEX_TAKEN, "the next index is tried");
    private static final Meaning IN_USE = new Meaning(Refusal.BUSY, "it is tried again later");
    private static final Meaning GONE =
            new Meaning(Refusal.GONE, "it was removed by someone else; nothing is left to do");
    private static final Meaning WRONG_NETWORK =
            new Meaning(
                    Refusal.MISCONFIGURED,
                    "check the subnet and the security groups of the node's primary interface");
    private static final Meaning THROTTLED =
            new Meaning(
                    Refusal.THROTTLED,
                    "the account's request rate for this action is used up; it is tried again"
                            + " later");
    private static final Meaning NO_CREDENTIALS =
            new Meaning(
                    Refusal.NOT_PERMITTED,
                    "check the node's credentials (instance profile, pod identity or keys)");
    private static final Meaning CLOCK =
            new Meaning(Refusal.NOT_PERMITTED, "check the node's clock: the signature is too old");
    private static final Meaning WRONG_CALL =
            new Meaning(Refusal.MISCONFIGURED, "a repeat would not help; report it as a bug");

    private static final Map<String, Meaning> BY_CODE =
            Map.ofEntries(
                    Map.entry("RequestLimitExceeded", THROTTLED),
                    Map.entry("Throttling", THROTTLED),
                    Map.entry("ThrottlingException", THROTTLED),
                    Map.entry("RequestThrottled", THROTTLED),
                    Map.entry("EC2ThrottledException", THROTTLED),
                    Map.entry("TooManyRequestsException", THROTTLED),
                    Map.entry("InsufficientFreeAddressesInSubnet", SUBNET_FULL),
                    Map.entry("InsufficientCidrBlocks", NO_FREE_PREFIX),
                    Map.entry(
                            "PrivateIpAddressLimitExceeded",
                            new Meaning(
                                    Refusal.INTERFACE_FULL,
                                    "the interface holds all that its type allows; it is described"
                                            + " again")),
                    Map.entry(
                            "AttachmentLimitExceeded",
                            new Meaning(
                                    Refusal.ATTACHMENT_LIMIT,
                                    "the instance has all interfaces its type allows; look for"
                                            + " interfaces attached by someone else")),
                    Map.entry(
                            "NetworkInterfaceLimitExceeded",
                            new Meaning(
                                    Refusal.QUOTA_EXCEEDED,
                                    "raise the quota \"Network interfaces per Region\" or delete"
                                            + " unused interfaces")),
                    Map.entry("InvalidNetworkInterfaceID.NotFound", GONE),
                    Map.entry("InvalidNetworkInterfaceId.NotFound", GONE),
                    Map.entry("InvalidAttachmentID.NotFound", GONE),
                    Map.entry("InvalidInstanceID.NotFound", GONE),
                    Map.entry("InvalidNetworkInterface.InUse", IN_USE),
                    Map.entry("IncorrectState", IN_USE),
                    Map.entry("IncorrectInstanceState", IN_USE),
                    Map.entry("InvalidSubnetID.NotFound", WRONG_NETWORK),
                    Map.entry("InvalidSubnetID.Malformed", WRONG_NETWORK),
                    Map.entry("InvalidGroup.NotFound", WRONG_NETWORK),
                    Map.entry("InvalidSecurityGroupID.NotFound", WRONG_NETWORK),
                    Map.entry("AuthFailure", NO_CREDENTIALS),
                    Map.entry("InvalidClientTokenId", NO_CREDENTIALS),
                    Map.entry("SignatureDoesNotMatch", NO_CREDENTIALS),
                    Map.entry("ExpiredToken", NO_CREDENTIALS),
                    Map.entry("ExpiredTokenException", NO_CREDENTIALS),
                    Map.entry("UnrecognizedClientException", NO_CREDENTIALS),
                    Map.entry("OptInRequired", NO_CREDENTIALS),
                    Map.entry("RequestExpired", CLOCK),
                    Map.entry("RequestTimeTooSkewed", CLOCK));

    private Ec2Errors() {}

    /** Reads one exception of the SDK. */
    static CallFailure read(Ec2Action action, String thing, SdkException exception) {
        String what = "EC2 " + action.wireName() + " for " + thing;
        if (exception instanceof AwsServiceException service) {
            return answered(action, what, service);
        }
        return unanswered(what, exception);
    }

    /** An answer that lacks what it has to have: whether the call did anything is open. */
    static CallFailure unreadable(Ec2Action action, String thing, RuntimeException cause) {
        return CallFailure.ambiguous(
                "EC2 "
                        + action.wireName()
                        + " for "
                        + thing
                        + " was answered with something else than promised: "
                        + cause.getMessage(),
                cause);
    }

    /** The same of a call that asked for prefixes: a subnet without one may have addresses. */
    static CallFailure ofPrefixes(CallFailure failure) {
        return failure.refusal() == Refusal.SUBNET_FULL
                ? CallFailure.certain(
                        Refusal.NO_FREE_PREFIX,
                        failure.getMessage() + "; single addresses serve meanwhile",
                        failure.getCause())
                : failure;
    }

    /** Whether a client token was used before with other parameters. */
    static boolean isTokenMismatch(CallFailure failure) {
        return failure.getCause() instanceof AwsServiceException service
                && service.awsErrorDetails() != null
                && "IdempotentParameterMismatch".equals(service.awsErrorDetails().errorCode());
    }

    private static CallFailure answered(
            Ec2Action action, String what, AwsServiceException exception) {
        AwsErrorDetails details = exception.awsErrorDetails();
        String code = details == null ? null : details.errorCode();
        String words =
                details == null || details.errorMessage() == null ? "" : details.errorMessage();
        int status = exception.statusCode();
        if (code == null) {
            // No word of EC2's: a page of something in between, or a crash before EC2 could say.
            return status == 429
                    ? refused(what, "status 429", words, THROTTLED, exception)
                    : CallFailure.ambiguous(
                            what
                                    + " was answered with status "
                                    + status
                                    + " and no error code; check what stands between the node and"
                                    + " EC2 (proxy, VPC endpoint)",
                            exception);
        }
        Meaning known = meaning(action, code, words);
        if (known == null && exception.isThrottlingException()) {
            known = THROTTLED;
        }
        if (known == null && status >= 500) {
            return CallFailure.ambiguous(
                    what + " failed inside EC2: " + code + " (" + status + "): " + words,
                    exception);
        }
        return refused(what, code, words, known == null ? WRONG_CALL : known, exception);
    }

    private static @Nullable Meaning meaning(Ec2Action action, String code, String words) {
        if (code.equals("UnauthorizedOperation") || code.startsWith("AccessDenied")) {
            return new Meaning(
                    Refusal.NOT_PERMITTED,
                    "allow " + action.permission() + " in the IAM policy of the node's role");
        }
        if (code.equals("InvalidParameterValue")) {
            String lower = words.toLowerCase(Locale.ROOT);
            if (lower.contains("sufficient free")) {
                return SUBNET_FULL;
            }
            if (lower.contains("interface attached at device index")) {
                return DEVICE_INDEX_TAKEN;
            }
            if (lower.contains("in use")) {
                return IN_USE;
            }
        }
        return BY_CODE.get(code);
    }

    private static CallFailure refused(
            String what, String code, String words, Meaning meaning, SdkException cause) {
        return CallFailure.certain(
                meaning.refusal(),
                what
                        + " was refused: "
                        + code
                        + (words.isEmpty() ? "" : ": " + words)
                        + "; "
                        + meaning.next(),
                cause);
    }

    private static CallFailure unanswered(String what, SdkException exception) {
        String words = String.valueOf(exception.getMessage());
        if (words.startsWith("Unable to load credentials")) {
            return CallFailure.certain(
                    NO_CREDENTIALS.refusal(),
                    what + " was not sent: no credentials; " + NO_CREDENTIALS.next(),
                    exception);
        }
        for (Throwable t = exception; t != null; t = t.getCause()) {
            if (neverConnected(t)) {
                return CallFailure.certain(
                        Refusal.UNAVAILABLE,
                        what
                                + " was not sent: "
                                + t.getMessage()
                                + "; check the route from the node to the EC2 endpoint",
                        exception);
            }
        }
        return CallFailure.ambiguous(
                what + " got no answer: " + words + "; check the way from the node to EC2",
                exception);
    }

    private static boolean neverConnected(Throwable t) {
        return t instanceof ConnectException
                || t instanceof UnknownHostException
                || t instanceof NoRouteToHostException
                // The JDK has no class of its own for it; "Read timed out" is the other text.
                || (t instanceof SocketTimeoutException
                        && "connect timed out".equalsIgnoreCase(t.getMessage()));
    }
}
