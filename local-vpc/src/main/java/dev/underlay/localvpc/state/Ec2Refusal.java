package dev.underlay.localvpc.state;

import java.util.Locale;

/**
 * EC2 says no: a code, an HTTP status and a text. It is an exception because a rule can break at
 * any depth of a call, and the answer is the same wherever it does. All codes of the state's rules
 * stand here. The texts of codes that were seen in the field are those seen; others are believed.
 */
public final class Ec2Refusal extends RuntimeException {
    private final int status;
    private final String code;

    /** An error answer. */
    public Ec2Refusal(int status, String code, String message) {
        super(message, null, false, false);
        this.status = status;
        this.code = code;
    }

    /** The HTTP status. */
    public int status() {
        return status;
    }

    /** The error code. */
    public String code() {
        return code;
    }

    /** The message, which is never absent. */
    public String text() {
        return String.valueOf(getMessage());
    }

    /** A 400 with InvalidParameterValue. */
    public static Ec2Refusal parameterValue(String message) {
        return new Ec2Refusal(400, "InvalidParameterValue", message);
    }

    /** Parameters that exclude each other. */
    public static Ec2Refusal parameterCombination(String message) {
        return new Ec2Refusal(400, "InvalidParameterCombination", message);
    }

    /** A required parameter is absent. */
    public static Ec2Refusal missing(String parameter) {
        return new Ec2Refusal(
                400, "MissingParameter", "The request must contain the parameter " + parameter);
    }

    /** An identifier that names nothing, or nothing yet. */
    public static Ec2Refusal notFound(Resource kind, String id) {
        if (!id.startsWith(kind.prefix)) {
            return new Ec2Refusal(
                    400,
                    kind.malformedCode,
                    "Invalid id: \"" + id + "\" (expecting \"" + kind.prefix + "...\")");
        }
        return new Ec2Refusal(
                400, kind.code + ".NotFound", "The " + kind.words + " '" + id + "' does not exist");
    }

    static Ec2Refusal attachmentLimit(int count, String type) {
        return new Ec2Refusal(
                400,
                "AttachmentLimitExceeded",
                "Interface count " + count + " exceeds the limit for " + type);
    }

    static Ec2Refusal addressLimit() {
        return new Ec2Refusal(
                400,
                "PrivateIpAddressLimitExceeded",
                "Number of private addresses will exceed limit.");
    }

    static Ec2Refusal interfaceInUse(String id) {
        return new Ec2Refusal(
                400, "InvalidNetworkInterface.InUse", "Interface: [" + id + "] in use.");
    }

    static Ec2Refusal addressInUse(Cidr address) {
        return new Ec2Refusal(
                400,
                "InvalidIPAddress.InUse",
                String.format(Locale.ROOT, "Address %s is in use.", address));
    }

    static Ec2Refusal noFreeAddress() {
        return new Ec2Refusal(
                400,
                "InsufficientFreeAddressesInSubnet",
                "The specified subnet does not have enough free addresses to satisfy the request.");
    }

    static Ec2Refusal noFreePrefix() {
        return new Ec2Refusal(
                400,
                "InsufficientCidrBlocks",
                "The specified subnet does not have enough free cidr blocks to satisfy the"
                        + " request.");
    }

    static Ec2Refusal noIpv6(String subnetId) {
        return parameterValue("The subnet '" + subnetId + "' has no IPv6 CIDR block");
    }

    /** The kinds of things that have identifiers. */
    public enum Resource {
        /** A network interface. */
        INTERFACE("eni-", "InvalidNetworkInterfaceID", "networkInterface ID"),
        /** An attachment of a network interface. */
        ATTACHMENT("eni-attach-", "InvalidAttachmentID", "interface attachment"),
        /** An instance. */
        INSTANCE("i-", "InvalidInstanceID", "instance ID"),
        /** A subnet. */
        SUBNET("subnet-", "InvalidSubnetID", "subnet ID"),
        /** A VPC. */
        VPC("vpc-", "InvalidVpcID", "vpc ID"),
        /** A security group. */
        GROUP("sg-", "InvalidGroup", "security group");

        private final String prefix;
        private final String code;
        private final String malformedCode;
        private final String words;

        Resource(String prefix, String code, String words) {
            this.prefix = prefix;
            this.code = code;
            this.malformedCode = (code.endsWith("ID") ? code : code + "Id") + ".Malformed";
            this.words = words;
        }
    }
}
