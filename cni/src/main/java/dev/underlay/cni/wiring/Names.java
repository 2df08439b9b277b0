package dev.underlay.cni.wiring;

import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

/** Names and Ethernet addresses of links; the same input always gives the same. */
final class Names {
    private Names() {}

    /**
     * The names a host link may have, best first: the one that the AWS VPC CNI gives to the pod's
     * link ({@code eni} and 11 digits of the SHA-1 of {@code namespace.name}), because policy
     * agents look for it, then one that only this sandbox can have. Both fit into the 15 bytes of a
     * link name.
     */
    static List<String> hostLink(Attachment attachment) {
        String own =
                "ul"
                        + sha1(String.join(
                                        "/",
                                        attachment.network(),
                                        attachment.containerId(),
                                        attachment.interfaceName()))
                                .substring(0, 13);
        return attachment.podName().isEmpty() || attachment.podNamespace().isEmpty()
                ? List.of(own)
                : List.of(podLink(attachment.podNamespace(), attachment.podName()), own);
    }

    /** The AWS VPC CNI's name for the pod's first interface. */
    static String podLink(String namespace, String name) {
        return "eni" + sha1(namespace + "." + name).substring(0, 11);
    }

    /**
     * The Ethernet address of the pod's end. It follows from the pod's address, so that neighbours'
     * caches stay right when the address is used again; the first byte says "locally administered".
     */
    static String podMac(InetAddress address) {
        return POD_MAC_START + lastFour(address);
    }

    /** The Ethernet address of the host's end. */
    static String hostMac(InetAddress address) {
        return HOST_MAC_START + lastFour(address);
    }

    /** The Ethernet address of the pod's end of the pair whose host's end has this one. */
    static String podMacBehind(String hostMac) {
        return POD_MAC_START + hostMac.substring(HOST_MAC_START.length());
    }

    static final String HOST_MAC_START = "0e:58:";
    private static final String POD_MAC_START = "0a:58:";

    private static String lastFour(InetAddress address) {
        byte[] bytes = address.getAddress();
        if (bytes.length == 16) {
            bytes = digest(bytes);
        }
        return HexFormat.ofDelimiter(":").formatHex(Arrays.copyOf(bytes, 4));
    }

    private static String sha1(String text) {
        return HexFormat.of().formatHex(digest(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static byte[] digest(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-1").digest(bytes);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-1", e);
        }
    }
}
