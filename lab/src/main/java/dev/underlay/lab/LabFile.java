package dev.underlay.lab;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a standing lab says about itself, in the file {@code lab.json} of its run's folder.
 *
 * @param id the run's
 * @param fabricNamespace where the VPC's packets pass
 * @param internetNamespace a host outside the VPC
 * @param nodes in the order of their names
 */
record LabFile(String id, String fabricNamespace, String internetNamespace, List<Node> nodes) {
    private static final String NAME = "lab.json";
    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * What a client of one node needs to know.
     *
     * @param lab the lab's id
     * @param name such as {@code node-1}
     * @param namespace its network namespace, as {@code ip netns} shows it
     * @param instanceId its name in EC2
     * @param instanceType such as {@code m5.large}
     * @param zone its availability zone
     * @param address its primary address
     * @param cniBinDir {@code CNI_PATH}
     * @param cniConfDir where the CNI configuration is
     * @param cniConfFile the configuration list
     * @param runDir the daemon's
     * @param socket the daemon's
     * @param daemonPid the daemon's process; 0 while it is being restarted
     * @param healthEndpoint the daemon's, inside the namespace
     * @param metricsEndpoint the daemon's, inside the namespace
     * @param ec2Endpoint for {@code AWS_ENDPOINT_URL_EC2}, inside the namespace
     * @param imdsEndpoint for {@code AWS_EC2_METADATA_SERVICE_ENDPOINT}, inside the namespace
     * @param region for {@code AWS_REGION}
     * @param log what the daemon logs
     */
    record Node(
            String lab,
            String name,
            String namespace,
            String instanceId,
            String instanceType,
            String zone,
            String address,
            String cniBinDir,
            String cniConfDir,
            String cniConfFile,
            String runDir,
            String socket,
            long daemonPid,
            String healthEndpoint,
            String metricsEndpoint,
            String ec2Endpoint,
            String imdsEndpoint,
            String region,
            String log) {}

    LabFile {
        nodes = List.copyOf(nodes);
    }

    static LabFile of(LabRun run, LabVpc vpc) {
        List<Node> nodes = new ArrayList<>();
        for (LabNode node : vpc.nodes()) {
            NodeFolders folders = node.folders();
            nodes.add(
                    new Node(
                            run.id(),
                            node.name(),
                            node.netns().name(),
                            node.instance().id(),
                            node.instance().type(),
                            node.instance().subnet().zone(),
                            node.address(),
                            folders.binaries().toString(),
                            folders.configurations().toString(),
                            folders.configurationFile().toString(),
                            folders.run().toString(),
                            folders.socket().toString(),
                            node.daemon().pid(),
                            NodeProcess.HEALTH,
                            NodeProcess.METRICS,
                            vpc.cloud().ec2Endpoint().toString(),
                            vpc.cloud().metadataEndpoint().toString(),
                            vpc.region(),
                            folders.log().toString()));
        }
        return new LabFile(
                run.id(), vpc.fabric().fabric().name(), vpc.fabric().internet().name(), nodes);
    }

    /** Replaces the file in one step. */
    void write(Path folder) throws IOException {
        Path fresh = folder.resolve(NAME + ".new");
        JSON.writeValue(fresh.toFile(), this);
        Files.move(fresh, folder.resolve(NAME), StandardCopyOption.ATOMIC_MOVE);
    }

    static LabFile read(Path folder) throws IOException {
        return JSON.readValue(folder.resolve(NAME).toFile(), LabFile.class);
    }

    /** The labs that are up. */
    static List<LabFile> live(Path root) throws IOException {
        List<LabFile> found = new ArrayList<>();
        for (String id : LabRun.live(root)) {
            try {
                found.add(read(root.resolve(id)));
            } catch (FileNotFoundException e) {
                // A run without one, or a lab that is not up yet or going down.
            }
        }
        return found;
    }

    /** Namespaces by what people call them. */
    Map<String, String> namespaces() {
        Map<String, String> places = new LinkedHashMap<>();
        nodes.forEach(node -> places.put(node.name(), node.namespace()));
        places.put("fabric", fabricNamespace);
        places.put("internet", internetNamespace);
        return places;
    }
}
