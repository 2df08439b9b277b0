package dev.underlay.localvpc;

import dev.underlay.localvpc.state.Eni;
import dev.underlay.localvpc.state.Instance;
import dev.underlay.localvpc.state.Subnet;
import java.io.IOException;
import java.net.URI;
import java.util.List;

/**
 * A VPC on one Linux machine: EC2 and the instance metadata service over HTTP, and behind each
 * answer a {@link Fabric} that carries packets accordingly. Thread-safe.
 *
 * <p>The fabric is told about a new interface by {@link Fabric#plug} some time after the attach was
 * answered, and then by {@link Fabric#map} about each of its addresses, the primary one first.
 * {@link Fabric#boot} is followed by a map of the primary address likewise.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class LocalVpc implements AutoCloseable {
    private LocalVpc() {}

    /**
     * Raises the VPC. Its sockets are opened on the calling thread, so in that thread's network
     * namespace, and stay there.
     *
     * @throws IOException when an address cannot be listened on
     */
    public static LocalVpc start(VpcSpec spec) throws IOException {
        throw new UnsupportedOperationException(spec.toString());
    }

    /** The subnets, in the order of the specification. */
    public List<Subnet> subnets() {
        throw new UnsupportedOperationException();
    }

    /**
     * Boots an instance with its primary interface; it is running when this returns.
     *
     * @param type an instance type of the bundled table, such as {@code m5.large}
     * @throws IllegalArgumentException for an unknown type or subnet
     */
    public Instance launchInstance(String type, String subnetId) {
        throw new UnsupportedOperationException(type + subnetId);
    }

    /** Ends an instance; interfaces that are not deleted with it become available. */
    public void terminateInstance(String instanceId) {
        throw new UnsupportedOperationException(instanceId);
    }

    /** Every interface at this moment, whatever the lags show to callers. */
    public List<Eni> interfaces() {
        throw new UnsupportedOperationException();
    }

    /** What can be made slow, stale or broken. */
    public Dials dials() {
        throw new UnsupportedOperationException();
    }

    /** How often who called what. */
    public CallLedger ledger() {
        throw new UnsupportedOperationException();
    }

    /** For {@code AWS_ENDPOINT_URL_EC2}. */
    public URI ec2Endpoint() {
        throw new UnsupportedOperationException();
    }

    /** For {@code AWS_EC2_METADATA_SERVICE_ENDPOINT}. */
    public URI metadataEndpoint() {
        throw new UnsupportedOperationException();
    }

    /** The VPC's identifier. */
    public String vpcId() {
        throw new UnsupportedOperationException();
    }

    /**
     * Who a caller with a loopback address is; as made, the instance that was launched first. A
     * caller is known by its source address otherwise.
     */
    public void callersOnLoopbackAre(String instanceId) {
        throw new UnsupportedOperationException(instanceId);
    }

    /** What should not have happened: unknown actions or parameters, orphans, internal errors. */
    public List<String> findings() {
        throw new UnsupportedOperationException();
    }

    /**
     * Throws if there are findings.
     *
     * @throws AssertionError naming them all
     */
    public void assertClean() {
        throw new UnsupportedOperationException();
    }

    /** Lets every state change happen that is due; with the system's clock that is done anyway. */
    public void settle() {
        throw new UnsupportedOperationException();
    }

    /** Closes the endpoints. The fabric is the caller's. */
    @Override
    public void close() {}
}
