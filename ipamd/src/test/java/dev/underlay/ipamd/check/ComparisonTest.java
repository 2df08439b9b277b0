package dev.underlay.ipamd.check;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.cni.netlink.IpPrefix;
import dev.underlay.cni.netlink.Neighbour;
import dev.underlay.cni.routing.RoutingDifference;
import dev.underlay.cni.wiring.Attachment;
import dev.underlay.cni.wiring.HostEnd;
import dev.underlay.cni.wiring.PodLink;
import dev.underlay.ipamd.owner.StatusReport;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** One pod, web-0 with 10.0.0.11, on a node with one interface. */
class ComparisonTest {
    private static final InetAddress ADDRESS = InetAddress.ofLiteral("10.0.0.11");
    private static final String POD = "10.0.0.11 of shop/web-0";

    private static final StatusReport.Lease LEASE =
            new StatusReport.Lease(
                    "10.0.0.11", "eni-1", "underlay", "c1", "eth0", "shop", "web-0", 9);
    private static final StatusReport.Interface ENI = eni(0, "ATTACHED", true);
    private static final Map<Integer, List<IpPrefix>> ROUTED =
            Map.of(1, List.of(IpPrefix.host(ADDRESS)));
    private static final List<Neighbour> NEIGHBOURS =
            List.of(Neighbour.permanent(7, ADDRESS, "0a:58:0a:00:00:0b"));

    private static StatusReport.Interface eni(int deviceIndex, String life, boolean linkReady) {
        return new StatusReport.Interface(
                "eni-1",
                deviceIndex,
                "02:00:00:00:00:01",
                "subnet-1",
                "10.0.0.10",
                life,
                "CONFIRMED",
                linkReady,
                List.of("10.0.0.11/32"),
                1,
                0);
    }

    private static HostEnd end(
            String container, boolean up, List<InetAddress> routes, List<Neighbour> neighbours) {
        Attachment attachment = new Attachment("underlay", container, "eth0", 1, "shop", "web-0");
        return new HostEnd(
                new PodLink(
                        7,
                        "eni" + container,
                        "0e:58:0a:00:00:0b",
                        2,
                        Optional.of(attachment),
                        routes),
                9001,
                up,
                neighbours,
                List.of());
    }

    private static HostEnd whole() {
        return end("c1", true, List.of(ADDRESS), NEIGHBOURS);
    }

    private static List<Finding> compare(
            List<StatusReport.Lease> leases,
            List<StatusReport.Interface> interfaces,
            List<HostEnd> ends,
            Map<Integer, List<IpPrefix>> routed,
            RoutingDifference... differences) {
        StatusReport report =
                new StatusReport(
                        true,
                        "",
                        List.of(),
                        new StatusReport.Node("", "", "", "", "", List.of()),
                        new StatusReport.Slots(0, 0, 0, 0),
                        0,
                        interfaces,
                        leases,
                        List.of(),
                        List.of(),
                        new StatusReport.Settings(
                                "IPV4", null, null, null, false, null, null, null, "OPEN", false,
                                30, 60),
                        0);
        return Comparison.of(report, ends, List.of(differences), routed);
    }

    private static List<Finding> pods(List<StatusReport.Lease> leases, HostEnd... ends) {
        return compare(leases, List.of(ENI), List.of(ends), ROUTED);
    }

    private static List<Finding> interfaces(
            StatusReport.Interface eni, Map<Integer, List<IpPrefix>> routed) {
        return compare(List.of(LEASE), List.of(eni), List.of(whole()), routed);
    }

    private static void isOne(List<Finding> findings, String kind, String thing) {
        assertThat(findings).hasSize(1);
        Finding one = findings.getFirst();
        assertThat(one.kind()).isEqualTo(kind);
        assertThat(one.thing()).isEqualTo(thing);
        assertThat(one.says()).isNotEmpty();
        assertThat(one.repair()).isNotEmpty();
    }

    private static void isFixed(List<Finding> findings, boolean fixed) {
        assertThat(findings).allMatch(one -> one.repair().equals(Finding.FIX) == fixed);
    }

    @Test
    void sources_that_agree_give_no_finding() {
        assertThat(pods(List.of(LEASE), whole())).isEmpty();
    }

    @Test
    void a_lease_without_a_link_is_left_to_the_runtime() {
        List<Finding> findings = pods(List.of(LEASE));

        isOne(findings, "lease-without-link", POD);
        isFixed(findings, false);
    }

    @Test
    void a_link_without_a_lease_is_left_to_the_runtime() {
        List<Finding> findings = pods(List.of(), whole());

        isOne(findings, "link-without-lease", "enic1");
        assertThat(findings.getFirst().says()).contains("shop/web-0", "10.0.0.11");
        isFixed(findings, false);
    }

    @Test
    void a_link_of_another_sandbox_is_not_the_lease_s_own() {
        assertThat(pods(List.of(LEASE), end("c2", true, List.of(ADDRESS), NEIGHBOURS)))
                .extracting(Finding::kind)
                .containsExactly("lease-without-link", "link-without-lease");
    }

    @Test
    void a_missing_route_to_a_pod_is_fixed() {
        List<Finding> findings = pods(List.of(LEASE), end("c1", true, List.of(), NEIGHBOURS));

        isOne(findings, "pod-route-missing", POD);
        isFixed(findings, true);
    }

    @Test
    void an_address_that_is_routed_to_another_pod_is_not_taken_from_it() {
        List<Finding> findings =
                pods(
                        List.of(LEASE),
                        end("c1", true, List.of(), NEIGHBOURS),
                        end("c2", true, List.of(ADDRESS), List.of()));

        assertThat(findings)
                .extracting(Finding::kind)
                .containsExactly("pod-route-missing", "link-without-lease");
        assertThat(findings.getFirst().says()).contains("leads to enic2 instead of enic1");
        isFixed(findings, false);
    }

    @Test
    void a_missing_neighbour_of_a_pod_is_fixed() {
        List<Finding> findings = pods(List.of(LEASE), end("c1", true, List.of(ADDRESS), List.of()));

        isOne(findings, "pod-neighbour-missing", POD);
        isFixed(findings, true);
    }

    @Test
    void a_neighbour_with_another_ethernet_address_is_missing() {
        Neighbour other = Neighbour.permanent(7, ADDRESS, "0a:58:0a:00:00:0c");

        isOne(
                pods(List.of(LEASE), end("c1", true, List.of(ADDRESS), List.of(other))),
                "pod-neighbour-missing",
                POD);
    }

    @Test
    void a_link_that_is_down_is_fixed() {
        List<Finding> findings =
                pods(List.of(LEASE), end("c1", false, List.of(ADDRESS), NEIGHBOURS));

        isOne(findings, "link-down", "enic1 of shop/web-0");
        isFixed(findings, true);
    }

    @Test
    void an_interface_that_is_attached_and_not_configured_is_named() {
        String thing = "eni-1 (device index 0, 02:00:00:00:00:01)";

        isOne(interfaces(ENI, Map.of()), "interface-not-configured", thing);
        isOne(interfaces(eni(0, "ATTACHED", false), ROUTED), "interface-not-configured", thing);
    }

    @Test
    void an_interface_that_comes_or_goes_is_none() {
        assertThat(interfaces(eni(-1, "REQUESTED", false), Map.of())).isEmpty();
        assertThat(interfaces(eni(0, "DRAINING", true), ROUTED)).isEmpty();
    }

    @Test
    void a_configured_interface_that_the_cloud_does_not_know_is_named() {
        Map<Integer, List<IpPrefix>> routed =
                Map.of(1, List.of(IpPrefix.host(ADDRESS)), 2, List.of());

        isOne(interfaces(ENI, routed), "interface-not-attached", "interface 2");
    }

    @Test
    void a_block_that_is_assigned_and_not_routed_is_named() {
        isOne(interfaces(ENI, Map.of(1, List.of())), "block-not-routed", "10.0.0.11/32 of eni-1");
    }

    @ParameterizedTest
    @EnumSource
    void every_difference_of_the_routing_becomes_a_finding(RoutingDifference.Kind kind) {
        List<Finding> findings =
                compare(
                        List.of(LEASE),
                        List.of(ENI),
                        List.of(whole()),
                        ROUTED,
                        new RoutingDifference(kind, "the thing"));

        isOne(
                findings,
                kind.name().toLowerCase(java.util.Locale.ROOT).replace('_', '-'),
                "the thing");
        isFixed(findings, kind != RoutingDifference.Kind.INTERFACE_LINK_GONE);
    }
}
