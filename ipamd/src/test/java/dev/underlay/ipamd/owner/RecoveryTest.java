package dev.underlay.ipamd.owner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.cni.wiring.Attachment;
import dev.underlay.cni.wiring.PodLink;
import dev.underlay.ipamd.journal.Journal;
import dev.underlay.ipamd.journal.JournalRecord;
import dev.underlay.ipamd.journal.JournalRecord.Began;
import dev.underlay.ipamd.journal.JournalRecord.Held;
import dev.underlay.ipamd.journal.JournalRecord.InterfaceKnown;
import dev.underlay.ipamd.journal.JournalRecord.Leased;
import dev.underlay.ipamd.journal.JournalRecord.Released;
import dev.underlay.ipamd.journal.JournalState;
import dev.underlay.pool.AttachmentKey;
import dev.underlay.pool.BlockKind;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudAction;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.InterfaceRequest;
import dev.underlay.pool.IpAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the daemon may have died, and what is true afterwards. */
class RecoveryTest {
    private static final long NOW = 1_000_000;
    private static final long COOL = 30;

    @TempDir Path folder;

    @Test
    void died_after_the_lease_was_journalled_and_before_the_link_the_address_cools()
            throws IOException {
        Recovery recovery = recover(journal(ENI, lease("c1", 5, "10.0.0.20")));
        assertThat(recovery.state().leases()).isEmpty();
        assertThat(recovery.state().cooling())
                .containsExactly(
                        new RecoveredState.Cooling(
                                "eni-1", IpAddress.parse("10.0.0.20"), NOW + COOL));
        assertThat(recovery.state().news())
                .containsExactly(
                        new Released(
                                key("c1"), List.of(IpAddress.parse("10.0.0.20")), NOW + COOL, NOW));
    }

    @Test
    void died_in_the_wiring_before_the_link_was_named_the_link_goes_and_the_address_cools()
            throws IOException {
        PodLink nameless = new PodLink(7, "ul7", "", 2, Optional.empty(), List.of());
        Recovery recovery = recover(journal(ENI, lease("c1", 5, "10.0.0.20")), nameless);
        assertThat(recovery.cutOff()).containsExactly(nameless);
        assertThat(recovery.state().leases()).isEmpty();
        assertThat(recovery.state().cooling()).hasSize(1);
    }

    @Test
    void died_in_the_wiring_after_the_link_was_named_the_lease_lives_as_long_as_the_link()
            throws IOException {
        PodLink half = link(7, "c1", 5);
        Recovery recovery = recover(journal(ENI, lease("c1", 5, "10.0.0.20")), half);
        assertThat(recovery.state().leases()).containsExactly(lease("c1", 5, "10.0.0.20"));
        assertThat(recovery.state().links()).containsEntry(key("c1"), half);
        assertThat(recovery.cutOff()).isEmpty();
    }

    /**
     * G62: the VPC CNI drops the entry of a pod whose link has not the name that it expects, and
     * takes its rules down. Here a link is known by its alias, whatever it is called.
     */
    @Test
    void a_living_pod_keeps_its_lease() throws IOException {
        PodLink link = link(7, "c1", 5, "10.0.0.20");
        Recovery recovery = recover(journal(ENI, lease("c1", 5, "10.0.0.20")), link);
        assertThat(recovery.state().leases()).containsExactly(lease("c1", 5, "10.0.0.20"));
        assertThat(recovery.state().news()).isEmpty();
    }

    @Test
    void died_after_the_links_went_down_and_before_the_release_was_journalled_it_cools()
            throws IOException {
        Recovery recovery =
                recover(
                        journal(ENI, lease("c1", 5, "10.0.0.20"), lease("c2", 6, "10.0.0.21")),
                        link(8, "c2", 6, "10.0.0.21"));
        assertThat(recovery.state().leases()).containsExactly(lease("c2", 6, "10.0.0.21"));
        assertThat(recovery.state().cooling()).hasSize(1);
    }

    @Test
    void without_a_journal_the_kernel_knows_the_pods() throws IOException {
        Recovery recovery = recover(journal(), link(7, "c1", 5, "10.0.0.20"));
        assertThat(recovery.state().leases())
                .containsExactly(
                        new Leased(
                                key("c1"),
                                5,
                                "shop",
                                "c1",
                                List.of(new Held(IpAddress.parse("10.0.0.20"), "")),
                                0));
        assertThat(recovery.state().news()).hasSize(1);
    }

    @Test
    void the_kernel_wins_over_a_journal_that_tells_of_an_earlier_sandbox() throws IOException {
        PodLink now = link(7, "c1", 6, "10.0.0.21");
        Recovery recovery = recover(journal(ENI, lease("c1", 5, "10.0.0.20")), now);
        assertThat(recovery.state().leases())
                .singleElement()
                .satisfies(lease -> {
                    assertThat(lease.held())
                            .containsExactly(new Held(IpAddress.parse("10.0.0.21"), "eni-1"));
                    assertThat(lease.namespaceInode()).isEqualTo(6);
                });
        JournalState after = journal(ENI, lease("c1", 5, "10.0.0.20"));
        try (Journal journal = Journal.open(folder.resolve("after"), "b", 0).journal()) {
            journal.append(after.leases().stream().map(JournalRecord.class::cast).toList(), 0);
            journal.append(recovery.state().news(), 0);
            assertThat(journal.state().leases()).isEqualTo(recovery.state().leases());
        }
    }

    @Test
    void hazard_12_what_rests_goes_on_resting_and_what_was_asked_for_is_asked_again()
            throws IOException {
        CloudAction request =
                new CloudAction.CreateInterface(
                        new InterfaceRequest("t", BlockKind.SECONDARY_ADDRESS, 9));
        Recovery recovery =
                recover(
                        journal(
                                ENI,
                                new Released(
                                        key("c1"),
                                        List.of(IpAddress.parse("10.0.0.22")),
                                        NOW + 9,
                                        NOW - 1),
                                new Began(request)));
        assertThat(recovery.state().cooling())
                .containsExactly(
                        new RecoveredState.Cooling("eni-1", IpAddress.parse("10.0.0.22"), NOW + 9));
        assertThat(recovery.state().unfinished()).containsExactly(request);
    }

    /** A route alone may have been deleted, or the daemon killed between the two. */
    @Test
    void a_link_with_a_route_of_one_family_keeps_the_addresses_of_both() throws IOException {
        Leased both = lease("c1", 5, "10.0.0.20", "fd00:10::20");
        for (String left : List.of("10.0.0.20", "fd00:10::20")) {
            Recovery recovery = recover(journal(ENI, both), link(7, "c1", 5, left));
            assertThat(recovery.state().leases()).containsExactly(both);
            assertThat(recovery.state().news()).isEmpty();
        }
    }

    @Test
    void without_a_journal_a_link_brings_the_addresses_of_both_families() throws IOException {
        Recovery recovery = recover(journal(ENI), link(7, "c1", 5, "10.0.0.20", "fd00:10::20"));
        assertThat(recovery.state().leases())
                .singleElement()
                .satisfies(lease ->
                        assertThat(lease.held())
                                .containsExactly(
                                        new Held(IpAddress.parse("10.0.0.20"), "eni-1"),
                                        new Held(IpAddress.parse("fd00:10::20"), "")));
    }

    @Test
    void died_after_the_lease_the_addresses_of_both_families_cool_together() throws IOException {
        Leased both = lease("c1", 5, "10.0.0.20", "fd00:10::20");
        Recovery recovery = recover(journal(ENI, both));
        assertThat(recovery.state().leases()).isEmpty();
        assertThat(recovery.state().news())
                .containsExactly(new Released(key("c1"), both.addresses(), NOW + COOL, NOW));
    }

    /** The journal lost what came between: the kernel alone tells which pod has the address. */
    @Test
    void an_address_that_is_routed_to_another_pod_is_that_pods() throws IOException {
        Leased older = lease("c1", 5, "10.0.0.20", "fd00:10::20");
        Recovery recovery =
                recover(
                        journal(ENI, older),
                        link(7, "c1", 5, "10.0.0.20"),
                        link(8, "c2", 6, "10.0.0.21", "fd00:10::20"));
        assertThat(recovery.state().leases())
                .extracting(Leased::addresses)
                .hasToString("[[10.0.0.20], [10.0.0.21, fd00:10::20]]");
        try (Journal journal = Journal.open(folder.resolve("after"), "b", 0).journal()) {
            journal.append(List.of(older), 0);
            journal.append(recovery.state().news(), 0);
            assertThat(journal.state().leases())
                    .containsExactlyInAnyOrderElementsOf(recovery.state().leases());
            assertThat(journal.state().cooling()).isEmpty();
        }
    }

    private static final InterfaceKnown ENI =
            new InterfaceKnown(
                    new CloudInterface(
                            "eni-1",
                            Optional.empty(),
                            "02:00:00:00:00:01",
                            "subnet-1",
                            Cidr.parse("10.0.0.0/24"),
                            IpAddress.parse("10.0.0.5"),
                            true,
                            Optional.of(
                                    new CloudInterface.Attachment(
                                            0, CloudInterface.State.ATTACHED)),
                            List.of(Cidr.parse("10.0.0.16/28")),
                            true));

    private Recovery recover(JournalState journal, PodLink... links) {
        return Recovery.of(journal, List.of(links), NOW, COOL);
    }

    private JournalState journal(JournalRecord... records) throws IOException {
        try (Journal journal = Journal.open(folder.resolve("journal"), "b", 0).journal()) {
            journal.append(List.of(records), 0);
            return journal.state();
        }
    }

    private static Leased lease(String container, long inode, String... addresses) {
        return new Leased(
                key(container),
                inode,
                "shop",
                container,
                Stream.of(addresses).map(one -> new Held(IpAddress.parse(one), "eni-1")).toList(),
                9);
    }

    private static PodLink link(int index, String container, long inode, String... addresses) {
        return new PodLink(
                index,
                "ul" + index,
                "",
                2,
                Optional.of(
                        new Attachment("underlay", container, "eth0", inode, "shop", container)),
                List.of(addresses).stream().map(InetAddress::ofLiteral).toList());
    }

    private static AttachmentKey key(String container) {
        return new AttachmentKey("underlay", container, "eth0");
    }
}
