package dev.underlay.ipamd.owner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.cni.wiring.PodLink;
import dev.underlay.ipamd.journal.JournalRecord.Leased;
import dev.underlay.pool.AttachmentKey;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.PoolSettings;
import dev.underlay.pool.Refusal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A node's life at random: pods come and go, callers give up, the cloud refuses and loses answers,
 * namespaces vanish, and the daemon is killed between any two steps and started again from what its
 * journal and the kernel hold. After every step nobody shares an address, no living pod has lost
 * its lease, nothing that rests is given away and everything in use is still assigned.
 */
class OwnerSimulationTest {
    private static final int SANDBOXES = 34; // a few more than the node has addresses
    private static final int STEPS = 500;
    private static final long COOL_NANOS = PoolSettings.defaults().cooldownNanos();

    @TempDir Path folder;

    @ParameterizedTest
    @MethodSource("seeds")
    void nothing_is_shared_lost_or_given_too_early(long seed) throws IOException {
        Life life = new Life(folder, seed);
        for (int step = 0; step < STEPS; step++) {
            String did = life.step();
            life.verify("seed " + seed + ", step " + step + ": " + did);
        }
        life.end();
    }

    /** 12, or as many as {@code -Dunderlay.seeds} says. */
    static LongStream seeds() {
        return LongStream.rangeClosed(1, Long.getLong("underlay.seeds", 12));
    }

    /** What outlives the daemon, and the daemon. */
    private static final class Life {
        private final SplittableRandom random;
        private final Path journal;
        private final FakeCloud cloud = new FakeCloud();
        private final FakeNode node = new FakeNode();
        private final Map<AttachmentKey, PodLink> kernel = new HashMap<>();
        private final Map<IpAddress, Long> restsUntil = new HashMap<>();
        private final Map<AttachmentKey, Long> inodes = new HashMap<>();
        private final Map<String, Turn.Add> adds = new TreeMap<>();
        private final Map<String, Turn.Del> dels = new TreeMap<>();
        private final Set<Turn> wiredTurns = new HashSet<>();
        private OwnerHarness daemon;
        private int nextIndex = 10;
        private int incarnation;

        Life(Path folder, long seed) throws IOException {
            random = new SplittableRandom(seed);
            journal = folder.resolve("journal");
            daemon = start();
        }

        private OwnerHarness start() throws IOException {
            long now = daemon == null ? 0 : daemon.mailbox.nowNanos();
            OwnerHarness started =
                    new OwnerHarness(journal, cloud, node, PoolSettings.defaults(), incarnation++);
            if (now > 0) {
                started.mailbox.advance(now - started.mailbox.nowNanos());
            }
            started.recover(List.copyOf(kernel.values()));
            started.owner.identified(FakeCloud.NODE);
            started.run();
            return started;
        }

        String step() throws IOException {
            String container = "c" + random.nextInt(SANDBOXES);
            return switch (random.nextInt(20)) {
                case 0, 1, 2, 3, 4 -> add(container);
                case 5, 6, 7, 8 -> goOnWithAnAdd();
                case 9, 10 -> del(container);
                case 11, 12, 13 -> goOnWithADel();
                case 14, 15, 16 -> answer();
                case 17 -> {
                    long millis = random.nextLong(20_000);
                    daemon.advance(millis, TimeUnit.MILLISECONDS);
                    yield "advance " + millis;
                }
                case 18 -> trouble(container);
                default -> random.nextInt(3) == 0 ? kill() : answer();
            };
        }

        private String add(String container) {
            if (!adds.containsKey(container)) {
                long inode = inodes.merge(OwnerHarness.key(container), 1000L, (old, _) -> old);
                adds.put(container, daemon.add(container, inode));
            }
            return "add " + container;
        }

        /** Wires a granted pod, or tells that it is wired, or gives up. */
        private String goOnWithAnAdd() {
            for (Turn.Add add : List.copyOf(adds.values())) {
                AddAnswer answer = add.answer().getNow(null);
                if (answer == null) {
                    if (random.nextInt(12) == 0) {
                        var _ = daemon.owner.abandon(add, false);
                        adds.remove(add.key().containerId());
                        daemon.run();
                        return "give up waiting " + add.key();
                    }
                    continue;
                }
                if (!(answer instanceof AddAnswer.Granted granted)) {
                    adds.remove(add.key().containerId());
                    continue;
                }
                return goOn(add, granted);
            }
            return "no add to go on with";
        }

        private String goOn(Turn.Add add, AddAnswer.Granted granted) {
            IpAddress address = granted.lease().address();
            if (!wiredTurns.contains(add)) {
                granted.leftover().ifPresent(_ -> kernel.remove(add.key()));
                if (random.nextInt(10) == 0) {
                    adds.remove(add.key().containerId());
                    var _ = daemon.owner.abandon(add, false);
                    daemon.run();
                    return "the kernel refuses to wire " + add.key();
                }
                assertThat(node.routes(Cidr.of(address))).as("routed: %s", address).isTrue();
                kernel.put(add.key(), OwnerHarness.link(add.sandbox(), address, nextIndex++));
                wiredTurns.add(add);
                return "wire " + add.key();
            }
            adds.remove(add.key().containerId());
            if (random.nextInt(10) == 0) {
                kernel.remove(add.key());
                rests(address);
                var _ = daemon.owner.abandon(add, true);
                daemon.run();
                return "hang-up of wired " + add.key();
            }
            PodLink link = Objects.requireNonNull(kernel.get(add.key()));
            var _ = daemon.owner.wired(add, "{}", link);
            daemon.run();
            return "wired " + add.key();
        }

        private String del(String container) {
            if (!dels.containsKey(container)) {
                dels.put(container, daemon.del(container));
            }
            return "del " + container;
        }

        private String goOnWithADel() {
            for (Turn.Del del : List.copyOf(dels.values())) {
                DelAnswer answer = del.answer().getNow(null);
                if (answer instanceof DelAnswer.Nothing) {
                    dels.remove(del.key().containerId());
                } else if (answer instanceof DelAnswer.Unwire unwire) {
                    return goOn(del, unwire);
                }
            }
            return "no del to go on with";
        }

        private String goOn(Turn.Del del, DelAnswer.Unwire unwire) {
            if (random.nextInt(8) == 0 && kernel.containsKey(del.key())) {
                dels.remove(del.key().containerId());
                daemon.owner.kept(del);
                daemon.run();
                return "the kernel refuses to unwire " + del.key();
            }
            if (kernel.remove(del.key()) != null) {
                rests(unwire.what().lease().address());
                return "unwire " + del.key();
            }
            dels.remove(del.key().containerId());
            rests(unwire.what().lease().address());
            inodes.merge(del.key(), 1L, Long::sum);
            var _ = daemon.owner.released(del);
            daemon.run();
            return "released " + del.key();
        }

        private void rests(IpAddress address) {
            restsUntil.put(address, daemon.mailbox.nowNanos() + COOL_NANOS);
        }

        private String answer() {
            boolean some = cloud.answerOne();
            daemon.run();
            return some ? "the cloud answers" : "no answer is on its way";
        }

        private String trouble(String container) {
            return switch (random.nextInt(4)) {
                case 0 -> {
                    cloud.refuse(Refusal.UNAVAILABLE, "the cloud is away");
                    yield "the cloud goes away";
                }
                case 1 -> {
                    cloud.recover();
                    yield "the cloud is back";
                }
                case 2 -> {
                    node.refuse(random.nextInt(4) == 0);
                    yield "the kernel's routing refuses or not";
                }
                default -> vanish(container);
            };
        }

        /** A namespace is deleted without a DEL; calls about it may be under way. */
        private String vanish(String container) {
            AttachmentKey key = OwnerHarness.key(container);
            if (adds.containsKey(container) || dels.containsKey(container)) {
                return "busy";
            }
            PodLink gone = kernel.remove(key);
            if (gone == null) {
                return "no link to vanish";
            }
            daemon.journal.state().lease(key).ifPresent(lease -> rests(lease.address()));
            inodes.merge(key, 1L, Long::sum);
            daemon.owner.linkGone(gone.index());
            daemon.run();
            return "the namespace vanishes of " + key;
        }

        /** Answers that were on their way and calls that were under way are lost. */
        private String kill() throws IOException {
            daemon.mailbox.forget();
            cloud.loseAnswers();
            cloud.recover();
            node.refuse(false);
            adds.clear();
            dels.clear();
            wiredTurns.clear();
            daemon.close();
            boolean withoutJournal = random.nextInt(4) == 0;
            if (withoutJournal) {
                Files.delete(journal);
                restsUntil.clear();
            }
            daemon = start();
            return "killed and started again, journal lost: " + withoutJournal;
        }

        void verify(String when) {
            Map<AttachmentKey, IpAddress> leases = new HashMap<>();
            for (Leased lease : daemon.journal.state().leases()) {
                leases.put(lease.key(), lease.address());
            }
            assertThat(leases.values()).as(when).doesNotHaveDuplicates();
            kernel.forEach((key, link) -> {
                IpAddress address = IpAddress.ofBytes(link.addresses().getFirst().getAddress());
                assertThat(leases).as("%s: lease of %s", when, key).containsKey(key);
                assertThat(leases.get(key)).as(when).isEqualTo(address);
                assertThat(cloud.assigned(address)).as("%s: %s", when, address).isTrue();
            });
            StatusReport report = report();
            Set<String> inPool = new HashSet<>();
            report.leases().forEach(lease -> inPool.add(lease.address()));
            if (report.ready()) {
                assertThat(inPool)
                        .as("%s: pool and journal", when)
                        .containsExactlyInAnyOrderElementsOf(
                                leases.values().stream().map(IpAddress::toString).toList());
            }
            for (Turn.Add add : adds.values()) {
                if (add.answer().getNow(null) instanceof AddAnswer.Granted granted
                        && granted.leftover().isEmpty()
                        && !wiredTurns.contains(add)) {
                    IpAddress address = granted.lease().address();
                    assertThat(restsUntil.getOrDefault(address, 0L))
                            .as("%s: %s still rests", when, address)
                            .isLessThan(daemon.mailbox.nowNanos());
                }
            }
            assertThat(cloud.all()).as("%s: interfaces", when).hasSizeLessThanOrEqualTo(3);
        }

        private StatusReport report() {
            var asked = daemon.owner.report();
            daemon.run();
            return asked.join();
        }

        /** All pods go; nothing remains. */
        void end() throws IOException {
            cloud.recover();
            node.refuse(false);
            kill();
            for (AttachmentKey key : new ArrayList<>(inodes.keySet())) {
                Turn.Del del = daemon.del(key.containerId());
                if (del.answer().getNow(null) instanceof DelAnswer.Unwire) {
                    kernel.remove(key);
                    var _ = daemon.owner.released(del);
                    daemon.run();
                }
            }
            for (int i = 0; i < 40; i++) {
                daemon.advance(30, TimeUnit.SECONDS);
                daemon.calm();
            }
            assertThat(kernel).isEmpty();
            assertThat(daemon.journal.state().leases()).isEmpty();
            assertThat(cloud.all())
                    .as("nothing is left unattached")
                    .allMatch(one -> one.attachment().isPresent());
            assertThat(daemon.journal.state().unfinished()).isEmpty();
            Set<Cidr> assigned = new HashSet<>();
            cloud.all().stream().map(CloudInterface::blocks).forEach(assigned::addAll);
            Set<Cidr> routed = new HashSet<>();
            node.routed().values().forEach(routed::addAll);
            assertThat(routed).as("kernel and cloud agree").isEqualTo(assigned);
            daemon.close();
        }
    }
}
