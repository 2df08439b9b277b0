package dev.underlay.lab;

import dev.underlay.localvpc.LatencyProfile;
import dev.underlay.localvpc.LocalVpc;
import dev.underlay.localvpc.VpcSpec;
import dev.underlay.localvpc.fabric.NamespaceFabric;
import dev.underlay.localvpc.state.Instance;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/** A local VPC with nodes in it. The run that it belongs to removes what it leaves. */
final class LabVpc implements AutoCloseable {
    private static final int HTTP_PORT = 80;

    private final LabRun run;
    private final Programs programs;
    private final NamespaceFabric fabric;
    private final LocalVpc cloud;
    private final List<LabNode> nodes = new ArrayList<>();

    private LabVpc(LabRun run, Programs programs, NamespaceFabric fabric, LocalVpc cloud) {
        this.run = run;
        this.programs = programs;
        this.fabric = fabric;
        this.cloud = cloud;
    }

    /** Raises a VPC of two subnets in two zones, without nodes. */
    static LabVpc raise(LabRun run, Programs programs, LatencyProfile latency) throws IOException {
        return raise(run, programs, latency, UnaryOperator.identity());
    }

    /** Raises a VPC that differs from that one. */
    static LabVpc raise(
            LabRun run, Programs programs, LatencyProfile latency, UnaryOperator<VpcSpec> change)
            throws IOException {
        programs.check();
        NamespaceFabric fabric = NamespaceFabric.create(run.prefix());
        VpcSpec spec =
                change.apply(VpcSpec.loopback(fabric))
                        .withAddresses(
                                endpoint(NamespaceFabric.EC2_ADDRESS),
                                endpoint(NamespaceFabric.METADATA_ADDRESS));
        spec.dials().latency(latency);
        LocalVpc cloud = fabric.fabric().call(() -> LocalVpc.start(spec));
        return new LabVpc(run, programs, fabric, cloud);
    }

    private static InetSocketAddress endpoint(String address) {
        return new InetSocketAddress(InetAddress.ofLiteral(address), HTTP_PORT);
    }

    /**
     * Boots a node; its daemon is prepared and not started.
     *
     * @param type an EC2 instance type
     * @param subnet which of the VPC's subnets
     * @param settings the daemon's, by the names of its environment
     */
    LabNode addNode(String type, int subnet, Map<String, String> settings) throws IOException {
        Instance instance = cloud.launchInstance(type, cloud.subnets().get(subnet).id());
        String name = "node-" + (nodes.size() + 1);
        NodeFolders folders = new NodeFolders(run.folder().resolve(name)).create();
        List<String> command = new ArrayList<>(programs.ipamdCommand());
        command.addAll(
                List.of(
                        "--run-dir", folders.run().toString(),
                        "--cni-bin-dir", folders.binaries().toString(),
                        "--cni-conf-dir", folders.configurations().toString(),
                        "--settings-dir", folders.settings().toString(),
                        "--launcher", programs.launcher().toString()));
        Map<String, String> environment = new TreeMap<>(settings);
        environment.put("AWS_ENDPOINT_URL_EC2", cloud.ec2Endpoint().toString());
        environment.put("AWS_EC2_METADATA_SERVICE_ENDPOINT", cloud.metadataEndpoint().toString());
        environment.put("AWS_REGION", region());
        environment.put("AWS_ACCESS_KEY_ID", "lab"); // The local VPC checks no signature.
        environment.put("AWS_SECRET_ACCESS_KEY", "lab");
        LabNode node =
                new LabNode(
                        name,
                        instance,
                        fabric.instance(instance.id()),
                        folders,
                        new NodeProcess(
                                run, fabric.instance(instance.id()), folders, command, environment),
                        new ContainerRuntime(
                                fabric.instance(instance.id()),
                                run.prefix() + (nodes.size() + 1) + "-",
                                folders.binaries(),
                                folders.configurations(),
                                nodes.size()));
        nodes.add(node);
        return node;
    }

    /** The region, for requests that are signed. */
    String region() {
        String zone = cloud.subnets().getFirst().zone();
        return zone.substring(0, zone.length() - 1);
    }

    List<LabNode> nodes() {
        return List.copyOf(nodes);
    }

    LocalVpc cloud() {
        return cloud;
    }

    NamespaceFabric fabric() {
        return fabric;
    }

    Place internet() {
        return internet(Family.IPV4);
    }

    /** The host outside the VPC by its address of a family. */
    Place internet(Family family) {
        return new Place("internet", fabric.internet(), family.internet());
    }

    /** Ends the daemons and the endpoints; the run removes the rest. */
    @Override
    public void close() throws IOException {
        for (LabNode node : nodes) {
            node.daemon().stop();
        }
        cloud.close();
    }
}
