package dev.underlay.localvpc;

import dev.underlay.localvpc.ec2.Ec2Endpoint;
import dev.underlay.localvpc.metadata.MetadataEndpoint;
import dev.underlay.localvpc.state.Eni;
import dev.underlay.localvpc.state.Instance;
import dev.underlay.localvpc.state.Subnet;
import dev.underlay.localvpc.state.Vpc;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A VPC on one Linux machine: EC2 and the instance metadata service over HTTP, and behind each
 * answer a {@link Fabric} that carries packets accordingly. Thread-safe.
 *
 * <p>The fabric is told about a new interface and its addresses, the primary one first, by {@link
 * Fabric#plug(String, Fabric.Port, List)} some time after the attach was answered. {@link
 * Fabric#boot} is followed by a map of the primary address likewise.
 */
public final class LocalVpc implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(LocalVpc.class);

    private final VpcSpec spec;
    private final Auditor auditor = new Auditor();
    private final CallLedger ledger = new CallLedger();
    private final Vpc vpc;
    private final Ec2Endpoint ec2;
    private final MetadataEndpoint metadata;
    private final Thread time;
    private volatile @Nullable String loopbackInstance;

    private LocalVpc(VpcSpec spec) throws IOException {
        this.spec = spec;
        vpc = new Vpc(spec, auditor);
        ec2 =
                new Ec2Endpoint(
                        spec,
                        vpc,
                        auditor,
                        ledger,
                        source -> callerAt(source).map(Instance::id).orElse("-"));
        try {
            metadata = new MetadataEndpoint(spec, vpc, auditor, ledger, this::callerAt);
        } catch (IOException | RuntimeException e) {
            ec2.close();
            throw e;
        }
        time = Thread.ofPlatform().name("local-vpc-time").daemon(true).unstarted(this::runTime);
    }

    /**
     * Raises the VPC. Its sockets are opened on the calling thread, so in that thread's network
     * namespace, and stay there.
     *
     * @throws IOException when an address cannot be listened on
     * @throws IllegalArgumentException for a specification that no VPC can have
     */
    public static LocalVpc start(VpcSpec spec) throws IOException {
        LocalVpc started = new LocalVpc(spec);
        started.time.start();
        LOG.info(
                "local-vpc.started seed={} ec2={} metadata={}",
                spec.seed(),
                started.ec2Endpoint(),
                started.metadataEndpoint());
        return started;
    }

    /** The subnets, in the order of the specification. */
    public List<Subnet> subnets() {
        return vpc.subnets();
    }

    /**
     * Boots an instance with its primary interface; it is running when this returns.
     *
     * @param type an instance type of the bundled table, such as {@code m5.large}
     * @throws IllegalArgumentException for an unknown type
     */
    public Instance launchInstance(String type, String subnetId) {
        return vpc.launch(type, subnetId);
    }

    /** Ends an instance; interfaces that are not deleted with it become available. */
    public void terminateInstance(String instanceId) {
        vpc.terminate(instanceId);
    }

    /** Every interface at this moment, whatever the lags show to callers. */
    public List<Eni> interfaces() {
        return vpc.enis();
    }

    /** How many addresses of the subnet are free. */
    public int freeAddresses(String subnetId) {
        return vpc.freeAddresses(subnetId);
    }

    /** What can be made slow, stale or broken. */
    public Dials dials() {
        return spec.dials();
    }

    /** What somebody else does in the same account. */
    public Console console() {
        return new Console(vpc);
    }

    /** How often who called what. */
    public CallLedger ledger() {
        return ledger;
    }

    /** For {@code AWS_ENDPOINT_URL_EC2}. */
    public URI ec2Endpoint() {
        return ec2.uri();
    }

    /** For {@code AWS_EC2_METADATA_SERVICE_ENDPOINT}. */
    public URI metadataEndpoint() {
        return metadata.uri();
    }

    /** For {@code AWS_REGION}: requests signed for another one are refused. */
    public String region() {
        return spec.region();
    }

    /** The VPC's identifier. */
    public String vpcId() {
        return vpc.id();
    }

    /** The security group that interfaces get if none is named. */
    public String defaultGroup() {
        return vpc.defaultGroup();
    }

    /**
     * Who a caller with a loopback address is; as made, the instance that was launched first. A
     * caller is known by its source address otherwise.
     */
    public void callersOnLoopbackAre(String instanceId) {
        loopbackInstance = instanceId;
    }

    /**
     * What should not have happened: unknown actions, parameters or metadata paths, changes of
     * somebody else's interfaces, internal errors, and interfaces that are attached to nothing.
     */
    public List<String> findings() {
        List<String> all = new ArrayList<>(auditor.findings());
        for (Eni eni : vpc.enis()) {
            if (eni.attachment() == null && !eni.foreign()) {
                all.add(
                        "orphan: "
                                + eni.id()
                                + " is "
                                + eni.status().text()
                                + " with "
                                + eni.tags());
            }
        }
        return all;
    }

    /**
     * Throws if there are findings.
     *
     * @throws AssertionError naming them all
     */
    public void assertClean() {
        List<String> findings = findings();
        if (!findings.isEmpty()) {
            throw new AssertionError("seed " + spec.seed() + ":\n" + String.join("\n", findings));
        }
    }

    /** Lets every state change happen that is due; with the system's clock that is done anyway. */
    public void settle() {
        vpc.settle();
    }

    /**
     * Closes the endpoints and lets a change that is happening come to its end: nothing falls due
     * any more when this returns. The fabric is the caller's.
     */
    @Override
    public void close() {
        vpc.endTime();
        try {
            time.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        ec2.close();
        metadata.close();
    }

    private Optional<Instance> callerAt(InetAddress source) {
        if (!source.isLoopbackAddress()) {
            return Optional.ofNullable(vpc.instanceWith(source));
        }
        String chosen = loopbackInstance;
        return vpc.instances().stream()
                .filter(instance -> chosen == null || instance.id().equals(chosen))
                .findFirst();
    }

    private void runTime() {
        try {
            vpc.runUntilTimeEnds();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
