package dev.underlay.ipamd.owner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.cni.wiring.PodLink;
import dev.underlay.ipamd.journal.Journal;
import dev.underlay.ipamd.journal.JournalRecord;
import dev.underlay.ipamd.journal.JournalRecord.Began;
import dev.underlay.ipamd.journal.JournalRecord.Held;
import dev.underlay.ipamd.journal.JournalRecord.InterfaceKnown;
import dev.underlay.ipamd.journal.JournalRecord.Leased;
import dev.underlay.ipamd.journal.JournalRecord.NodeKnown;
import dev.underlay.ipamd.journal.JournalRecord.Released;
import dev.underlay.ipamd.journal.JournalRecord.Wired;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudAction;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.IpAddress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whatever happened to the journal's bytes: the start goes on, says so in one line at most, and no
 * pod whose link stands loses its address or shares it. The truth is the kernel's list of links.
 */
class DamagedJournalTest {
    private static final long NOW = 1_000_000_000_000L;
    private static final long COOL = 30_000_000_000L;
    private static final int LONGEST_LINE = 300;

    @TempDir Path folder;
    private Path path;
    private byte[] whole;

    /** What the pods' links say: who has which address. */
    private final Map<String, IpAddress> living = new TreeMap<>();

    private final List<PodLink> links = new ArrayList<>();

    @BeforeEach
    void a_node_with_a_past() throws IOException {
        path = folder.resolve("journal");
        try (Journal journal = Journal.open(path, OwnerHarness.BOOT, 0).journal()) {
            append(journal, new NodeKnown(FakeCloud.NODE), ENI);
            append(journal, new Began(new CloudAction.DetachInterface("eni-2")));
            for (int i = 0; i < 8; i++) { // the same addresses again and again
                lease(journal, "old-" + i, i % 3);
                release(journal, "old-" + i, i % 3);
            }
            for (int i = 0; i < 6; i++) {
                lease(journal, "pod-" + i, i);
            }
            release(journal, "pod-4", 4);
            lease(journal, "pod-6", 4);
        }
        whole = Files.readAllBytes(path);
        for (int pod : new int[] {0, 1, 2, 3, 5, 6}) {
            String name = "pod-" + pod;
            living.put(name, address(pod == 6 ? 4 : pod));
            links.add(OwnerHarness.link(sandbox(name), living.get(name), 100 + pod));
        }
    }

    @Test
    void the_whole_file_gives_exactly_the_living_pods() throws IOException {
        assertThat(startWith(whole, "whole").damage()).isEmpty();
    }

    @Test
    void every_byte_of_it_flipped_in_turn() throws IOException {
        for (int at = 0; at < whole.length; at++) {
            byte[] hurt = whole.clone();
            hurt[at] ^= (byte) (1 << at % 8);
            startWith(hurt, "byte " + at + " flipped");
        }
    }

    @Test
    void cut_at_every_length() throws IOException {
        for (int length = 0; length < whole.length; length++) {
            startWith(Arrays.copyOf(whole, length), "cut at " + length);
            startWith(Arrays.copyOfRange(whole, length, whole.length), "first " + length + " gone");
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {31, 32, 33})
    void random_bytes_everywhere_or_in_the_middle(long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        for (int step = 0; step < 200; step++) {
            byte[] noise = new byte[random.nextInt(2 * whole.length)];
            random.nextBytes(noise);
            startWith(noise, "seed " + seed + ", step " + step + ", noise");
            byte[] hurt = whole.clone();
            int from = random.nextInt(hurt.length);
            int length = random.nextInt(hurt.length - from);
            System.arraycopy(noise, 0, hurt, from, Math.min(length, noise.length));
            startWith(hurt, "seed " + seed + ", step " + step + ", noise at " + from);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {41, 42})
    void whole_stretches_lost_doubled_or_moved(long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        for (int step = 0; step < 200; step++) {
            int a = random.nextInt(whole.length);
            int b = random.nextInt(a, whole.length);
            byte[] hurt = new byte[whole.length + (b - a)];
            System.arraycopy(whole, 0, hurt, 0, b);
            System.arraycopy(whole, a, hurt, b, whole.length - a);
            startWith(hurt, "seed " + seed + ", step " + step + ", doubled " + a + " to " + b);
            startWith(
                    Arrays.copyOf(hurt, a + (whole.length - b)),
                    "seed " + seed + ", step " + step + ", cut in a copy");
        }
    }

    /** A start as the daemon does it, and what must be true after it. */
    private Journal.Opened startWith(byte[] bytes, String what) throws IOException {
        Files.write(path, bytes);
        Journal.Opened opened = Journal.open(path, OwnerHarness.BOOT, NOW);
        try (Journal journal = opened.journal()) {
            Recovery recovery = Recovery.of(journal.state(), links, NOW, COOL);
            assertThat(recovery.cutOff()).as(what).isEmpty();
            Map<String, IpAddress> found = new TreeMap<>();
            recovery.state()
                    .leases()
                    .forEach(one -> found.put(one.key().containerId(), one.addresses().getFirst()));
            assertThat(found).as(what).isEqualTo(living);
            Set<IpAddress> resting = new HashSet<>();
            recovery.state().cooling().forEach(one -> resting.add(one.address()));
            assertThat(resting).as(what).doesNotContainAnyElementsOf(living.values());
            opened.damage()
                    .ifPresent(line ->
                            assertThat(line)
                                    .as(what)
                                    .isNotBlank()
                                    .doesNotContainPattern("\\p{Cntrl}")
                                    .hasSizeLessThan(LONGEST_LINE));
            journal.append(recovery.state().news(), NOW);
        }
        Journal.Opened again = Journal.open(path, OwnerHarness.BOOT, NOW);
        try (Journal journal = again.journal()) {
            assertThat(again.damage()).as("the start after %s", what).isEmpty();
            assertThat(journal.state().leases()).as(what).hasSameSizeAs(living.entrySet());
        }
        return opened;
    }

    private static void append(Journal journal, JournalRecord... records) throws IOException {
        journal.append(List.of(records), 0);
    }

    private static void lease(Journal journal, String pod, int slot) throws IOException {
        Sandbox sandbox = sandbox(pod);
        append(
                journal,
                new Leased(
                        sandbox.key(),
                        sandbox.namespaceInode(),
                        sandbox.podNamespace(),
                        sandbox.podName(),
                        List.of(new Held(address(slot), "eni-1")),
                        slot));
        append(journal, new Wired(sandbox.key(), "{\"ips\":[\"" + address(slot) + "\"]}"));
    }

    private static void release(Journal journal, String pod, int slot) throws IOException {
        append(
                journal,
                new Released(OwnerHarness.key(pod), List.of(address(slot)), NOW + COOL, NOW));
    }

    private static Sandbox sandbox(String pod) {
        return new Sandbox(OwnerHarness.key(pod), 1000 + pod.hashCode(), "shop", pod);
    }

    private static IpAddress address(int slot) {
        return IpAddress.parse("10.0.0." + (17 + slot));
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
}
