package dev.underlay.lab;

import dev.underlay.lab.Report.Broken;
import dev.underlay.localvpc.fabric.Netns;
import dev.underlay.localvpc.state.Cidr;
import dev.underlay.localvpc.state.Eni;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Every path that a packet may take between pods, nodes and the world outside, and the controls
 * that show that a wrong one is noticed. A pod stands for those of its interface; what is cheap is
 * tried for all.
 */
final class DemoTraffic {
    private static final long STREAM_BYTES = 16 << 20;
    private static final int AT_ONCE = 8;

    /** Copies of one packet in a capture of the fabric: as it comes in and as it goes out. */
    private static final int CROSSED_ONCE = 2;

    private static final int STOPPED_AT_ENTRY = 1;

    private final LabVpc vpc;
    private final LabRun run;
    private final DemoMode mode;
    private final Report report;
    private final PrintStream progress;
    private final LabNode node1;
    private final LabNode node2;
    private final List<Pod> pods;
    private final Place n1;
    private final Place n2;
    private final Place internet;

    DemoTraffic(
            LabVpc vpc,
            LabRun run,
            DemoMode mode,
            Report report,
            PrintStream progress,
            LabNode node1,
            LabNode node2,
            List<Pod> pods) {
        this.vpc = vpc;
        this.run = run;
        this.mode = mode;
        this.report = report;
        this.progress = progress;
        this.node1 = node1;
        this.node2 = node2;
        this.pods = pods;
        this.n1 = node1.place();
        this.n2 = node2.place();
        this.internet = vpc.internet();
    }

    void run() throws IOException {
        report.check("every pod has a VPC address of its own", this::addressesAreTheirOwn);
        if (!report.check(
                "the primary interface was not enough on either node", this::interfacesAreUsed)) {
            return;
        }
        report.check("CHECK finds every pod as ADD promised", this::checkHolds);
        report.check("a repeated ADD gives the same result", this::repeatedAdd);

        if (mode == DemoMode.PREFIX) {
            report.check("every pod's address lies in a /28", this::addressesLieInPrefixes);
        }

        // p: on the primary interface; s, s2: on one attached interface; t: on another one, or on
        // the same one where there are but two.

        Place p1 = pod(node1, 0, 0);
        Place s1 = pod(node1, 1, 0);
        Place s1b = pod(node1, 1, 1);
        int last = mode.interfaces() - 1;
        Place t1 = pod(node1, last, last == 1 ? 2 : 0);
        Place p2 = pod(node2, 0, 0);
        Place s2 = pod(node2, 1, 0);
        Place attached = attachedInterface();

        List<EchoServer> servers = new ArrayList<>();
        try {
            for (Pod pod : pods) {
                servers.add(new EchoServer(pod.sandbox().netns()));
            }
            servers.add(new EchoServer(internet.namespace()));
            servers.add(new EchoServer(n1.namespace()));
            progress.println("pod to pod");
            Capture capture = Capture.start(run, vpc.fabric().fabric());
            podToPod(p1, s1, s1b, t1, p2, s2);
            List<Capture.Packet> seen = capture.stop();
            report.check(
                    "the wire carries the pods' own addresses and no encapsulation",
                    () -> wireIsPlain(seen));
            progress.println("pods, nodes and the world outside");
            nodesAndOutside(p1, s1, p2, attached);
            progress.println("Services, as kube-proxy writes them");
            services(p1, s1, p2, attached);
            progress.println("controls: what must not work");
            controls(p1, s1, s1b, p2);
        } finally {
            for (EchoServer server : servers) {
                server.close();
            }
        }
    }

    private String addressesAreTheirOwn() throws Broken {
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

    private String interfacesAreUsed() throws Broken {
        List<String> seen = new ArrayList<>();
        for (LabNode node : List.of(node1, node2)) {
            Map<Integer, Long> byDevice =
                    pods.stream()
                            .filter(pod -> pod.node().equals(node))
                            .collect(
                                    Collectors.groupingBy(
                                            Pod::device, TreeMap::new, Collectors.counting()));
            if (byDevice.size() < mode.interfaces()) {
                throw new Broken(node.name() + ": pods by device index " + byDevice);
            }
            seen.add(
                    node.name()
                            + byDevice.entrySet().stream()
                                    .map(e -> " eth%d: %d".formatted(e.getKey(), e.getValue()))
                                    .collect(Collectors.joining(",")));
        }
        return String.join("; ", seen)
                + " pods"
                + (mode.interfaces() > 2 ? "" : "; no paths between two attached interfaces");
    }

    private String addressesLieInPrefixes() throws Broken {
        List<String> prefixes = new ArrayList<>();
        for (Eni eni : vpc.cloud().interfaces()) {
            eni.blocks().forEach(block -> prefixes.add(block.toString()));
        }
        List<String> single = prefixes.stream().filter(text -> !text.endsWith("/28")).toList();
        if (!single.isEmpty()) {
            throw new Broken("assigned one by one: " + single);
        }
        return pods.size() + " pods in " + String.join(", ", prefixes);
    }

    private String checkHolds() throws IOException, Broken {
        List<CniReply> replies =
                Parallel.map(AT_ONCE, pods, pod -> pod.node().runtime().check(pod.sandbox()));
        for (int i = 0; i < replies.size(); i++) {
            if (!replies.get(i).ok()) {
                throw new Broken(pods.get(i).sandbox().podName() + ": " + replies.get(i).line());
            }
        }
        return replies.size() + " of " + pods.size() + " succeed";
    }

    private String repeatedAdd() throws IOException, Broken {
        Pod pod = pods.getFirst();
        CniReply again = pod.node().runtime().add(pod.sandbox());
        if (!again.ok() || !again.address().equals(pod.address())) {
            throw new Broken(pod.sandbox().podName() + ": " + again.line());
        }
        return pod.sandbox().podName() + " has " + pod.address() + " both times";
    }

    private Place pod(LabNode node, int device, int nth) {
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

    /** The first attached interface of node 1, by its own primary address. */
    private Place attachedInterface() {
        for (Eni eni : vpc.cloud().interfaces()) {
            Eni.Attachment attachment = eni.attachment();
            if (attachment != null
                    && eni.isAt(node1.instance().id())
                    && attachment.deviceIndex() == 1) {
                return new Place("node-1's eth1", node1.netns(), eni.primary().addressText());
            }
        }
        throw new IllegalStateException("node-1 has no attached interface");
    }

    private void podToPod(Place p1, Place s1, Place s1b, Place t1, Place p2, Place s2) {
        report.check(
                "two pods of one interface reach each other on their node",
                () -> Traffic.bothWays(List.of(s1, s1b)));
        report.check(
                "pods of different interfaces reach each other on their node",
                () -> Traffic.bothWays(List.of(p1, s1), List.of(s1, t1), List.of(t1, p1)));
        report.check(
                "primary to primary interface, across nodes, both ways",
                () -> Traffic.bothWays(List.of(p1, p2)));
        report.check(
                "primary to secondary interface, across nodes, both ways",
                () -> Traffic.bothWays(List.of(p1, s2), List.of(s1, p2), List.of(t1, p2)));
        report.check(
                "secondary to secondary interface, across nodes, both ways",
                () -> Traffic.bothWays(List.of(s1, s2), List.of(t1, s2)));
        report.check(
                "a TCP stream across nodes arrives unchanged, both ways",
                () ->
                        String.join(
                                "; ",
                                Traffic.streams(p1, p2, STREAM_BYTES),
                                Traffic.streams(p2, p1, STREAM_BYTES),
                                Traffic.streams(s1, s2, STREAM_BYTES),
                                Traffic.streams(s2, s1, STREAM_BYTES)));
        report.check(
                "every pod sees its own address as a pod of the other node sees it",
                () -> seenAsThemselves(true));
        report.check(
                "every pod sees its own address as a pod of its node sees it",
                () -> seenAsThemselves(false));
    }

    /** Each pod connects to one whose turn it is, so that all of them also answer. */
    private String seenAsThemselves(boolean across) throws IOException, Broken {
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

    private String wireIsPlain(List<Capture.Packet> seen) throws Broken {
        Set<String> podAddresses = pods.stream().map(Pod::address).collect(Collectors.toSet());
        long podToPod = 0;
        long stream = 0;
        Map<Integer, Long> strange = new TreeMap<>();
        for (Capture.Packet packet : seen) {
            boolean plain = packet.protocol() == Capture.TCP || packet.protocol() == Capture.ICMP;
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

    private void nodesAndOutside(Place p1, Place s1, Place p2, Place attached) {
        report.check(
                "a node and its own pods reach each other",
                () ->
                        Traffic.bothWays(List.of(n1, p1), List.of(n1, s1))
                                + "; "
                                + Traffic.isSeenAs(
                                        n1, s1.address(), EchoServer.WHO_PORT, n1.address()));
        report.check(
                "a node and pods of another node reach each other",
                () -> Traffic.bothWays(List.of(n2, s1), List.of(n2, p1), List.of(n1, p2)));
        report.check(
                "a pod leaves the VPC as its node",
                () ->
                        String.join(
                                "; ",
                                Traffic.answers(p1, internet),
                                Traffic.answers(s1, internet),
                                leavesAs(p1, n1),
                                leavesAs(s1, n1),
                                leavesAs(p2, n2)));
        report.check(
                "a pod answers a caller outside the VPC by its own address",
                () ->
                        String.join(
                                "; ",
                                Traffic.answers(internet, p1),
                                Traffic.answers(internet, s1),
                                Traffic.isSeenAs(
                                        internet,
                                        s1.address(),
                                        EchoServer.WHO_PORT,
                                        internet.address())));
        report.check(
                "an attached interface's own address answers a node, pods and the outside",
                () ->
                        String.join(
                                "; ",
                                Traffic.answers(n2, attached),
                                Traffic.answers(p2, attached),
                                Traffic.answers(internet, attached),
                                Traffic.answers(p1, attached),
                                Traffic.answers(s1, attached)));
        report.check(
                "a node's socket bound to an attached interface's address reaches a remote pod",
                () -> Traffic.answers(n1, p2, "-I", attached.address()) + " from " + attached);
    }

    private String leavesAs(Place pod, Place node) throws IOException, Broken {
        return Traffic.isSeenAs(pod, internet.address(), EchoServer.WHO_PORT, node.address());
    }

    private void services(Place p1, Place s1, Place p2, Place attached) throws IOException {
        ServiceRules rules = new ServiceRules(n1, p2, s1);
        rules.write();
        try {
            report.check(
                    "a pod reaches a remote pod through a Service, from either interface",
                    () ->
                            String.join(
                                    "; ",
                                    service(s1, ServiceRules.REMOTE_SERVICE, s1),
                                    service(p1, ServiceRules.REMOTE_SERVICE, p1)));
            report.check(
                    "a pod reaches itself through its own Service",
                    () -> service(s1, ServiceRules.LOCAL_SERVICE, n1));
            report.check(
                    "a node port answers inside the VPC, with its pod on an attached interface",
                    () ->
                            String.join(
                                    "; ",
                                    nodePort(n2, n1, ServiceRules.NODE_PORT, n1),
                                    nodePort(p2, n1, ServiceRules.NODE_PORT, n1)));
            report.check(
                    "a node port answers outside the VPC, with its pod on an attached interface",
                    () -> nodePort(internet, n1, ServiceRules.NODE_PORT, n1));
            report.check(
                    "a node port with the Local policy keeps the caller's address",
                    () ->
                            String.join(
                                    "; ",
                                    nodePort(internet, n1, ServiceRules.LOCAL_NODE_PORT, internet),
                                    nodePort(p2, n1, ServiceRules.LOCAL_NODE_PORT, p2)));
            report.check(
                    "a node port answers at an attached interface's address",
                    () -> nodePort(internet, attached, ServiceRules.LOCAL_NODE_PORT, internet));
            report.check(
                    "a node port of a host-network pod answers at an attached interface's address",
                    () -> nodePort(internet, attached, ServiceRules.HOST_NODE_PORT, internet));
        } finally {
            rules.remove();
        }
    }

    private static String service(Place from, String address, Place seenAs)
            throws IOException, Broken {
        return Traffic.isSeenAs(from, address, ServiceRules.SERVICE_PORT, seenAs.address());
    }

    private static String nodePort(Place from, Place to, int port, Place seenAs)
            throws IOException, Broken {
        return Traffic.isSeenAs(from, to.address(), port, seenAs.address());
    }

    private void controls(Place p1, Place s1, Place s1b, Place p2) {
        report.check(
                "control: the fabric drops a source that EC2 did not assign",
                () -> {
                    String stray = unassignedAddress();
                    try (Undo _ = address(node1.netns(), stray)) {
                        return isStopped(n1, n2, stray, STOPPED_AT_ENTRY);
                    }
                });
        report.check(
                "control: the fabric drops a pod's packet from another interface",
                () -> {
                    // What a node without source routing would do.
                    try (Undo _ =
                            ip(
                                    node1.netns(),
                                    "rule %s pref 1 from " + s1.address() + " lookup main")) {
                        return isStopped(s1, p2, s1.address(), STOPPED_AT_ENTRY);
                    }
                });
        report.check(
                "control: a pod with another pod's address is stopped on its own node",
                () -> {
                    try (Undo _ = address(p1.namespace(), s1.address());
                            Undo _ = withoutKernelFilter(p1)) {
                        return isStopped(p1, n2, s1.address(), 0);
                    }
                });
        report.check(
                "after the controls the same paths work",
                () -> Traffic.bothWays(List.of(p1, n2), List.of(s1, p2), List.of(n1, n2)));
        report.check(
                "a packet to an address just released is unreachable at once",
                () -> releasedIsUnreachable(s1b));
    }

    /** One echo from an address gets no answer, and the fabric saw it so many times. */
    private String isStopped(Place from, Place to, String source, int copies)
            throws IOException, Broken {
        Capture capture = Capture.start(run, vpc.fabric().fabric());
        Output output = Traffic.ping(from.namespace(), to.address(), "-I", source);
        long seen =
                capture.stop().stream()
                        .filter(packet ->
                                packet.protocol() == Capture.ICMP
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

    private String releasedIsUnreachable(Place place) throws IOException, Broken {
        Pod pod = podAt(place);
        Traffic.answers(n2, place);
        CniReply released = pod.node().runtime().delete(pod.sandbox());
        if (!released.ok()) {
            throw new Broken("DEL: " + released.line());
        }
        Capture capture = Capture.start(run, vpc.fabric().fabric());
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
        if (!added.ok() || added.address().equals(place.address())) {
            throw new Broken("an ADD just after the DEL: " + added.line());
        }
        Traffic.answers(n2, new Place(place.label(), place.namespace(), added.address()));
        return ("%s after %d ms, the packet crossed the fabric once; the pod answers at its next"
                        + " address, %s")
                .formatted(Traffic.pingLine(output), tookMillis, added.address());
    }

    /** The highest address of node 1's subnet that nobody has. */
    private String unassignedAddress() {
        Cidr subnet = node1.instance().subnet().cidr();
        List<Cidr> taken =
                vpc.cloud().interfaces().stream().flatMap(eni -> eni.allBlocks().stream()).toList();
        for (long offset = subnet.size().longValue() - 2; offset > 0; offset--) {
            Cidr candidate = subnet.at(offset, 32);
            if (taken.stream().noneMatch(block -> block.contains(candidate))) {
                return candidate.addressText();
            }
        }
        throw new IllegalStateException("the subnet " + subnet + " is full");
    }

    /** A change to a namespace that is taken back. */
    private interface Undo extends AutoCloseable {
        @Override
        void close() throws IOException;
    }

    /**
     * Switches the kernel's own reverse-path filter of the pod's link off, so that it does not hide
     * that ours is missing: nodes come with any setting.
     */
    private Undo withoutKernelFilter(Place place) throws IOException {
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

    private static Undo address(Netns netns, String address) throws IOException {
        return ip(netns, "address %s " + address + "/32 dev eth0");
    }

    /** Runs an {@code ip} command with {@code add}, and with {@code del} on close. */
    private static Undo ip(Netns netns, String command) throws IOException {
        netns.ip(command.formatted("add"));
        return () -> netns.ip(command.formatted("del"));
    }
}
