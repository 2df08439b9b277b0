package dev.underlay.cni.wiring;

import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Which sandbox a host link belongs to. It is written into the link's alias, so that the kernel
 * holds a full copy of the journal's leases.
 *
 * @param network the name of the network configuration
 * @param containerId the sandbox, {@code CNI_CONTAINERID}
 * @param interfaceName the name inside the pod, {@code CNI_IFNAME}
 * @param namespaceInode the inode of the pod's network namespace
 * @param podNamespace the pod's Kubernetes namespace, empty outside Kubernetes
 * @param podName the pod's name, empty outside Kubernetes
 */
public record Attachment(
        String network,
        String containerId,
        String interfaceName,
        long namespaceInode,
        String podNamespace,
        String podName) {
    /** What the kernel keeps of an alias: {@code IFALIASZ} of linux/if.h without its zero byte. */
    static final int MAX_ALIAS_BYTES = 255;

    private static final String ALIAS_START = "underlay/1/";

    /** Whether both are the same interface of the same sandbox; pods' names are not compared. */
    public boolean isSameSandbox(Attachment other) {
        return network.equals(other.network)
                && containerId.equals(other.containerId)
                && interfaceName.equals(other.interfaceName)
                && namespaceInode == other.namespaceInode;
    }

    /**
     * The text for the link's alias: {@code
     * underlay/1/network/container/interface/inode/namespace/pod}, at most 255 bytes. The pod's
     * namespace and name are cut to what is left.
     *
     * @throws IllegalArgumentException when the sandbox's identity alone is longer, or holds a
     *     slash
     */
    public String toAlias() {
        for (String part : new String[] {network, containerId, interfaceName}) {
            if (part.indexOf('/') >= 0) {
                throw new IllegalArgumentException(
                        "a slash in the network name, container id or interface name: " + part);
            }
        }
        String identity =
                ALIAS_START
                        + String.join("/", network, containerId, interfaceName)
                        + "/"
                        + namespaceInode;
        int left = MAX_ALIAS_BYTES - identity.getBytes(StandardCharsets.UTF_8).length;
        if (left < 2) {
            throw new IllegalArgumentException(
                    "network name, container id and interface name do not fit into a link alias of "
                            + MAX_ALIAS_BYTES
                            + " bytes: "
                            + identity
                            + "; choose a shorter network name");
        }
        return identity + cut("/" + podNamespace + "/" + podName, left);
    }

    /** Reads an alias; absent when it is not one of ours. */
    public static Optional<Attachment> fromAlias(String alias) {
        if (!alias.startsWith(ALIAS_START)) {
            return Optional.empty();
        }
        String[] parts = new String[6];
        int from = ALIAS_START.length();
        for (int i = 0; i < parts.length; i++) {
            int slash = i < parts.length - 1 ? alias.indexOf('/', from) : -1;
            int end = slash < 0 ? alias.length() : slash;
            parts[i] = alias.substring(from, end);
            from = Math.min(alias.length(), end + 1);
        }
        try {
            long inode = Long.parseLong(parts[3]);
            return Optional.of(
                    new Attachment(parts[0], parts[1], parts[2], inode, parts[4], parts[5]));
        } catch (NumberFormatException e) {
            return Optional.empty();
        }
    }

    /** The beginning of a text that fits into so many bytes of UTF-8, cut between characters. */
    private static String cut(String text, int bytes) {
        int end = 0;
        int used = 0;
        while (end < text.length()) {
            int point = text.codePointAt(end);
            int width = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
            if (used + width > bytes) {
                break;
            }
            used += width;
            end += Character.charCount(point);
        }
        return text.substring(0, end);
    }

    @Override
    public String toString() {
        String sandbox = network + "/" + containerId + "/" + interfaceName;
        return podName.isEmpty() ? sandbox : podNamespace + "/" + podName + " (" + sandbox + ")";
    }
}
