package dev.underlay.pool;

import java.util.List;

/**
 * One call to the cloud that the planner wants. Two actions that are equal are the same wish; the
 * planner never asks for one that is in flight.
 *
 * <p>How to run one: {@link Pool#begin}, then {@link #call} on a virtual thread, then {@link
 * Pool#end} with its answer on the thread that owns the pool.
 */
public sealed interface CloudAction {
    /**
     * Make an interface that holds its blocks from the start; journal the token before the call.
     */
    record CreateInterface(InterfaceRequest request) implements CloudAction {
        @Override
        public CloudAnswer<CloudInterface> call(CloudNetwork network) {
            return network.createInterface(request);
        }
    }

    /** Plug an interface in. */
    record AttachInterface(String interfaceId, int deviceIndex) implements CloudAction {
        @Override
        public CloudAnswer<CloudInterface> call(CloudNetwork network) {
            return network.attachInterface(interfaceId, deviceIndex);
        }
    }

    /** Put more blocks on an interface. */
    record AssignBlocks(String interfaceId, BlockKind kind, int count) implements CloudAction {
        @Override
        public CloudAnswer<List<Cidr>> call(CloudNetwork network) {
            return network.assignBlocks(interfaceId, kind, count);
        }
    }

    /** Give blocks back; from {@link Pool#begin} on none of their addresses is leased. */
    record UnassignBlocks(String interfaceId, List<Cidr> blocks) implements CloudAction {
        /** Keeps its own copy of the blocks. */
        public UnassignBlocks {
            blocks = List.copyOf(blocks);
        }

        @Override
        public CloudAnswer<List<Cidr>> call(CloudNetwork network) {
            return network.unassignBlocks(interfaceId, blocks);
        }
    }

    /** Unplug an interface; from {@link Pool#begin} on none of its addresses is leased. */
    record DetachInterface(String interfaceId) implements CloudAction {
        @Override
        public CloudAnswer<CloudInterface> call(CloudNetwork network) {
            return network.detachInterface(interfaceId);
        }
    }

    /** Delete an unplugged interface. */
    record DeleteInterface(String interfaceId) implements CloudAction {
        @Override
        public CloudAnswer<String> call(CloudNetwork network) {
            return network.deleteInterface(interfaceId);
        }
    }

    /** Ask what there is. */
    record Describe() implements CloudAction {
        @Override
        public CloudAnswer<List<CloudInterface>> call(CloudNetwork network) {
            return network.describeInterfaces();
        }
    }

    /** Makes this call on the port. Blocks; never on the thread that owns the pool. */
    CloudAnswer<?> call(CloudNetwork network);
}
