package dev.underlay.lab;

import dev.underlay.lab.Report.Broken;
import dev.underlay.localvpc.LatencyProfile;
import dev.underlay.localvpc.VpcSpec;
import dev.underlay.localvpc.state.Cidr;
import dev.underlay.localvpc.state.Eni;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/**
 * The main job on a VPC inside this machine: two nodes, {@value #PODS_PER_NODE} pods each, every
 * one added by the launcher as a runtime calls it, and every path that a packet may take tried with
 * a real one.
 */
final class Demo {
    static final int PODS_PER_NODE = 24;
    private static final int CALLS_AT_ONCE = 8;

    private final Programs programs;
    private final DemoMode mode;
    private final Report report;
    private final PrintStream progress;
    private int podsAdded;

    Demo(Programs programs, DemoMode mode, Report report, PrintStream progress) {
        this.programs = programs;
        this.mode = mode;
        this.report = report;
        this.progress = progress;
    }

    int podsAdded() {
        return podsAdded;
    }

    /** Runs all of it; what was seen is in the report. */
    void run() throws IOException {
        HostView before = HostView.take();
        String prefix;
        try (LabRun run = LabRun.start()) {
            prefix = run.prefix();
            try {
                onVpc(run);
            } catch (IOException | RuntimeException e) {
                report.failed("the demo comes to its end", e);
            }
            progress.println("removing everything");
        }
        report.check("the host is as it was before", () -> unchanged(before, prefix));
    }

    private static String unchanged(HostView before, String prefix) throws IOException, Broken {
        List<String> changes = before.changesTo(HostView.take());
        LabRun.namespaces(prefix).forEach(n -> changes.add("new namespace: " + n));
        if (!changes.isEmpty()) {
            throw new Broken(String.join("; ", changes));
        }
        return "no namespace or process is left; unchanged: " + before.summary();
    }

    private void onVpc(LabRun run) throws IOException {
        progress.println(
                "raising a VPC with two " + mode.nodeType() + " in two subnets of two zones");
        boolean ipv6 = mode.families().contains(Family.IPV6);
        UnaryOperator<VpcSpec> kind = ipv6 ? VpcSpec::withIpv6 : UnaryOperator.identity();
        try (LabVpc vpc = LabVpc.raise(run, programs, LatencyProfile.REAL, kind)) {
            LabNode one = vpc.addNode(mode.nodeType(), 0, mode.settings());
            LabNode two = vpc.addNode(mode.nodeType(), 1, mode.settings());
            List<LabNode> nodes = List.of(one, two);
            boolean ready =
                    report.check(
                            mode.settings().isEmpty()
                                    ? "a daemon serves on each node with default settings"
                                    : "a daemon serves on each node with " + mode.settings(),
                            () -> daemonsServe(nodes));
            if (!ready) {
                return;
            }
            List<NodeState> emptyNodes = Parallel.map(2, nodes, NodeState::of);
            progress.println("adding " + PODS_PER_NODE + " pods to each node");
            List<Placed> pods = new ArrayList<>();
            if (!report.check("every ADD succeeds", () -> addAll(nodes, pods))) {
                return;
            }
            podsAdded = pods.size();
            traffic(vpc, run, one, two, pods);
            report.check(
                    "a killed daemon takes no packet from a pod, and the next one knows them all",
                    () -> daemonDies(vpc, one, two, pods));
            progress.println("deleting all pods");
            report.check(
                    "every DEL succeeds, and once more when nothing is left",
                    () -> deleteAll(pods));
            report.check(
                    "what belonged to pods is gone from the nodes",
                    () -> podsAreGone(nodes, emptyNodes));
            report.check(
                    "what attached interfaces need remains", () -> interfacesRemain(vpc, nodes));
            report.check("the VPC saw no wrong call", () -> noFindings(vpc));
            report.check("the daemons end when they are asked to", () -> daemonsEnd(nodes));
        }
    }

    /** A sandbox and the node that it is on. */
    private record Placed(LabNode node, Sandbox sandbox) {}

    private void traffic(LabVpc vpc, LabRun run, LabNode one, LabNode two, List<Placed> pods)
            throws IOException {
        for (Family family : mode.families()) {
            List<Pod> addressed = addressed(vpc, family, pods);
            DemoChecks checks = new DemoChecks(vpc, run, family, one, two, addressed);
            switch (family) {
                case IPV4 ->
                        new DemoTraffic(vpc, checks, mode, report, progress, one, two, addressed)
                                .run();
                case IPV6 -> new DemoIpv6(vpc, checks, report, progress, one, two).run();
            }
        }
    }

    /** The pods by their present addresses of a family. */
    private static List<Pod> addressed(LabVpc vpc, Family family, List<Placed> pods) {
        List<Eni> interfaces = vpc.cloud().interfaces();
        List<Pod> addressed = new ArrayList<>();
        for (Placed pod : pods) {
            String address = pod.node().runtime().address(pod.sandbox(), family);
            int device = device(interfaces, pod.node(), address);
            addressed.add(new Pod(pod.node(), pod.sandbox(), address, device));
        }
        return addressed;
    }

    private String daemonDies(LabVpc vpc, LabNode one, LabNode two, List<Placed> pods)
            throws IOException, Broken {
        one.daemon().kill();
        List<String> seen = new ArrayList<>();
        Set<String> before = new TreeSet<>();
        try {
            for (Family family : mode.families()) {
                List<Pod> ofOne =
                        addressed(vpc, family, pods).stream()
                                .filter(pod -> pod.node().equals(one))
                                .toList();
                for (Pod pod : ofOne) {
                    Traffic.answers(two.place(family), pod.place());
                    before.add(pod.address());
                }
                seen.add(
                        "%d pods answer, %s"
                                .formatted(
                                        ofOne.size(),
                                        Traffic.answers(
                                                ofOne.getFirst().place(), two.place(family))));
            }
        } finally {
            one.daemon().start();
            one.daemon().awaitReady();
        }
        differ(one.name() + "'s leases", before, NodeState.leases(one.daemon().status()));
        return String.join("; ", seen)
                + "; %d addresses are leased as before".formatted(before.size());
    }

    private static String daemonsServe(List<LabNode> nodes) throws IOException, Broken {
        long began = System.nanoTime();
        Parallel.map(
                nodes.size(),
                nodes,
                node -> {
                    node.daemon().start();
                    node.daemon().awaitReady();
                    return node;
                });
        List<String> seen = new ArrayList<>();
        for (LabNode node : nodes) {
            CniReply status = node.runtime().status();
            if (!status.ok()) {
                throw new Broken("STATUS on " + node.name() + ": " + status.line());
            }
            seen.add(
                    "%s (%s, %s, %s)"
                            .formatted(
                                    node.name(),
                                    node.instance().type(),
                                    node.instance().subnet().zone(),
                                    node.address()));
        }
        return "%s ready %d ms after their start, STATUS succeeds"
                .formatted(String.join(" and ", seen), (System.nanoTime() - began) / 1_000_000);
    }

    private String addAll(List<LabNode> nodes, List<Placed> pods) throws IOException, Broken {
        List<Placed> sandboxes = new ArrayList<>();
        for (int i = 1; i <= PODS_PER_NODE; i++) {
            for (int n = 0; n < nodes.size(); n++) {
                String name = "pod-%d-%02d".formatted(n + 1, i);
                LabNode node = nodes.get(n);
                sandboxes.add(new Placed(node, node.runtime().sandbox(name)));
            }
        }
        long began = System.nanoTime();
        List<CniReply> replies =
                Parallel.map(
                        CALLS_AT_ONCE, sandboxes, pod -> pod.node().runtime().add(pod.sandbox()));
        long tookMillis = (System.nanoTime() - began) / 1_000_000;
        List<String> failures = new ArrayList<>();
        for (int i = 0; i < replies.size(); i++) {
            CniReply reply = replies.get(i);
            Placed pod = sandboxes.get(i);
            List<Family> has = reply.addresses().stream().map(Family::of).toList();
            if (reply.ok() && has.equals(mode.families())) {
                pods.add(pod);
            } else {
                failures.add(pod.sandbox().podName() + ": " + reply.line());
            }
        }
        if (!failures.isEmpty()) {
            throw new Broken(
                    "%d of %d failed, the first: %s"
                            .formatted(failures.size(), replies.size(), failures.getFirst()));
        }
        List<Duration> times = replies.stream().map(CniReply::took).sorted().toList();
        return "%d pods in %d ms, %d at a time; median %d ms, slowest %d ms (it waited for the cloud)"
                .formatted(
                        pods.size(),
                        tookMillis,
                        CALLS_AT_ONCE,
                        times.get(times.size() / 2).toMillis(),
                        times.getLast().toMillis());
    }

    /** The device index of the interface that has the address; -1 if the node has none. */
    static int device(List<Eni> interfaces, LabNode node, String address) {
        if (address.isEmpty()) {
            return -1;
        }
        Cidr wanted = Cidr.parse(address);
        for (Eni eni : interfaces) {
            Eni.Attachment attachment = eni.attachment();
            if (attachment != null
                    && eni.isAt(node.instance().id())
                    && eni.blocks().stream().anyMatch(block -> block.contains(wanted))) {
                return attachment.deviceIndex();
            }
        }
        return -1;
    }

    private static String deleteAll(List<Placed> pods) throws IOException, Broken {
        List<String> failures = new ArrayList<>();
        List<CniReply> replies =
                Parallel.map(
                        CALLS_AT_ONCE, pods, pod -> pod.node().runtime().delete(pod.sandbox()));
        for (Placed pod : pods) {
            pod.sandbox().netns().delete();
        }
        List<CniReply> again =
                Parallel.map(
                        CALLS_AT_ONCE,
                        pods,
                        pod -> pod.node().runtime().deleteAgain(pod.sandbox()));
        replies.stream().filter(r -> !r.ok()).forEach(r -> failures.add(r.line()));
        again.stream().filter(r -> !r.ok()).forEach(r -> failures.add("again: " + r.line()));
        if (!failures.isEmpty()) {
            throw new Broken(failures.size() + " failed, the first: " + failures.getFirst());
        }
        List<Duration> times = replies.stream().map(CniReply::took).sorted().toList();
        return "%d pods, median %d ms, slowest %d ms; then %d DELs without a namespace"
                .formatted(
                        pods.size(),
                        times.get(times.size() / 2).toMillis(),
                        times.getLast().toMillis(),
                        again.size());
    }

    private static String podsAreGone(List<LabNode> nodes, List<NodeState> before)
            throws IOException, Broken {
        List<String> seen = new ArrayList<>();
        for (int i = 0; i < nodes.size(); i++) {
            LabNode node = nodes.get(i);
            // Links wait for their deletion in batches.
            NodeState after =
                    Await.until(
                            Duration.ofSeconds(5), () -> NodeState.of(node), NodeState::hasNoPods);
            if (!after.hasNoPods()) {
                throw new Broken(node.name() + " still has " + after.podPart());
            }
            if (!before.get(i).hasNoPods()) {
                throw new Broken(node.name() + " had before: " + before.get(i).podPart());
            }
            seen.add(node.name() + ": no pod link, route, neighbour or lease, as before");
        }
        return String.join("; ", seen);
    }

    private static String interfacesRemain(LabVpc vpc, List<LabNode> nodes)
            throws IOException, Broken {
        List<String> seen = new ArrayList<>();
        for (LabNode node : nodes) {
            Set<String> assigned = new TreeSet<>();
            int attached = 0;
            for (Eni eni : vpc.cloud().interfaces()) {
                if (eni.isAt(node.instance().id())) {
                    attached++;
                    eni.secondaryAddresses().forEach(block -> assigned.add(block.toString()));
                    eni.ipv4Prefixes().forEach(block -> assigned.add(block.toString()));
                    eni.ipv6Prefixes().forEach(block -> assigned.add(block.toString()));
                }
            }
            NodeState state = NodeState.of(node);
            differ(node.name() + "'s unreachable routes", assigned, state.unreachable());
            differ(node.name() + "'s elements of the source map", assigned, state.mapElements());
            seen.add(
                    "%s: %d interfaces, %d blocks, each unreachable without a pod and in the"
                                    .formatted(node.name(), attached, assigned.size())
                            + " source map; %d rules".formatted(state.rules().size()));
        }
        return String.join("; ", seen);
    }

    private static void differ(String what, Set<String> wanted, Set<String> seen) throws Broken {
        if (!wanted.equals(seen)) {
            Set<String> missing = new TreeSet<>(wanted);
            missing.removeAll(seen);
            Set<String> extra = new TreeSet<>(seen);
            extra.removeAll(wanted);
            throw new Broken(what + ": missing " + missing + ", too many " + extra);
        }
    }

    private static String noFindings(LabVpc vpc) throws Broken {
        List<String> findings = vpc.cloud().findings();
        if (!findings.isEmpty()) {
            throw new Broken(String.join("; ", findings));
        }
        return vpc.cloud().ledger().counts().entrySet().stream()
                .filter(call -> !call.getKey().action().equals("Metadata"))
                .collect(
                        Collectors.groupingBy(
                                call -> call.getKey().action(),
                                TreeMap::new,
                                Collectors.summingLong(Map.Entry::getValue)))
                .toString();
    }

    private static String daemonsEnd(List<LabNode> nodes) throws IOException, Broken {
        for (LabNode node : nodes) {
            int code = node.daemon().stop();
            if (code != 0) {
                throw new Broken(node.name() + ": exit code " + code);
            }
        }
        return "exit code 0 on SIGTERM";
    }
}
