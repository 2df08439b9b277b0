package dev.underlay.localvpc;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A fabric that carries nothing and checks the order of the calls as a strict kernel would: nothing
 * is mapped to a port that is not there, nothing is unmapped that was not mapped.
 */
class RecordingFabric implements Fabric {
    private final Map<String, String> instanceOfPort = new LinkedHashMap<>();
    private final Map<String, Set<String>> mapped = new LinkedHashMap<>();
    private final List<String> log = new ArrayList<>();

    /** Everything that was called, oldest first. */
    synchronized List<String> log() {
        return List.copyOf(log);
    }

    /** What is mapped to the port now, in order; empty if there is no such port. */
    synchronized List<String> mapped(String portId) {
        return List.copyOf(mapped.getOrDefault(portId, Set.of()));
    }

    synchronized boolean has(String portId) {
        return instanceOfPort.containsKey(portId);
    }

    @Override
    public synchronized void boot(String instanceId, Port primary) {
        log.add("boot " + instanceId);
        insert(instanceId, primary);
    }

    @Override
    public synchronized void plug(String instanceId, Port port) {
        log.add("plug " + port.id());
        insert(instanceId, port);
    }

    @Override
    public synchronized void unplug(String portId) {
        log.add("unplug " + portId);
        require(portId);
        instanceOfPort.remove(portId);
        mapped.remove(portId);
    }

    @Override
    public synchronized void map(String portId, InetAddress network, int prefixLength) {
        log.add("map " + portId + " " + network.getHostAddress() + "/" + prefixLength);
        String block = network.getHostAddress() + "/" + prefixLength;
        if (mapped.values().stream().anyMatch(blocks -> blocks.contains(block))) {
            throw new IllegalStateException(block + " is mapped already");
        }
        require(portId).add(block);
    }

    @Override
    public synchronized void unmap(String portId, InetAddress network, int prefixLength) {
        log.add("unmap " + portId + " " + network.getHostAddress() + "/" + prefixLength);
        if (!require(portId).remove(network.getHostAddress() + "/" + prefixLength)) {
            throw new IllegalStateException(network + " is not mapped to " + portId);
        }
    }

    @Override
    public synchronized void terminate(String instanceId) {
        log.add("terminate " + instanceId);
        instanceOfPort.values().removeIf(instanceId::equals);
        mapped.keySet().retainAll(instanceOfPort.keySet());
    }

    private void insert(String instanceId, Port port) {
        if (instanceOfPort.put(port.id(), instanceId) != null) {
            throw new IllegalStateException(port.id() + " is plugged in already");
        }
        mapped.put(port.id(), new LinkedHashSet<>());
    }

    private Set<String> require(String portId) {
        Set<String> blocks = mapped.get(portId);
        if (blocks == null) {
            throw new IllegalStateException("no port " + portId);
        }
        return blocks;
    }
}
