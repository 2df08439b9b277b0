package dev.underlay.pool;

import java.util.List;
import java.util.Optional;

/**
 * One interface of the pool at one instant; a copy.
 *
 * @param id the cloud's name
 * @param cloud its last description; absent for one that only a living pod's lease names
 * @param life how far it is
 * @param standing what the cloud says about it
 * @param linkReady whether the daemon has configured its link
 * @param blocks its blocks, ordered
 */
public record InterfaceView(
        String id,
        Optional<CloudInterface> cloud,
        InterfaceLife life,
        Standing standing,
        boolean linkReady,
        List<BlockView> blocks) {
    /**
     * One block.
     *
     * @param cidr its addresses
     * @param life how far it is
     * @param standing what the cloud says about it
     * @param slots the addresses that a pod has had or has, ordered; all others were never used
     */
    public record BlockView(Cidr cidr, BlockLife life, Standing standing, List<Slot> slots) {
        /** Keeps its own copy of the slots. */
        public BlockView {
            slots = List.copyOf(slots);
        }
    }

    /** One address and its state. */
    public record Slot(IpAddress address, AddressState state) {}

    /** Keeps its own copy of the blocks. */
    public InterfaceView {
        blocks = List.copyOf(blocks);
    }
}
