package dev.underlay.lab;

import dev.underlay.lab.Report.Broken;
import dev.underlay.localvpc.state.Eni;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Every path that an IPv4 packet may take between pods, nodes and the world outside, and the
 * controls that show that a wrong one is noticed. A pod stands for those of its interface; what is
 * cheap is tried for all.
 */
final class DemoTraffic {
    static final long STREAM_BYTES = 16 << 20;
    private final LabVpc vpc;
    private final DemoChecks checks;
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
            DemoChecks checks,
            DemoMode mode,
            Report report,
            PrintStream progress,
            LabNode node1,
            LabNode node2,
            List<Pod> pods) {
        this.vpc = vpc;
        this.checks = checks;
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
        report.check("every pod has a VPC address of its own", checks::addressesAreTheirOwn);
        if (!report.check(
                "the primary interface was not enough on either node", this::interfacesAreUsed)) {
            return;
        }
        report.check("CHECK finds every pod as ADD promised", checks::checkHolds);
        report.check("a repeated ADD gives the same result", checks::repeatedAdd);

        if (mode == DemoMode.PREFIX) {
            report.check("every pod's address lies in a /28", this::addressesLieInPrefixes);
        }

        // p: on the primary interface; s, s2: on one attached interface; t: on another one, or on
        // the same one where there are but two.

        Place p1 = checks.pod(node1, 0, 0);
        Place s1 = checks.pod(node1, 1, 0);
        Place s1b = checks.pod(node1, 1, 1);
        int last = mode.interfaces() - 1;
        Place t1 = checks.pod(node1, last, last == 1 ? 2 : 0);
        Place p2 = checks.pod(node2, 0, 0);
        Place s2 = checks.pod(node2, 1, 0);
        Place attached = attachedInterface();

        try (EchoServers _ = checks.serve()) {
            progress.println("pod to pod");
            Capture capture = checks.capture();
            podToPod(p1, s1, s1b, t1, p2, s2);
            List<Capture.Packet> seen = capture.stop();
            report.check(
                    "the wire carries the pods' own addresses and no encapsulation",
                    () -> checks.wireIsPlain(seen));
            progress.println("pods, nodes and the world outside");
            nodesAndOutside(p1, s1, p2, attached);
            progress.println("Services, as kube-proxy writes them");
            services(p1, s1, p2, attached);
            progress.println("controls: what must not work");
            controls(p1, s1, s1b, p2);
        }
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
                () -> checks.seenAsThemselves(true));
        report.check(
                "every pod sees its own address as a pod of its node sees it",
                () -> checks.seenAsThemselves(false));
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
                                checks.leavesAs(p1, n1),
                                checks.leavesAs(s1, n1),
                                checks.leavesAs(p2, n2)));
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
                    String stray = checks.unassignedAddress();
                    try (DemoChecks.Undo _ = DemoChecks.address(node1.netns(), stray)) {
                        return checks.isStopped(n1, n2, stray, DemoChecks.STOPPED_AT_ENTRY);
                    }
                });
        report.check(
                "control: the fabric drops a pod's packet from another interface",
                () -> {
                    // What a node without source routing would do.
                    try (DemoChecks.Undo _ =
                            DemoChecks.ip(
                                    node1.netns(),
                                    "rule %s pref 1 from " + s1.address() + " lookup main")) {
                        return checks.isStopped(s1, p2, s1.address(), DemoChecks.STOPPED_AT_ENTRY);
                    }
                });
        report.check(
                "control: a pod with another pod's address is stopped on its own node",
                () -> {
                    try (DemoChecks.Undo _ = DemoChecks.address(p1.namespace(), s1.address());
                            DemoChecks.Undo _ = checks.withoutKernelFilter(p1)) {
                        return checks.isStopped(p1, n2, s1.address(), 0);
                    }
                });
        report.check(
                "after the controls the same paths work",
                () -> Traffic.bothWays(List.of(p1, n2), List.of(s1, p2), List.of(n1, n2)));
        report.check(
                "a packet to an address just released is unreachable at once",
                () -> checks.releasedIsUnreachable(s1b));
    }
}
