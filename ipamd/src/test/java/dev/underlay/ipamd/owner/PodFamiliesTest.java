package dev.underlay.ipamd.owner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.cni.wiring.PodLink;
import dev.underlay.ipamd.journal.JournalRecord.Leased;
import dev.underlay.ipamd.journal.JournalRecord.Released;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.PoolSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pods with IPv6 addresses, alone or beside IPv4, from the ADD to the journal and back. */
class PodFamiliesTest {
    private static final PoolSettings IPV4 = PoolSettings.defaults();
    private static final PoolSettings IPV6 =
            settings(Map.of("ENABLE_IPv6", "true", "ENABLE_PREFIX_DELEGATION", "true"));
    private static final PoolSettings BOTH =
            settings(Map.of("ENABLE_IPv4", "true", "ENABLE_IPv6", "true"));

    @TempDir Path folder;

    private final FakeCloud cloud = new FakeCloud();
    private final FakeNode kernel = new FakeNode();
    private int lives;

    @Test
    void a_pod_of_both_families_gets_and_gives_back_both_addresses_at_once() throws IOException {
        try (OwnerHarness node = start(BOTH).ready(FakeCloud.NODE_WITH_IPV6)) {
            Turn.Add add = node.add("c1");
            assertThat(node.addresses(add)).hasToString("[10.0.0.20, 2001:db8:0:1::1]");
            assertThat(kernel.ownIpv6()).isEqualTo(FakeCloud.NODE_WITH_IPV6.primaryIpv6());
            node.wire(add, 3);
            Leased lease = node.journal.state().lease(OwnerHarness.key("c1")).orElseThrow();
            assertThat(lease.addresses()).isEqualTo(node.addresses(add));
            assertThat(report(node).leases())
                    .extracting(StatusReport.Lease::address)
                    .containsExactly("10.0.0.20", "2001:db8:0:1::1");

            release(node, "c1");
            assertThat(report(node).leases()).isEmpty();
            assertThat(node.journal.state().cooling())
                    .extracting(Released::addresses)
                    .hasToString("[[10.0.0.20], [2001:db8:0:1::1]]");
            node.node.takeForgotten();
            node.advance(31, TimeUnit.SECONDS);
            assertThat(node.node.takeForgotten())
                    .containsExactly("10.0.0.20/32", "2001:db8:0:1::1/128");
        }
    }

    @Test
    void pods_of_ipv6_alone_cost_one_call_and_no_ipv4_address() throws IOException {
        try (OwnerHarness node = start(IPV6).ready(FakeCloud.NODE_WITH_IPV6)) {
            for (int i = 0; i < 40; i++) {
                Turn.Add add = node.add("c" + i);
                assertThat(node.addresses(add))
                        .containsExactly(IpAddress.parse("2001:db8:0:1::").plus(i + 1));
            }
            assertThat(cloud.all())
                    .singleElement()
                    .satisfies(one -> assertThat(one.blocks()).hasToString("[2001:db8:0:1::/80]"));
        }
    }

    @Test
    void both_addresses_outlive_the_daemon() throws IOException {
        PodLink link;
        List<IpAddress> addresses;
        try (OwnerHarness node = start(BOTH).ready(FakeCloud.NODE_WITH_IPV6)) {
            Turn.Add add = node.add("c1");
            link = node.wire(add, 3);
            addresses = node.addresses(add);
        }
        for (boolean lost : new boolean[] {false, true}) {
            if (lost) {
                Files.delete(folder.resolve("journal"));
            }
            try (OwnerHarness node = start(BOTH)) {
                node.recover(List.of(link));
                node.ready(FakeCloud.NODE_WITH_IPV6);
                assertThat(node.journal.state().leases())
                        .singleElement()
                        .satisfies(lease -> {
                            assertThat(lease.addresses()).isEqualTo(addresses);
                            assertThat(lease.held())
                                    .allMatch(one -> one.interfaceId().equals("eni-0"));
                        });
                assertThat(node.addresses(node.add("c2-" + lost)))
                        .doesNotContainAnyElementsOf(addresses);
            }
        }
    }

    @Test
    void an_add_that_waits_for_ipv6_holds_no_ipv4_and_is_told_what_is_missing() throws IOException {
        cloud.withoutIpv6();
        try (OwnerHarness node = start(BOTH).ready(FakeCloud.NODE_WITH_IPV6)) {
            Turn.Add add = node.add("c1");
            node.calm();
            assertThat(add.answer()).isNotDone();
            assertThat(report(node).leases()).isEmpty();
            assertThat(report(node).outlook()).contains("subnet-1 has no IPv6 CIDR");
            node.advance(60, TimeUnit.SECONDS);
            assertThat(words(add))
                    .startsWith("no address came within 60 s (no IPv6 address is free): ")
                    .contains("subnet-1 has no IPv6 CIDR");
        }
    }

    @Test
    void a_node_without_an_ipv6_address_says_so_in_status_and_to_the_pod() throws IOException {
        for (PoolSettings settings : List.of(IPV6, BOTH)) {
            Files.deleteIfExists(folder.resolve("journal"));
            try (OwnerHarness node = start(settings).ready()) {
                Turn.Add add = node.add("c1");
                node.calm();
                node.advance(60, TimeUnit.SECONDS);
                String missing = "the node has no IPv6 address of its own";
                assertThat(words(add)).contains("configuration: " + missing);
                assertThat(report(node).outlook()).contains(missing);
                assertThat(report(node).ready()).isFalse();
            }
        }
    }

    /** As where the address is not on the link yet: named, and tried again. */
    @Test
    void a_kernel_that_refuses_the_nodes_ipv6_address_is_asked_again() throws IOException {
        try (OwnerHarness node = start(BOTH).ready()) {
            kernel.refuse(true);
            node.ready(FakeCloud.NODE_WITH_IPV6);
            assertThat(report(node).problems())
                    .singleElement()
                    .asString()
                    .contains("eni-0", "the kernel refuses");
            Turn.Add add = node.add("c1");
            kernel.refuse(false);
            node.advance(2, TimeUnit.SECONDS);
            node.calm();
            assertThat(report(node).problems()).isEmpty();
            assertThat(node.addresses(add)).hasSize(2);
        }
    }

    /** It may have been configured without it: never are two configurations under way. */
    @Test
    void an_interface_that_is_being_configured_meanwhile_is_configured_once_more()
            throws IOException {
        try (OwnerHarness node = start(BOTH).ready()) {
            int before = kernel.configured();
            kernel.hold();
            kernel.holdFlows();
            node.owner.interfaceLinkGone("eni-0");
            node.run();
            node.advance(2, TimeUnit.SECONDS);
            node.owner.identified(FakeCloud.NODE_WITH_IPV6);
            node.run();
            while (kernel.configured() == before) {
                kernel.letOneGo(); // all but the flows
            }
            kernel.refuse(true);
            kernel.letGo(); // the address
            kernel.refuse(false);
            node.run();
            assertThat(kernel.configured()).isEqualTo(before + 1);
            kernel.letFlowsGo();
            node.run();
            assertThat(kernel.configured()).isEqualTo(before + 2);
            node.calm();
            assertThat(report(node).problems()).isEmpty();
            assertThat(node.addresses(node.add("c1"))).hasSize(2);
        }
    }

    /** What a pod has it keeps; nothing is lost by a changed setting. */
    @Test
    void other_families_begin_when_the_last_pod_of_the_former_ones_has_ended() throws IOException {
        PodLink link;
        try (OwnerHarness node = start(IPV4).ready(FakeCloud.NODE_WITH_IPV6)) {
            link = node.wire(node.add("old"), 3);
            assertThat(kernel.ownIpv6()).as("IPv6 of the node is left alone").isEmpty();
        }
        try (OwnerHarness node = start(BOTH)) {
            node.recover(List.of(link));
            node.ready(FakeCloud.NODE_WITH_IPV6);
            Turn.Add meanwhile = node.add("meanwhile");
            assertThat(node.addresses(meanwhile)).hasSize(1);
            node.wire(meanwhile, 4);
            assertThat(kernel.ownIpv6()).isEmpty();
            assertThat(report(node).outlook())
                    .contains(
                            "pods get IPv4 until the last pod that does ends, and both families after");
            assertThat(report(node).settings().families()).isEqualTo("IPV4");

            release(node, "old");
            release(node, "meanwhile");
            node.calm();
            assertThat(report(node).settings().families()).isEqualTo("BOTH");
            assertThat(kernel.ownIpv6()).isEqualTo(FakeCloud.NODE_WITH_IPV6.primaryIpv6());
            Turn.Add next = node.add("next");
            node.calm();
            assertThat(node.addresses(next)).hasSize(2);
            link = node.wire(next, 5);
        }
        try (OwnerHarness node = start(IPV4)) {
            node.recover(List.of(link));
            node.ready(FakeCloud.NODE_WITH_IPV6);
            assertThat(report(node).settings().families()).isEqualTo("BOTH");
            assertThat(node.addresses(node.add("c"))).hasSize(2);
        }
    }

    private OwnerHarness start(PoolSettings settings) throws IOException {
        return new OwnerHarness(folder.resolve("journal"), cloud, kernel, settings, lives++);
    }

    private static void release(OwnerHarness node, String container) {
        Turn.Del del = node.owner.del(OwnerHarness.key(container), OptionalLong.empty());
        node.run();
        var _ = node.owner.released(del);
        node.run();
    }

    private static StatusReport report(OwnerHarness node) {
        var report = node.owner.report();
        node.run();
        return report.join();
    }

    private static String words(Turn.Add add) {
        return ((AddAnswer.Refused) add.answer().getNow(null)).error().message();
    }

    private static PoolSettings settings(Map<String, String> environment) {
        return ((PoolSettings.Parsed.Good) PoolSettings.fromEnvironment(environment)).settings();
    }
}
