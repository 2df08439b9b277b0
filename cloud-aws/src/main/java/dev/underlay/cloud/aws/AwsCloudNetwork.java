package dev.underlay.cloud.aws;

import dev.underlay.pool.BlockKind;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudAnswer;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.CloudNetwork;
import dev.underlay.pool.InterfaceRequest;
import dev.underlay.pool.NodeIdentity;
import java.util.List;

/** The node's network on AWS. */
public final class AwsCloudNetwork implements CloudNetwork, AutoCloseable {
    private final AwsSettings settings;
    private final CloudCallListener listener;

    /**
     * Remembers its arguments and does nothing else: no class of the SDK is loaded and nothing is
     * sent before the first call.
     */
    public AwsCloudNetwork(AwsSettings settings, CloudCallListener listener) {
        this.settings = settings;
        this.listener = listener;
    }

    @Override
    public CloudAnswer<NodeIdentity> identify() {
        throw pending();
    }

    @Override
    public CloudAnswer<List<CloudInterface>> describeInterfaces() {
        throw pending();
    }

    @Override
    public CloudAnswer<List<Cidr>> networkCidrs() {
        throw pending();
    }

    @Override
    public CloudAnswer<CloudInterface> createInterface(InterfaceRequest request) {
        throw pending();
    }

    @Override
    public CloudAnswer<CloudInterface> attachInterface(String interfaceId, int deviceIndex) {
        throw pending();
    }

    @Override
    public CloudAnswer<List<Cidr>> assignBlocks(String interfaceId, BlockKind kind, int count) {
        throw pending();
    }

    @Override
    public CloudAnswer<List<Cidr>> unassignBlocks(String interfaceId, List<Cidr> blocks) {
        throw pending();
    }

    @Override
    public CloudAnswer<CloudInterface> detachInterface(String interfaceId) {
        throw pending();
    }

    @Override
    public CloudAnswer<String> deleteInterface(String interfaceId) {
        throw pending();
    }

    /** Closes the client; calls under way end with a refusal. */
    @Override
    public void close() {}

    private IllegalStateException pending() {
        return new IllegalStateException("not wired yet: " + settings + listener);
    }
}
