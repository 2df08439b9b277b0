package dev.underlay.lab;

import dev.underlay.lab.DemoChecks.Undo;
import dev.underlay.lab.Report.Broken;
import dev.underlay.localvpc.state.Cidr;
import dev.underlay.localvpc.state.Eni;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/**
 * Every path that an IPv6 packet may take between pods, nodes and the world outside. All pods are
 * on the primary interfaces, so there are fewer than of IPv4, and none is translated.
 */
final class DemoIpv6 {
    private final LabVpc vpc;
    private final DemoChecks checks;
    private final Report report;
    private final PrintStream progress;
    private final LabNode node1;
    private final List<LabNode> nodes;
    private final Place n1;
    private final Place n2;
    private final Place internet;
    private final Place p1;
    private final Place p1b;
    private final Place p2;

    DemoIpv6(
            LabVpc vpc,
            DemoChecks checks,
            Report report,
            PrintStream progress,
            LabNode node1,
            LabNode node2) {
        this.vpc = vpc;
        this.checks = checks;
        this.report = report;
        this.progress = progress;
        this.node1 = node1;
        this.nodes = List.of(node1, node2);
        this.n1 = node1.place(Family.IPV6);
        this.n2 = node2.place(Family.IPV6);
        this.internet = vpc.internet(Family.IPV6);
        this.p1 = checks.pod(node1, 0, 0);
        this.p1b = checks.pod(node1, 0, 1);
        this.p2 = checks.pod(node2, 0, 0);
    }

    void run() throws IOException {
        report.check("every pod has an IPv6 address of its own", checks::addressesAreTheirOwn);
        report.check("each node holds one /80 and no more for them", this::onePrefixEach);
        report.check("CHECK finds every pod as ADD promised, with IPv6", checks::checkHolds);
        report.check("a repeated ADD gives the same IPv6 address", checks::repeatedAdd);
        try (EchoServers _ = checks.serve()) {
            progress.println("pod to pod over IPv6");
            Capture capture = checks.capture();
            podToPod();
            List<Capture.Packet> seen = capture.stop();
            report.check(
                    "the wire carries the pods' own IPv6 addresses and no encapsulation",
                    () -> checks.wireIsPlain(seen));
            progress.println("pods, nodes and the world outside over IPv6");
            nodesAndOutside();
            progress.println("controls: what must not work over IPv6");
            controls();
        }
    }

    private String onePrefixEach() throws Broken {
        List<String> seen = new ArrayList<>();
        for (LabNode node : nodes) {
            List<Cidr> prefixes = new ArrayList<>();
            for (Eni eni : vpc.cloud().interfaces()) {
                if (eni.isAt(node.instance().id())) {
                    prefixes.addAll(eni.ipv6Prefixes());
                }
            }
            if (prefixes.size() != 1) {
                throw new Broken(node.name() + " has " + prefixes);
            }
            seen.add(node.name() + ": " + prefixes.getFirst());
        }
        return String.join("; ", seen);
    }

    private void podToPod() {
        report.check(
                "two pods of a node reach each other over IPv6",
                () -> Traffic.bothWays(List.of(p1, p1b)));
        report.check(
                "pods reach each other across nodes over IPv6, both ways",
                () -> Traffic.bothWays(List.of(p1, p2), List.of(p1b, p2)));
        report.check(
                "a TCP stream over IPv6 arrives unchanged across nodes, both ways",
                () ->
                        String.join(
                                "; ",
                                Traffic.streams(p1, p2, DemoTraffic.STREAM_BYTES),
                                Traffic.streams(p2, p1, DemoTraffic.STREAM_BYTES)));
        report.check(
                "every pod sees its own IPv6 address as a pod of the other node sees it",
                () -> checks.seenAsThemselves(true));
        report.check(
                "every pod sees its own IPv6 address as a pod of its node sees it",
                () -> checks.seenAsThemselves(false));
    }

    private void nodesAndOutside() {
        report.check(
                "a node and its own pods reach each other over IPv6",
                () ->
                        Traffic.bothWays(List.of(n1, p1), List.of(n1, p1b))
                                + "; "
                                + Traffic.isSeenAs(
                                        n1, p1.address(), EchoServer.WHO_PORT, n1.address()));
        report.check(
                "a node and pods of another node reach each other over IPv6",
                () -> Traffic.bothWays(List.of(n2, p1), List.of(n1, p2)));
        report.check(
                "a pod leaves the VPC over IPv6 as itself",
                () ->
                        String.join(
                                "; ",
                                Traffic.answers(p1, internet),
                                checks.leavesAs(p1, p1),
                                checks.leavesAs(p2, p2)));
        report.check(
                "a pod answers a caller outside the VPC by its own IPv6 address",
                () ->
                        Traffic.answers(internet, p1)
                                + "; "
                                + Traffic.isSeenAs(
                                        internet,
                                        p1.address(),
                                        EchoServer.WHO_PORT,
                                        internet.address()));
    }

    private void controls() {
        report.check(
                "control: the fabric drops an IPv6 source that EC2 did not assign",
                () -> {
                    Traffic.answers(n1, n2); // so that it knows its gateway
                    String stray = checks.unassignedAddress();
                    try (Undo _ = DemoChecks.address(node1.netns(), stray)) {
                        return checks.isStopped(n1, n2, stray, DemoChecks.STOPPED_AT_ENTRY);
                    }
                });
        report.check(
                "control: a pod with another pod's IPv6 address is stopped on its own node",
                () -> {
                    try (Undo _ = DemoChecks.address(p1.namespace(), p1b.address())) {
                        return checks.isStopped(p1, n2, p1b.address(), 0);
                    }
                });
        report.check(
                "after the controls the same IPv6 paths work",
                () -> Traffic.bothWays(List.of(p1, n2), List.of(p1b, p2), List.of(n1, n2)));
        report.check(
                "a packet to an IPv6 address just released is unreachable at once",
                () -> checks.releasedIsUnreachable(p1b));
    }
}
