package dev.underlay.lab;

import com.fasterxml.jackson.databind.JsonNode;
import dev.underlay.localvpc.Dials;
import dev.underlay.localvpc.LatencyProfile;
import dev.underlay.localvpc.VpcSpec;
import dev.underlay.localvpc.state.Eni;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;

/**
 * A small VPC of a test's own with one node in it: the shipped daemon as a process, the shipped
 * launcher, real links. Closing it leaves nothing.
 */
final class OneNode implements AutoCloseable {
    private static final Duration SETTLED = Duration.ofSeconds(10);

    private final LabRun run;
    private final LabVpc vpc;
    private final LabNode node;

    private OneNode(LabRun run, LabVpc vpc, LabNode node) {
        this.run = run;
        this.vpc = vpc;
        this.node = node;
    }

    /** What the build made. */
    static Programs programs() {
        return new Programs(
                Path.of(property("underlay.ipamd")), Path.of(property("underlay.launcher")));
    }

    private static String property(String name) {
        String value = System.getProperty(name);
        if (value == null) {
            throw new IllegalStateException("-D" + name + " is not set: run the tests with Maven");
        }
        return value;
    }

    /** Boots the node; its daemon is not started. */
    static OneNode boot(String type, Map<String, String> settings) throws IOException {
        return boot(type, settings, UnaryOperator.identity());
    }

    /** Boots the node in another VPC; its daemon is not started. */
    static OneNode boot(String type, Map<String, String> settings, UnaryOperator<VpcSpec> change)
            throws IOException {
        Kernel.required();
        LabRun run = LabRun.start();
        try {
            LabVpc vpc = LabVpc.raise(run, programs(), LatencyProfile.NONE, change);
            return new OneNode(run, vpc, vpc.addNode(type, 0, settings));
        } catch (IOException | RuntimeException e) {
            run.close();
            throw e;
        }
    }

    /** Boots the node and returns when its daemon serves. */
    static OneNode serving(String type, Map<String, String> settings) throws IOException {
        OneNode node = boot(type, settings);
        try {
            node.startDaemon();
            return node;
        } catch (IOException e) {
            node.close();
            throw e;
        }
    }

    void startDaemon() throws IOException {
        node.daemon().start();
        node.daemon().awaitReady();
    }

    NodeProcess daemon() {
        return node.daemon();
    }

    ContainerRuntime runtime() {
        return node.runtime();
    }

    LabRun run() {
        return run;
    }

    LabNode node() {
        return node;
    }

    LabVpc vpc() {
        return vpc;
    }

    Dials dials() {
        return vpc.cloud().dials();
    }

    /** Makes the namespaces of so many pods. */
    List<Sandbox> sandboxes(int count) throws IOException {
        return sandboxes("pod", count);
    }

    /** Makes the namespaces of so many pods. */
    List<Sandbox> sandboxes(String name, int count) throws IOException {
        List<Sandbox> sandboxes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            sandboxes.add(runtime().sandbox(name + "-" + i));
        }
        return sandboxes;
    }

    /** Adds all of them, so many at once. */
    List<CniReply> addAll(int width, List<Sandbox> sandboxes) throws IOException {
        return Parallel.map(width, sandboxes, sandbox -> runtime().add(sandbox));
    }

    JsonNode status() throws IOException {
        return daemon().status();
    }

    int free() throws IOException {
        return status().path("slots").path("free").asInt();
    }

    NodeState state() throws IOException {
        return NodeState.of(node);
    }

    /** The state once no pod has anything left; the last look if that does not come to pass. */
    NodeState withoutPods() throws IOException {
        return Await.until(SETTLED, this::state, NodeState::hasNoPods);
    }

    /** Interfaces of the node and the addresses that EC2 assigned to them, but the primary ones. */
    Set<String> assigned() {
        Set<String> addresses = new TreeSet<>();
        for (Eni eni : interfaces()) {
            eni.secondaryAddresses().forEach(address -> addresses.add(address.addressText()));
        }
        return addresses;
    }

    List<Eni> interfaces() {
        return vpc.cloud().interfaces().stream()
                .filter(eni -> eni.isAt(node.instance().id()))
                .toList();
    }

    Place place(Sandbox sandbox, CniReply added) {
        return new Place(sandbox.podName(), sandbox.netns(), added.address());
    }

    @Override
    public void close() throws IOException {
        run.close();
        vpc.cloud().close();
    }
}
