package dev.underlay.pool;

import java.util.List;
import java.util.Optional;

/**
 * One network interface as the cloud describes it.
 *
 * @param id the cloud's name, such as {@code eni-0ab1}
 * @param token the {@link InterfaceRequest#token()} that made it, where the cloud kept it
 * @param mac lower case with colons; by it the link is found
 * @param subnetId the subnet's name in the cloud
 * @param subnet the subnet's IPv4 CIDR; its first address plus one is the gateway
 * @param primaryAddress the interface's own address, never a pod's
 * @param primary whether it is the interface the node booted with
 * @param attachment where it is plugged in, absent while it is not
 * @param blocks the secondary addresses and prefixes on it, ordered, without the primary address
 * @param managed false for one that an administrator excluded; it is left alone
 */
public record CloudInterface(
        String id,
        Optional<String> token,
        String mac,
        String subnetId,
        Cidr subnet,
        IpAddress primaryAddress,
        boolean primary,
        Optional<Attachment> attachment,
        List<Cidr> blocks,
        boolean managed) {
    /**
     * An interface's place on this node.
     *
     * @param deviceIndex 0 for the primary interface
     * @param state how far the cloud has come
     */
    public record Attachment(int deviceIndex, State state) {}

    /** The cloud's progress in attaching and detaching. */
    public enum State {
        ATTACHING,
        ATTACHED,
        DETACHING
    }

    /** Keeps its own copy of the blocks, sorted. */
    public CloudInterface {
        blocks = blocks.stream().sorted().toList();
    }

    /** The same interface with another attachment and other blocks. */
    CloudInterface with(Optional<Attachment> newAttachment, List<Cidr> newBlocks) {
        return new CloudInterface(
                id,
                token,
                mac,
                subnetId,
                subnet,
                primaryAddress,
                primary,
                newAttachment,
                newBlocks,
                managed);
    }
}
