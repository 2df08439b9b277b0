package dev.underlay.ipamd.check;

import dev.underlay.cni.netlink.IpPrefix;
import dev.underlay.cni.routing.Marks;
import dev.underlay.cni.routing.RoutingDifference;
import dev.underlay.cni.wiring.Attachment;
import dev.underlay.cni.wiring.HostEnd;
import dev.underlay.cni.wiring.PodLink;
import dev.underlay.ipamd.owner.StatusReport;
import dev.underlay.pool.InterfaceLife;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Compares what the daemon holds with what the kernel has. Pure: values in, findings out. */
final class Comparison {
    private static final String DELETE_POD = "delete the pod, so that it is set up anew";
    private static final String DAEMON =
            "the daemon tries again by itself; underlay status names what stands in its way";

    private final List<Finding> findings = new ArrayList<>();

    private Comparison() {}

    /**
     * All that disagrees, pods first.
     *
     * @param report the daemon's leases and interfaces
     * @param ends pods' links in the kernel
     * @param differences what the kernel has otherwise than the daemon configured it
     * @param routed blocks that are routed, by number of the configured interface
     */
    static List<Finding> of(
            StatusReport report,
            List<HostEnd> ends,
            List<RoutingDifference> differences,
            Map<Integer, List<IpPrefix>> routed) {
        Comparison comparison = new Comparison();
        comparison.pods(report.leases(), ends);
        comparison.interfaces(report.interfaces(), routed);
        differences.forEach(comparison::routing);
        return List.copyOf(comparison.findings);
    }

    /** The links of leases, where they stand. */
    static Map<StatusReport.Lease, HostEnd> wired(
            List<StatusReport.Lease> leases, List<HostEnd> ends) {
        Map<StatusReport.Lease, HostEnd> wired = new LinkedHashMap<>();
        for (StatusReport.Lease lease : leases) {
            ends.stream()
                    .filter(end -> end.link().attachment().filter(a -> isOf(a, lease)).isPresent())
                    .findFirst()
                    .ifPresent(end -> wired.put(lease, end));
        }
        return wired;
    }

    /** Whether a pod's link is up and leads to its address. */
    static boolean isWhole(HostEnd end, InetAddress address) {
        return end.up() && end.link().addresses().contains(address) && end.reaches(address);
    }

    private static boolean isOf(Attachment attachment, StatusReport.Lease lease) {
        return attachment.network().equals(lease.network())
                && attachment.containerId().equals(lease.containerId())
                && attachment.interfaceName().equals(lease.interfaceName());
    }

    private void pods(List<StatusReport.Lease> leases, List<HostEnd> ends) {
        Map<StatusReport.Lease, HostEnd> wired = wired(leases, ends);
        for (StatusReport.Lease lease : leases) {
            HostEnd end = wired.get(lease);
            if (end == null) {
                add(
                        "lease-without-link",
                        lease.address() + " of " + pod(lease),
                        "the daemon leased it; the kernel has no link of that sandbox",
                        DELETE_POD);
            } else {
                pod(lease, end, ends);
            }
        }
        Set<PodLink> known = new HashSet<>();
        wired.values().forEach(end -> known.add(end.link()));
        for (HostEnd end : ends) {
            if (!known.contains(end.link())) {
                add(
                        "link-without-lease",
                        end.link().name(),
                        "the kernel has it as the link of "
                                + end.link().attachment().map(Attachment::toString).orElse("nobody")
                                + " with "
                                + texts(end.link().addresses())
                                + "; the daemon has no lease for it",
                        "delete the pod; without one: ip link delete " + end.link().name());
            }
        }
    }

    private void pod(StatusReport.Lease lease, HostEnd end, List<HostEnd> ends) {
        InetAddress address = InetAddress.ofLiteral(lease.address());
        String thing = lease.address() + " of " + pod(lease);
        String name = end.link().name();
        if (isWhole(end, address)) {
            return;
        }
        if (!end.up()) {
            add("link-down", name + " of " + pod(lease), "the kernel has it down", Finding.FIX);
        }
        if (!end.link().addresses().contains(address)) {
            Optional<HostEnd> other =
                    ends.stream().filter(e -> e.link().addresses().contains(address)).findFirst();
            add(
                    "pod-route-missing",
                    thing,
                    "the daemon leased it; table "
                            + Marks.TO_POD_TABLE
                            + other.map(o -> " leads to " + o.link().name() + " instead of ")
                                    .orElse(" has no route to it on ")
                            + name,
                    other.isPresent()
                            ? "decide which pod it belongs to and delete the other one"
                            : Finding.FIX);
        }
        if (!end.reaches(address)) {
            add(
                    "pod-neighbour-missing",
                    thing,
                    "the daemon leased it; " + name + " has no permanent neighbour of that address",
                    Finding.FIX);
        }
    }

    private void interfaces(
            List<StatusReport.Interface> interfaces, Map<Integer, List<IpPrefix>> routed) {
        Set<Integer> attached = new HashSet<>();
        for (StatusReport.Interface one : interfaces) {
            int number = one.deviceIndex() + Marks.PRIMARY_INTERFACE;
            if (one.deviceIndex() < 0) {
                continue; // The cloud has not attached it, or not said where.
            }
            attached.add(number);
            List<IpPrefix> blocks = routed.get(number);
            if (!one.life().equals(InterfaceLife.ATTACHED.name())) {
                continue;
            }
            if (blocks == null || !one.linkReady()) {
                add(
                        "interface-not-configured",
                        one.id() + " (device index " + one.deviceIndex() + ", " + one.mac() + ")",
                        "the cloud has it attached; the node has not configured a link for it",
                        DAEMON);
                continue;
            }
            for (String block : one.blocks()) {
                if (blocks.stream().noneMatch(b -> b.contains(prefix(block)))) {
                    add(
                            "block-not-routed",
                            block + " of " + one.id(),
                            "the cloud assigned it; the node has not routed it",
                            DAEMON);
                }
            }
        }
        for (Integer number : routed.keySet()) {
            if (!attached.contains(number)) {
                add(
                        "interface-not-attached",
                        "interface " + number,
                        "the node has it configured; the cloud has nothing at device index "
                                + (number - Marks.PRIMARY_INTERFACE),
                        "restart ipamd, which removes it once the cloud has answered");
            }
        }
    }

    private static IpPrefix prefix(String block) {
        int slash = block.indexOf('/');
        return slash < 0
                ? IpPrefix.host(InetAddress.ofLiteral(block))
                : new IpPrefix(
                        InetAddress.ofLiteral(block.substring(0, slash)),
                        Integer.parseInt(block.substring(slash + 1)));
    }

    private void routing(RoutingDifference difference) {
        String there = "the daemon configured it; the kernel does not have it";
        String extra = "the kernel has it as ours; the daemon did not configure it";
        String fix = Finding.FIX;
        String says =
                switch (difference.kind()) {
                    case RULE_MISSING,
                            BLOCK_ROUTE_MISSING,
                            INTERFACE_ROUTE_MISSING,
                            INTERFACE_ADDRESS_MISSING,
                            NFT_TABLE_MISSING,
                            MAP_ELEMENT_MISSING ->
                            there;
                    case RULE_EXTRA, BLOCK_ROUTE_EXTRA, INTERFACE_ROUTE_EXTRA, MAP_ELEMENT_EXTRA ->
                            extra;
                    case NFT_TABLE_CHANGED -> "the kernel has it otherwise than the daemon made it";
                    case INTERFACE_LINK_DOWN -> "the kernel has it down";
                    case INTERFACE_LINK_GONE -> {
                        fix = DAEMON;
                        yield "the daemon configured it; the kernel has no such link";
                    }
                };
        add(
                difference.kind().name().toLowerCase(Locale.ROOT).replace('_', '-'),
                difference.thing(),
                says,
                fix);
    }

    private static String pod(StatusReport.Lease lease) {
        return lease.podName().isEmpty()
                ? lease.containerId()
                : lease.podNamespace() + "/" + lease.podName();
    }

    private static String texts(List<InetAddress> addresses) {
        return addresses.isEmpty()
                ? "no address"
                : String.join(", ", addresses.stream().map(IpPrefix::text).toList());
    }

    private void add(String kind, String thing, String says, String repair) {
        findings.add(new Finding(kind, thing, says, repair));
    }
}
