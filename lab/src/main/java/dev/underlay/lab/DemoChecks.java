package dev.underlay.lab;

import dev.underlay.lab.Report.Broken;
import dev.underlay.localvpc.fabric.Netns;
import dev.underlay.localvpc.state.Cidr;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** What holds for pods of either family, each as a check that tells what it saw. */
final class DemoChecks {
    /** Copies of one packet in a capture of the fabric: as it comes in and as it goes out. */
    private static final int CROSSED_ONCE = 2;

    /** Copies of one that the fabric does not let in. */
    static final int STOPPED_AT_ENTRY = 1;

    private static final int AT_ONCE = 8;

    /** The highest offset in a /24 that EC2 gives; every subnet of the demo has it. */
    private static final long LAST_OFFSET = 254;

    private final LabVpc vpc;
    private final LabRun run;
    private final Family family;
    private final LabNode node1;
    private final LabNode node2;
    private final List<Pod> pods;

    /**
     * Of two nodes and their pods.
     *
     * @param pods each with its address of the family
     */
    DemoChecks(
            LabVpc vpc, LabRun run, Family family, LabNode node1, LabNode node2, List<Pod> pods) {
        this.vpc = vpc;
        this.run = run;
        this.family = family;
        this.node1 = node1;
        this.node2 = node2;
        this.pods = List.copyOf(pods);
    }

    /** Something that answers in every pod, outside the VPC and on node 1. */
    EchoServers serve() throws IOException {
        List<Netns> namespaces = new ArrayList<>();
        pods.forEach(pod -> namespaces.add(pod.sandbox().netns()));
        namespaces.add(vpc.fabric().internet());
        namespaces.add(node1.netns());
        return EchoServers.in(namespaces);
    }

    Capture capture() throws IOException {
        return Capture.start(run, vpc.fabric().fabric(), family);
    }

    String addressesAreTheirOwn() throws Broken {
        Set<String> addresses = new HashSet<>();
        for (Pod pod : pods) {
            if (pod.device() < 0) {
                throw new Broken(
                        "%s has %s, which the VPC did not assign to %s"
                                .formatted(
                                        pod.sandbox().podName(), pod.address(), pod.node().name()));
            }
            if (!addresses.add(pod.address())) {
                throw new Broken(pod.address() + " was given to two pods");
            }
        }
        return addresses.size()
                + " different addresses, each assigned by EC2 to an interface of its pod's node";
    }

    String checkHolds() throws IOException, Broken {
        List<CniReply> replies =
                Parallel.map(AT_ONCE, pods, pod -> pod.node().runtime().check(pod.sandbox()));
        for (int i = 0; i < replies.size(); i++) {
            if (!replies.get(i).ok()) {
                throw new Broken(pods.get(i).sandbox().podName() + ": " + replies.get(i).line());
            }
        }
        return replies.size() + " of " + pods.size() + " succeed";
    }

    String repeatedAdd() throws IOException, Broken {
        Pod pod = pods.getFirst();
        CniReply again = pod.node().runtime().add(pod.sandbox());
        if (!again.ok() || !again.address(family).equals(pod.address())) {
            throw new Broken(pod.sandbox().podName() + ": " + again.line());
        }
        return pod.sandbox().podName() + " has " + pod.address() + " both times";
    }

    Place pod(LabNode node, int device, int nth) {
        return pods.stream()
                .filter(pod -> pod.node().equals(node) && pod.device() == device)
                .skip(nth)
                .findFirst()
                .map(Pod::place)
                .orElseThrow(() ->
                        new IllegalStateException(
                                "%s has fewer than %d pods on interface %d"
                                        .formatted(node.name(), nth + 1, device)));
    }

    /** Each pod connects to one whose turn it is, so that all of them also answer. */
    String seenAsThemselves(boolean across) throws IOException, Broken {
        List<Map.Entry<Pod, Pod>> pairs = new ArrayList<>();
        for (LabNode node : List.of(node1, node2)) {
            List<Pod> from = pods.stream().filter(p -> p.node().equals(node)).toList();
            List<Pod> to = pods.stream().filter(p -> p.node().equals(node) != across).toList();
            for (int i = 0; i < from.size(); i++) {
                pairs.add(Map.entry(from.get(i), to.get((i + 1) % to.size())));
            }
        }
        List<String> wrong =
                Parallel.map(
                                AT_ONCE,
                                pairs,
                                pair -> {
                                    Place from = pair.getKey().place();
                                    try {
                                        Traffic.isSeenAs(
                                                from,
                                                pair.getValue().address(),
                                                EchoServer.WHO_PORT,
                                                from.address());
                                        return "";
                                    } catch (Broken e) {
                                        return String.valueOf(e.getMessage());
                                    }
                                })
                        .stream()
                        .filter(line -> !line.isEmpty())
                        .toList();
        if (!wrong.isEmpty()) {
            throw new Broken(wrong.size() + " are not, the first: " + wrong.getFirst());
        }
        return pairs.size() + " TCP connections, each pod once as caller and once as callee";
    }

    String wireIsPlain(List<Capture.Packet> seen) throws Broken {
        Set<String> podAddresses = pods.stream().map(Pod::address).collect(Collectors.toSet());
        long podToPod = 0;
        long stream = 0;
        Map<Integer, Long> strange = new TreeMap<>();
        for (Capture.Packet packet : seen) {
            boolean plain = packet.protocol() == Capture.TCP || packet.protocol() == family.icmp();
            if (!plain) {
                strange.merge(packet.protocol(), 1L, Long::sum);
            }
            boolean both =
                    podAddresses.contains(packet.source())
                            && podAddresses.contains(packet.destination());
            podToPod += plain && both ? 1 : 0;
            if (packet.port(EchoServer.STREAM_PORT)) {
                if (!both) {
                    throw new Broken("a packet of the stream was translated: " + packet);
                }
                stream++;
            }
        }
        if (!strange.isEmpty()) {
            throw new Broken("packets by other protocols than ICMP and TCP: " + strange);
        }
        if (stream == 0 || podToPod <= stream) {
            throw new Broken(
                    "the capture misses traffic: %d packets of %d between pods, %d of the stream"
                            .formatted(podToPod, seen.size(), stream));
        }
        return ("%d packets on the fabric, ICMP and TCP only; %d from pod address to pod address,"
                        + " all %d of the streams among them")
                .formatted(seen.size(), podToPod, stream);
    }

    /** The host outside the VPC sees the pod as that place. */
    String leavesAs(Place pod, Place seenAs) throws IOException, Broken {
        return Traffic.isSeenAs(
                pod, vpc.internet(family).address(), EchoServer.WHO_PORT, seenAs.address());
    }

    /** One echo from an address gets no answer, and the fabric saw it so many times. */
    String isStopped(Place from, Place to, String source, int copies) throws IOException, Broken {
        Capture capture = capture();
        Output output = Traffic.ping(from.namespace(), to.address(), "-I", source);
        long seen =
                capture.stop().stream()
                        .filter(packet ->
                                packet.protocol() == family.icmp()
                                        && packet.source().equals(source)
                                        && packet.destination().equals(to.address()))
                        .count();
        if (output.ok()) {
            throw new Broken("%s was answered from %s as %s".formatted(from, to, source));
        }
        if (seen != copies) {
            throw new Broken(
                    "%s -> %s as %s: the fabric saw %d copies instead of %d"
                            .formatted(from, to, source, seen, copies));
        }
        return "%s as %s -> %s: no answer; %s"
                .formatted(
                        from.label(),
                        source,
                        to,
                        copies == 0
                                ? "it never reached the fabric"
                                : "it came into the fabric and did not leave it");
    }

    /** Its pod is deleted and added again, which gives it another address. */
    String releasedIsUnreachable(Place place) throws IOException, Broken {
        Place n2 = node2.place(family);
        Pod pod = podAt(place);
        Traffic.answers(n2, place);
        CniReply released = pod.node().runtime().delete(pod.sandbox());
        if (!released.ok()) {
            throw new Broken("DEL: " + released.line());
        }
        Capture capture = capture();
        long began = System.nanoTime();
        Output output = Traffic.ping(n2.namespace(), place.address());
        long tookMillis = (System.nanoTime() - began) / 1_000_000;
        long seen =
                capture.stop().stream()
                        .filter(packet -> packet.destination().equals(place.address()))
                        .count();
        if (output.ok() || !output.out().contains("nreachable")) {
            throw new Broken("%s -> %s: %s".formatted(n2, place, Traffic.pingLine(output)));
        }
        if (seen != CROSSED_ONCE) {
            throw new Broken("the fabric saw %d copies of one packet to %s".formatted(seen, place));
        }
        CniReply added = pod.node().runtime().add(pod.sandbox());
        String next = added.address(family);
        if (!added.ok() || next.equals(place.address())) {
            throw new Broken("an ADD just after the DEL: " + added.line());
        }
        Traffic.answers(n2, new Place(place.label(), place.namespace(), next));
        return ("%s after %d ms, the packet crossed the fabric once; the pod answers at its next"
                        + " address, %s")
                .formatted(Traffic.pingLine(output), tookMillis, next);
    }

    /** An address of node 1's subnet that nobody has. */
    String unassignedAddress() {
        Cidr ipv6 = node1.instance().subnet().ipv6Cidr();
        Cidr subnet =
                family == Family.IPV6 && ipv6 != null ? ipv6 : node1.instance().subnet().cidr();
        List<Cidr> taken =
                vpc.cloud().interfaces().stream().flatMap(eni -> eni.allBlocks().stream()).toList();
        for (long offset = LAST_OFFSET; offset > 0; offset--) {
            Cidr candidate = subnet.at(offset, family.bits());
            if (taken.stream().noneMatch(block -> block.contains(candidate))) {
                return candidate.addressText();
            }
        }
        throw new IllegalStateException("the subnet " + subnet + " is full");
    }

    /** A change to a namespace that is taken back. */
    interface Undo extends AutoCloseable {
        @Override
        void close() throws IOException;
    }

    /**
     * Switches the kernel's own reverse-path filter of the pod's link off, so that it does not hide
     * that ours is missing: nodes come with any setting.
     */
    Undo withoutKernelFilter(Place place) throws IOException {
        Pod pod = podAt(place);
        Netns netns = pod.node().netns();
        String link = pod.node().runtime().hostLink(pod.sandbox());
        List<String> before = new ArrayList<>();
        for (String of : List.of("all", link)) { // The larger of the two counts.
            String filter = "net/ipv4/conf/" + of + "/rp_filter";
            before.add(
                    filter
                            + "="
                            + netns.call(() -> Files.readString(Path.of("/proc/sys", filter)))
                                    .strip());
            netns.sysctl(filter + "=0");
        }
        return () -> netns.sysctl(before.toArray(String[]::new));
    }

    private Pod podAt(Place place) {
        return pods.stream()
                .filter(pod -> pod.address().equals(place.address()))
                .findFirst()
                .orElseThrow();
    }

    /** Gives a namespace's eth0 one more address. */
    static Undo address(Netns netns, String address) throws IOException {
        // Nothing waits to see whether somebody else has it.
        Family family = Family.of(address);
        String nodad = family == Family.IPV6 ? " nodad" : "";
        return ip(netns, "address %s " + address + "/" + family.bits() + " dev eth0" + nodad);
    }

    /** Runs an {@code ip} command with {@code add}, and with {@code del} on close. */
    static Undo ip(Netns netns, String command) throws IOException {
        netns.ip(command.formatted("add"));
        return () -> netns.ip(command.formatted("del"));
    }
}
