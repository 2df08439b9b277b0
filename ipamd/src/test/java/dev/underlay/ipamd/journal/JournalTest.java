package dev.underlay.ipamd.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import dev.underlay.cni.linux.Linux;
import dev.underlay.ipamd.journal.JournalRecord.Began;
import dev.underlay.ipamd.journal.JournalRecord.Ended;
import dev.underlay.ipamd.journal.JournalRecord.Held;
import dev.underlay.ipamd.journal.JournalRecord.InterfaceGone;
import dev.underlay.ipamd.journal.JournalRecord.InterfaceKnown;
import dev.underlay.ipamd.journal.JournalRecord.Leased;
import dev.underlay.ipamd.journal.JournalRecord.NetworkKnown;
import dev.underlay.ipamd.journal.JournalRecord.NodeKnown;
import dev.underlay.ipamd.journal.JournalRecord.Released;
import dev.underlay.ipamd.journal.JournalRecord.Settled;
import dev.underlay.ipamd.journal.JournalRecord.Wired;
import dev.underlay.pool.AttachmentKey;
import dev.underlay.pool.BlockKind;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudAction;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.InterfaceRequest;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.NodeIdentity;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The journal against its promise: whatever happens to its bytes, it opens, gives every record that
 * is intact and none that was never written.
 */
class JournalTest {
    private static final String BOOT = "18315567-d072-44c0-8fb3-d03e398a55fe";
    private static final String OTHER_BOOT = "00000000-d072-44c0-8fb3-d03e398a55fe";

    @TempDir Path folder;

    @Test
    void every_kind_of_record_comes_back_as_it_was_written() throws IOException {
        NodeIdentity node =
                new NodeIdentity(
                        "i-0aa",
                        "m5.large",
                        "eu-west-1a",
                        "eni-0aa",
                        "02:00:00:00:00:01",
                        IpAddress.parse("10.0.0.10"),
                        Optional.of(IpAddress.parse("2001:db8::10")),
                        List.of(Cidr.parse("10.0.0.0/16"), Cidr.parse("2001:db8::/56")),
                        new NodeIdentity.Limits(3, 10, false));
        List<JournalRecord> all =
                List.of(
                        new NodeKnown(node),
                        new NetworkKnown(
                                List.of(Cidr.parse("10.0.0.0/16"), Cidr.parse("2001:db8::/56"))),
                        new InterfaceKnown(attached("eni-0aa")),
                        new InterfaceGone("eni-0bb"),
                        new Began(
                                new CloudAction.CreateInterface(
                                        new InterfaceRequest(
                                                "t-1", BlockKind.SECONDARY_ADDRESS, 9))),
                        new Began(
                                new CloudAction.UnassignBlocks(
                                        "eni-0aa", List.of(Cidr.parse("10.0.0.20/32")))),
                        new Began(new CloudAction.AttachInterface("eni-0aa", 3)),
                        new Began(new CloudAction.AssignBlocks("eni-0aa", BlockKind.PREFIX_28, 2)),
                        new Began(new CloudAction.DeleteInterface("eni-0aa")),
                        new Began(new CloudAction.Describe()),
                        new Settled(new CloudAction.DetachInterface("eni-0aa")),
                        lease("c1", "10.0.0.20"),
                        lease("c4", "10.0.0.40", "2001:db8::40"),
                        new Wired(key("c1"), "{\"ips\":[\"ü\"]}"),
                        new Released(
                                key("c2"), List.of(IpAddress.parse("2001:db8::7")), 1L << 60, 7),
                        new Released(
                                key("c5"),
                                List.of(
                                        IpAddress.parse("10.0.0.50"),
                                        IpAddress.parse("2001:db8::50")),
                                1L << 60,
                                7),
                        new Ended(lease("c3", "10.0.0.30"), 8),
                        new Ended(lease("c6", "10.0.0.60", "2001:db8::60"), 8));
        for (JournalRecord one : all) {
            assertThat(RecordCodec.decode(RecordCodec.encode(one))).isEqualTo(one);
        }
        JournalState state = new JournalState();
        all.forEach(state::apply);
        assertThat(reopened(all).records(0)).isEqualTo(state.records(0));
    }

    /** As written before a field was added: the record ends earlier. */
    @Test
    void a_node_of_an_older_daemon_takes_prefixes_and_has_no_ipv6_address() throws IOException {
        NodeIdentity.Limits limits = new NodeIdentity.Limits(2, 10, false);
        NodeKnown node =
                new NodeKnown(
                        new NodeIdentity(
                                "i-0aa",
                                "m4.large",
                                "eu-west-1a",
                                "eni-0aa",
                                "02:00:00:00:00:01",
                                IpAddress.parse("10.0.0.10"),
                                Optional.of(IpAddress.parse("2001:db8::10")),
                                List.of(),
                                limits));
        byte[] bytes = RecordCodec.encode(node);
        int ipv6 = 1 + 1 + 16; // whether there is one, its length, the address
        NodeIdentity older = cutNode(bytes, ipv6);
        assertThat(older.primaryIpv6()).isEmpty();
        assertThat(older.limits()).isEqualTo(limits);
        NodeIdentity oldest = cutNode(bytes, ipv6 + 1);
        assertThat(oldest.primaryIpv6()).isEmpty();
        assertThat(oldest.limits()).isEqualTo(new NodeIdentity.Limits(2, 10, true));
    }

    private static NodeIdentity cutNode(byte[] bytes, int less) throws IOException {
        byte[] older = Arrays.copyOf(bytes, bytes.length - less);
        return ((NodeKnown) RecordCodec.decode(older)).node();
    }

    /** A pod of one address is written as it ever was, and read where no others follow. */
    @Test
    void records_of_one_address_are_the_same_in_every_release() throws IOException {
        Leased lease = lease("c1", "10.0.0.20");
        Released released =
                new Released(key("c1"), List.of(IpAddress.parse("10.0.0.20")), 1L << 60, 7);
        for (JournalRecord one : List.of(lease, released, new Ended(lease, 8))) {
            byte[] bytes = RecordCodec.encode(one);
            assertThat(bytes[bytes.length - 1]).as("no others").isZero();
            assertThat(RecordCodec.decode(Arrays.copyOf(bytes, bytes.length - 1))).isEqualTo(one);
        }
    }

    @Test
    void a_lease_of_both_families_comes_and_goes_as_one() {
        Leased both = lease("c1", "10.0.0.20", "2001:db8::20");
        JournalState state = fold(List.of(both));
        assertThat(state.leases()).containsExactly(both);
        state.apply(new Released(both.key(), both.addresses(), 100, 7));
        assertThat(state.leases()).isEmpty();
        assertThat(state.cooling())
                .extracting(Released::addresses)
                .hasToString("[[10.0.0.20], [2001:db8::20]]");
        assertThat(state.ended()).containsExactly(new Ended(both, 7));
        state.apply(lease("c2", "10.0.0.20", "2001:db8::21"));
        assertThat(state.cooling()).extracting(Released::addresses).hasToString("[[2001:db8::20]]");
    }

    /** What ended it is lost: whoever has one of its addresses ends all of the lease. */
    @Test
    void a_lease_that_lost_one_address_to_another_pod_is_over() {
        Leased older = lease("c1", "10.0.0.20", "2001:db8::20");
        Leased younger = lease("c2", "10.0.0.21", "2001:db8::20");
        JournalState state = fold(List.of(older, younger));
        assertThat(state.leases()).containsExactly(younger);
        assertThat(state.ended()).containsExactly(new Ended(older, 0));
        Leased third = lease("c3", "10.0.0.20", "2001:db8::22");
        state.apply(third);
        assertThat(state.leases()).containsExactly(younger, third);
    }

    @Test
    void a_missing_file_is_an_empty_journal() throws IOException {
        Journal.Opened opened = Journal.open(folder.resolve("journal"), BOOT, 0);
        assertThat(opened.damage()).isEmpty();
        assertThat(opened.journal().state().records(0)).isEmpty();
        opened.journal().close();
    }

    @Test
    void after_a_reboot_nothing_is_left() throws IOException {
        Path path = write(List.of(lease("c1", "10.0.0.20")));
        Journal.Opened opened = Journal.open(path, OTHER_BOOT, 0);
        assertThat(opened.damage()).isEmpty();
        assertThat(opened.journal().state().leases()).isEmpty();
        opened.journal().close();
        assertThat(read(path, OTHER_BOOT).state().leases()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void a_file_cut_anywhere_gives_exactly_the_records_before_the_cut(long seed)
            throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        List<JournalRecord> records = randomRecords(random, 40);
        Path path = write(records);
        byte[] whole = Files.readAllBytes(path);
        List<Integer> ends = ends(records);
        for (int cut = 0; cut <= whole.length; cut++) {
            int kept = 0;
            while (kept < records.size() && ends.get(kept) <= cut) {
                kept++;
            }
            Files.write(path, Arrays.copyOf(whole, cut));
            Journal.Opened opened = Journal.open(path, BOOT, 0);
            assertThat(opened.journal().state().records(0))
                    .as("seed %d, cut at %d", seed, cut)
                    .isEqualTo(fold(records.subList(0, kept)).records(0));
            opened.journal().append(List.of(lease("after", "10.9.9.9")), 0);
            opened.journal().close();
            assertThat(read(path, BOOT).state().leases())
                    .as("seed %d, appended after a cut at %d", seed, cut)
                    .contains(lease("after", "10.9.9.9"))
                    .hasSize(fold(records.subList(0, kept)).leases().size() + 1);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {11, 12, 13, 14, 15})
    void a_flipped_bit_costs_its_own_record_and_nothing_else(long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        List<JournalRecord> records = randomRecords(random, 60);
        Path path = write(records);
        byte[] whole = Files.readAllBytes(path);
        List<Integer> ends = ends(records);
        int header = JournalFrames.header(BOOT).length;
        for (int step = 0; step < 400; step++) {
            int at = random.nextInt(header, whole.length);
            byte[] hurt = whole.clone();
            hurt[at] ^= (byte) (1 << random.nextInt(8));
            int victim = 0;
            while (ends.get(victim) <= at) {
                victim++;
            }
            List<JournalRecord> rest = new ArrayList<>(records);
            rest.remove(victim);
            JournalReading reading = JournalReading.of(hurt, BOOT);
            assertThat(reading.state().records(0))
                    .as("seed %d, step %d, byte %d of record %d", seed, step, at, victim)
                    .isEqualTo(fold(rest).records(0));
            assertThat(reading.damage().isPresent()).isEqualTo(victim < records.size() - 1);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {21, 22, 23, 24})
    void any_mutilation_opens_and_invents_nothing(long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        List<JournalRecord> records = randomRecords(random, 50);
        Path path = write(records);
        byte[] whole = Files.readAllBytes(path);
        Set<JournalRecord> written = new HashSet<>(records);
        Set<JournalRecord> told = new HashSet<>(records);
        for (JournalRecord one : records) {
            if (one instanceof Released over) { // each address rests by itself
                over.addresses().forEach(address -> told.add(over.of(address)));
            }
        }
        for (int step = 0; step < 300; step++) {
            Files.write(path, mutilated(whole, random));
            Journal.Opened opened = Journal.open(path, BOOT, 0);
            JournalState state = opened.journal().state();
            assertThat(state.records(0).stream().filter(one -> !(one instanceof Ended)))
                    .as("seed %d, step %d", seed, step)
                    .isSubsetOf(told);
            assertThat(state.ended())
                    .as("seed %d, step %d", seed, step)
                    .allSatisfy(one -> assertThat(written).contains(one.lease()));
            assertThat(state.leases().stream().flatMap(one -> one.addresses().stream()))
                    .as("seed %d, step %d", seed, step)
                    .doesNotHaveDuplicates();
            opened.journal().close();
            assertThat(read(path, BOOT).state().records(0)).isEqualTo(state.records(0));
        }
    }

    @Test
    void a_damaged_header_is_reported_and_the_bytes_are_kept_as_evidence() throws IOException {
        Path path = write(List.of(lease("c1", "10.0.0.20")));
        byte[] bytes = Files.readAllBytes(path);
        bytes[12] ^= 1;
        Files.write(path, bytes);
        Journal.Opened opened = Journal.open(path, BOOT, 0);
        assertThat(opened.damage()).hasValueSatisfying(text -> assertThat(text).contains("header"));
        assertThat(opened.journal().state().leases()).isEmpty();
        opened.journal().close();
        assertThat(folder.resolve("journal.damaged")).hasBinaryContent(bytes);
    }

    /** What a daemon of the first release's format wrote is read for ever; see the resource. */
    @Test
    void a_file_of_the_former_version_says_what_it_said() throws IOException {
        Path path = folder.resolve("journal");
        Files.write(path, resource("journal-v1-first.hex"));
        Journal.Opened opened = Journal.open(path, BOOT, 0);
        JournalState state = opened.journal().state();
        opened.journal().close();
        assertThat(opened.damage()).isEmpty();
        assertThat(state.node().orElseThrow().limits())
                .isEqualTo(new NodeIdentity.Limits(3, 10, true));
        assertThat(state.networkCidrs()).hasToString("[10.0.0.0/16, 2001:db8::/56]");
        assertThat(state.interfaces())
                .singleElement()
                .satisfies(one -> {
                    assertThat(one.id()).isEqualTo("eni-0aa");
                    assertThat(one.blocks()).hasToString("[10.0.0.20/32, 10.0.0.32/28]");
                });
        assertThat(state.unfinished())
                .containsExactly(
                        new CloudAction.CreateInterface(
                                new InterfaceRequest("token-2", BlockKind.SECONDARY_ADDRESS, 9)));
        assertThat(state.leases())
                .containsExactly(
                        new Leased(
                                key("3f9c1d"),
                                4026532001L,
                                "shop",
                                "web-0",
                                List.of(new Held(IpAddress.parse("10.0.0.20"), "eni-0aa")),
                                5_000_000_000L));
        assertThat(state.result(key("3f9c1d"))).hasValue("{\"cniVersion\":\"1.1.0\"}");
        assertThat(state.cooling())
                .singleElement()
                .satisfies(over -> {
                    assertThat(over.addresses()).containsExactly(IpAddress.parse("10.0.0.33"));
                    assertThat(over.coolUntilNanos()).isEqualTo(37_000_000_000L);
                    assertThat(over.atNanos()).as("not written then").isZero();
                });
    }

    @Test
    void a_file_of_a_newer_version_is_set_aside_in_one_line_and_a_new_one_begun()
            throws IOException {
        Path path = folder.resolve("journal");
        byte[] id = BOOT.getBytes(StandardCharsets.US_ASCII);
        byte[] newer =
                JournalFrames.frame(
                        ByteBuffer.allocate(1 + id.length).put((byte) 9).put(id).array());
        Files.write(path, newer);
        Journal.Opened opened = Journal.open(path, BOOT, 0);
        assertThat(opened.damage())
                .hasValueSatisfying(line ->
                        assertThat(line)
                                .contains("version 9 and this ipamd reads version 1")
                                .contains("kernel's links"));
        opened.journal().append(List.of(lease("c1", "10.0.0.20")), 0);
        opened.journal().close();
        assertThat(folder.resolve("journal.damaged")).hasBinaryContent(newer);
        assertThat(read(path, BOOT).state().leases()).containsExactly(lease("c1", "10.0.0.20"));
    }

    @Test
    void a_file_that_is_far_too_large_is_not_read_into_memory() throws IOException {
        Path path = write(List.of(lease("c1", "10.0.0.20")));
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(3L << 30); // a hole: no disk is used
        }
        Journal.Opened opened = Journal.open(path, BOOT, 0);
        opened.journal().close();
        assertThat(opened.damage())
                .hasValueSatisfying(line -> assertThat(line).contains("3221225472 bytes"));
        assertThat(Files.size(path)).isEqualTo(JournalFrames.header(BOOT).length);
    }

    @Test
    void hazard_41_a_lease_is_written_by_itself_however_many_pods_there_are() throws IOException {
        try (Journal journal = Journal.open(folder.resolve("journal"), BOOT, 0).journal()) {
            long[] sizes = new long[500];
            for (int i = 0; i < sizes.length; i++) {
                long before = journal.bytes();
                journal.append(List.of(lease("c%03d".formatted(i), "10.1." + i / 100 + ".1")), 0);
                sizes[i] = journal.bytes() - before;
            }
            assertThat(sizes).containsOnly(sizes[0]);
        }
    }

    @Test
    void it_is_rewritten_when_it_has_grown_and_says_the_same_afterwards() throws IOException {
        Path path = folder.resolve("journal");
        Journal journal = Journal.open(path, BOOT, 0).journal();
        journal.append(List.of(lease("stays", "10.1.0.1")), 0);
        long largest = 0;
        for (int i = 0; i < 20_000; i++) {
            journal.append(List.of(lease("c" + i, "10.0.0.20")), i);
            journal.append(
                    List.of(
                            new Released(
                                    key("c" + i), List.of(IpAddress.parse("10.0.0.20")), i + 5, i)),
                    i);
            largest = Math.max(largest, journal.bytes());
        }
        assertThat(largest).isLessThan(4 * Journal.COMPACT_ABOVE_BYTES);
        assertThat(journal.state().ended())
                .hasSize(JournalState.MAX_ENDED)
                .last()
                .isEqualTo(new Ended(lease("c19999", "10.0.0.20"), 19_999));
        assertThat(Files.size(path)).isEqualTo(journal.bytes());
        assertThat(read(path, BOOT).state().records(20_000))
                .isEqualTo(journal.state().records(20_000))
                .contains(lease("stays", "10.1.0.1"));
        journal.close();
    }

    @Test
    void addresses_that_have_cooled_are_forgotten_when_it_is_rewritten() throws IOException {
        Journal journal = Journal.open(folder.resolve("journal"), BOOT, 0).journal();
        int most = 0;
        for (int i = 0; i < 20_000; i++) {
            IpAddress address = IpAddress.parse("10.0.%d.%d".formatted(i / 256, i % 256));
            journal.append(List.of(new Released(key("c" + i), List.of(address), i + 100, i)), i);
            most = Math.max(most, journal.state().cooling().size());
        }
        assertThat(most).as("as many as the file holds").isBetween(100, 10_000);
        assertThat(journal.state().cooling())
                .filteredOn(over -> over.coolUntilNanos() > 20_000)
                .hasSize(99);
        journal.close();
    }

    /** A file system of 64 KiB; what does not fit must change neither the file nor the state. */
    @Test
    @Tag("kernel")
    void a_full_file_system_refuses_the_append_and_leaves_all_as_it_was() throws IOException {
        mountSmall(folder);
        try {
            Path path = folder.resolve("journal");
            Journal journal = Journal.open(path, BOOT, 0).journal();
            int fitting = 0;
            try {
                while (fitting < 100_000) {
                    journal.append(List.of(lease("c" + fitting, "10.0.0.20")), 0);
                    fitting++;
                }
            } catch (IOException e) {
                assertThat(e).hasMessageContaining("No space left").hasMessageContaining("free");
            }
            assertThat(fitting).isBetween(100, 2000);
            assertThat(Files.size(path)).isEqualTo(journal.bytes());
            assertThat(journal.state().leases())
                    .containsExactly(lease("c" + --fitting, "10.0.0.20"));
            journal.close();
            Journal again = Journal.open(path, BOOT, 0).journal();
            assertThat(again.state().leases()).containsExactly(lease("c" + fitting, "10.0.0.20"));
            again.close();
        } finally {
            Linux.check("umount", c -> c.umount2(folder.toString(), 0));
        }
    }

    /** What the damaged file still says must not be lost between two starts. */
    @Test
    @Tag("kernel")
    void a_damaged_journal_stays_in_its_place_while_no_new_one_can_be_written() throws IOException {
        mountSmall(folder);
        try {
            Released resting =
                    new Released(key("c2"), List.of(IpAddress.parse("10.0.0.21")), 1L << 60, 7);
            Path path = write(List.of(lease("c1", "10.0.0.20"), resting));
            byte[] bytes = Files.readAllBytes(path);
            bytes[2 * JournalFrames.FRAME_BYTES + 1 + BOOT.length()] ^= 1; // the lease
            Files.write(path, bytes);
            Path filler = folder.resolve("filler");
            assertThatIOException()
                    .isThrownBy(() -> Files.write(filler, new byte[1 << 20]))
                    .withMessageContaining("No space left");
            for (int start = 0; start < 2; start++) {
                assertThatIOException()
                        .isThrownBy(() -> Journal.open(path, BOOT, 0))
                        .withMessageContaining("No space left");
                assertThat(path).hasBinaryContent(bytes);
                assertThat(folder).isDirectoryNotContaining(one -> one.endsWith("journal.new"));
            }
            Files.delete(filler);
            Journal.Opened opened = Journal.open(path, BOOT, 0);
            opened.journal().close();
            assertThat(opened.damage()).isPresent();
            assertThat(opened.journal().state().cooling()).containsExactly(resting);
            assertThat(read(path, BOOT).state().cooling()).containsExactly(resting);
            assertThat(folder.resolve("journal.damaged")).hasBinaryContent(bytes);
        } finally {
            Linux.check("umount", c -> c.umount2(folder.toString(), 0));
        }
    }

    private static void mountSmall(Path folder) {
        try {
            Linux.check("mount", c -> c.mount("tmpfs", folder.toString(), "tmpfs", 0, "size=64k"));
        } catch (IOException e) {
            Assumptions.abort("SKIPPED: a full file system was not tested: " + e.getMessage());
        }
    }

    private static byte[] mutilated(byte[] whole, SplittableRandom random) {
        int cut = random.nextInt(whole.length + 1);
        byte[] bytes = Arrays.copyOf(whole, random.nextBoolean() ? cut : whole.length);
        int flips = random.nextInt(4);
        for (int i = 0; i < flips && bytes.length > 0; i++) {
            bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
        }
        if (bytes.length > 20 && random.nextInt(4) == 0) {
            int from = random.nextInt(bytes.length - 10);
            int to = random.nextInt(from, bytes.length);
            for (int i = from; i < to; i++) {
                bytes[i] = (byte) random.nextInt();
            }
        }
        return bytes;
    }

    private static List<JournalRecord> randomRecords(SplittableRandom random, int count) {
        List<JournalRecord> records = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String container = "c" + random.nextInt(12);
            List<String> addresses =
                    addresses(
                            "10.0.0." + (20 + random.nextInt(12)),
                            "2001:db8::" + (20 + random.nextInt(12)),
                            random);
            records.add(
                    switch (random.nextInt(6)) {
                        case 0, 1 -> lease(container, addresses.toArray(String[]::new));
                        case 2 -> new Wired(key(container), "{\"n\":" + i + "}");
                        case 3 ->
                                new Released(
                                        key(container),
                                        addresses.stream().map(IpAddress::parse).toList(),
                                        1 + i * 1000L,
                                        1 + i);
                        case 4 -> new InterfaceKnown(attached("eni-" + random.nextInt(3)));
                        default ->
                                new Began(
                                        new CloudAction.CreateInterface(
                                                new InterfaceRequest(
                                                        "t" + i, BlockKind.SECONDARY_ADDRESS, i)));
                    });
        }
        return records;
    }

    /** Of one family, of the other, or of both. */
    private static List<String> addresses(String ipv4, String ipv6, SplittableRandom random) {
        return switch (random.nextInt(4)) {
            case 0 -> List.of(ipv4);
            case 1 -> List.of(ipv6);
            default -> List.of(ipv4, ipv6);
        };
    }

    private static JournalState fold(List<JournalRecord> records) {
        JournalState state = new JournalState();
        records.forEach(state::apply);
        return state;
    }

    private static List<Integer> ends(List<JournalRecord> records) {
        List<Integer> ends = new ArrayList<>();
        int end = JournalFrames.header(BOOT).length;
        for (JournalRecord one : records) {
            end += JournalFrames.frame(RecordCodec.encode(one)).length;
            ends.add(end);
        }
        return ends;
    }

    private JournalState reopened(List<JournalRecord> records) throws IOException {
        return read(write(records), BOOT).state();
    }

    private static JournalReading read(Path path, String bootId) throws IOException {
        return JournalReading.of(Files.readAllBytes(path), bootId);
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = JournalTest.class.getResourceAsStream(name)) {
            String text = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
            return HexFormat.of().parseHex(text.replaceAll("(?m)^#.*$|\\s", ""));
        }
    }

    private Path write(List<JournalRecord> records) throws IOException {
        Path path = folder.resolve("journal");
        Files.deleteIfExists(path);
        try (Journal journal = Journal.open(path, BOOT, 0).journal()) {
            for (JournalRecord one : records) {
                journal.append(List.of(one), 0);
            }
        }
        return path;
    }

    private static AttachmentKey key(String container) {
        return new AttachmentKey("underlay", container, "eth0");
    }

    private static Leased lease(String container, String... addresses) {
        return new Leased(
                key(container),
                4026531992L,
                "shop",
                "web-0",
                Stream.of(addresses).map(one -> new Held(IpAddress.parse(one), "eni-0aa")).toList(),
                5);
    }

    private static CloudInterface attached(String id) {
        return new CloudInterface(
                id,
                Optional.of("token-" + id),
                "02:00:00:00:00:02",
                "subnet-1",
                Cidr.parse("10.0.0.0/24"),
                IpAddress.parse("10.0.0.11"),
                false,
                Optional.of(new CloudInterface.Attachment(1, CloudInterface.State.ATTACHED)),
                List.of(Cidr.parse("10.0.0.20/32"), Cidr.parse("10.0.0.32/28")),
                true);
    }
}
