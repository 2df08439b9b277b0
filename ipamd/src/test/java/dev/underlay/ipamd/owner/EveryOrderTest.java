package dev.underlay.ipamd.owner;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import dev.underlay.cni.wiring.PodLink;
import dev.underlay.ipamd.journal.JournalRecord.Leased;
import dev.underlay.pool.AttachmentKey;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.PoolSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;

/**
 * Every order, up to a number of steps, in which sandboxes of one pod are added, wired, given up,
 * deleted and lost, the cloud answers, addresses cool and the daemon is killed; on a node with one
 * address, so that they meet. Orders that lead to the same state are followed once. From each state
 * everything must end without a rest, and the next sandbox must get an address.
 */
final class EveryOrderTest {
    private static final PoolSettings ONE_ADDRESS = PoolSettings.defaults().withMaxPods(1);
    private static final Logger EVENTS = (Logger) LoggerFactory.getLogger("underlay");

    private enum Verb {
        ADD,
        ADD_GOES_ON,
        GIVE_UP,
        DEL,
        DEL_GOES_ON,
        NAMESPACE_GONE,
        CLOUD_ANSWERS,
        COOLED,
        KILL
    }

    private record Step(Verb verb, String sandbox) {}

    @TempDir Path folder;
    private int worlds;

    @BeforeAll
    static void say_nothing() {
        EVENTS.setLevel(Level.OFF);
    }

    @AfterAll
    static void speak_again() {
        EVENTS.setLevel(null);
    }

    @ParameterizedTest(name = "{0}, {1} steps")
    @CsvSource({"a, 9", "ab, 6"})
    void whatever_the_order_nothing_is_shared_or_left(String sandboxes, int depth)
            throws IOException {
        List<Step> alphabet = alphabet(sandboxes);
        Deque<List<Step>> open = new ArrayDeque<>();
        Set<String> seen = new HashSet<>();
        open.add(List.of());
        int orders = 0;
        while (!open.isEmpty()) {
            List<Step> path = open.remove();
            for (Step step : alphabet) {
                List<Step> longer = new ArrayList<>(path);
                longer.add(step);
                try (World world = new World(folder.resolve("w" + worlds++))) {
                    if (!world.follow(longer)) {
                        continue; // the last step is not possible here
                    }
                    orders++;
                    if (seen.add(world.state())) {
                        if (longer.size() < depth) {
                            open.add(longer);
                        }
                        world.end();
                    }
                } catch (AssertionError | RuntimeException e) {
                    throw new AssertionError("after " + longer, e);
                }
            }
        }
        assertThat(orders).as("%s states", seen.size()).isGreaterThan(1000);
    }

    private static List<Step> alphabet(String sandboxes) {
        List<Step> all = new ArrayList<>();
        for (Verb verb : Verb.values()) {
            switch (verb) {
                case CLOUD_ANSWERS, COOLED, KILL -> all.add(new Step(verb, ""));
                case ADD, ADD_GOES_ON, GIVE_UP, DEL, DEL_GOES_ON, NAMESPACE_GONE ->
                        sandboxes
                                .chars()
                                .forEach(c -> all.add(new Step(verb, Character.toString(c))));
            }
        }
        return all;
    }

    /** A node with its daemon, as in {@link OwnerHarness}; nothing happens by itself. */
    private static final class World implements AutoCloseable {
        private final Path folder;
        private final FakeCloud cloud = new FakeCloud();
        private final FakeNode node = new FakeNode();
        private final Map<String, Turn.Add> adds = new TreeMap<>();
        private final Map<String, Turn.Del> dels = new TreeMap<>();
        private final Map<String, PodLink> kernel = new TreeMap<>();
        private final Map<IpAddress, Long> restsUntil = new HashMap<>();
        private OwnerHarness daemon;
        private int lives;
        private int links = 10;

        World(Path folder) throws IOException {
            this.folder = Files.createDirectory(folder);
            daemon = start(null);
            daemon.calm();
        }

        private OwnerHarness start(@Nullable OwnerHarness before) throws IOException {
            OwnerHarness next =
                    new OwnerHarness(folder.resolve("journal"), cloud, node, ONE_ADDRESS, lives++);
            if (before != null) {
                next.mailbox.advance(before.mailbox.nowNanos() - next.mailbox.nowNanos());
            }
            next.recover(List.copyOf(kernel.values()));
            next.owner.identified(FakeCloud.NODE);
            next.run();
            return next;
        }

        /** False when the last step is not possible. */
        boolean follow(List<Step> path) throws IOException {
            boolean possible = true;
            for (Step step : path) {
                possible = take(step.verb(), step.sandbox());
                verify();
            }
            return possible;
        }

        private boolean take(Verb verb, String sandbox) throws IOException {
            Turn.@Nullable Add add = adds.get(sandbox);
            Turn.@Nullable Del del = dels.get(sandbox);
            return switch (verb) {
                case ADD -> add == null && adds.put(sandbox, daemon.add(sandbox)) == null;
                case ADD_GOES_ON -> add != null && goOn(sandbox, add);
                case GIVE_UP -> add != null && giveUp(sandbox, add);
                case DEL -> del == null && dels.put(sandbox, daemon.del(sandbox)) == null;
                case DEL_GOES_ON -> del != null && goOn(sandbox, del);
                case NAMESPACE_GONE -> add == null && del == null && vanish(sandbox);
                case CLOUD_ANSWERS -> {
                    boolean some = cloud.answerOne();
                    daemon.run();
                    yield some;
                }
                case COOLED -> {
                    daemon.advance(31, TimeUnit.SECONDS);
                    yield true;
                }
                case KILL -> {
                    kill();
                    yield true;
                }
            };
        }

        private boolean goOn(String sandbox, Turn.Add add) {
            AddAnswer answer = add.answer().getNow(null);
            if (answer == null) {
                return false;
            }
            if (!(answer instanceof AddAnswer.Granted granted)) {
                adds.remove(sandbox);
                return true;
            }
            IpAddress address = granted.lease().addresses().getFirst();
            PodLink link = kernel.get(sandbox);
            if (link != null && granted.leftover().filter(link::equals).isPresent()) {
                kernel.remove(sandbox);
                link = null;
            }
            if (link == null) {
                kernel.put(sandbox, OwnerHarness.link(add.sandbox(), address, links++));
                return true;
            }
            adds.remove(sandbox);
            assertThat(daemon.owner.wired(add, "{}", link)).satisfies(_ -> daemon.run());
            return true;
        }

        private boolean giveUp(String sandbox, Turn.Add add) {
            boolean linked =
                    add.answer().getNow(null) instanceof AddAnswer.Granted && unlink(sandbox);
            var _ = daemon.owner.abandon(add, linked);
            adds.remove(sandbox);
            daemon.run();
            return true;
        }

        private boolean goOn(String sandbox, Turn.Del del) {
            DelAnswer answer = del.answer().getNow(null);
            if (answer == null) {
                return false;
            }
            if (answer instanceof DelAnswer.Unwire) {
                if (unlink(sandbox)) {
                    return true;
                }
                var _ = daemon.owner.released(del);
            }
            dels.remove(sandbox);
            daemon.run();
            return true;
        }

        private boolean unlink(String sandbox) {
            PodLink gone = kernel.remove(sandbox);
            if (gone != null) {
                restsUntil.put(
                        address(gone), daemon.mailbox.nowNanos() + ONE_ADDRESS.cooldownNanos());
            }
            return gone != null;
        }

        private boolean vanish(String sandbox) {
            PodLink link = kernel.get(sandbox);
            if (link == null) {
                return false;
            }
            unlink(sandbox);
            daemon.owner.linkGone(link.index());
            daemon.run();
            return true;
        }

        private void kill() throws IOException {
            daemon.mailbox.forget();
            cloud.loseAnswers();
            adds.clear();
            dels.clear();
            daemon.close();
            daemon = start(daemon);
        }

        private static IpAddress address(PodLink link) {
            return IpAddress.ofBytes(link.addresses().getFirst().getAddress());
        }

        private void verify() {
            Map<AttachmentKey, IpAddress> leases = new HashMap<>();
            for (Leased lease : daemon.journal.state().leases()) {
                leases.put(lease.key(), lease.addresses().getFirst());
            }
            assertThat(leases.values()).doesNotHaveDuplicates();
            Set<IpAddress> used = new HashSet<>();
            kernel.forEach((sandbox, link) -> {
                assertThat(used.add(address(link))).as("%s alone", address(link)).isTrue();
                assertThat(cloud.assigned(address(link))).isTrue();
                assertThat(leases.get(OwnerHarness.key(sandbox))).isEqualTo(address(link));
            });
            adds.forEach((sandbox, add) -> {
                if (add.answer().getNow(null) instanceof AddAnswer.Granted granted
                        && granted.leftover().isEmpty()
                        && !kernel.containsKey(sandbox)) {
                    assertThat(restsUntil.getOrDefault(granted.lease().addresses().getFirst(), 0L))
                            .as("rest of %s", granted.lease().addresses().getFirst())
                            .isLessThan(daemon.mailbox.nowNanos());
                }
            });
        }

        /** What decides what can happen from here, without how much time has passed. */
        String state() {
            long now = daemon.mailbox.nowNanos();
            StringBuilder state = new StringBuilder();
            adds.forEach((sandbox, add) -> state.append(sandbox).append(kind(add.answer())));
            dels.forEach((sandbox, del) -> state.append(sandbox).append(kind(del.answer())));
            kernel.forEach((sandbox, link) -> state.append(sandbox).append(address(link)));
            daemon.journal
                    .state()
                    .leases()
                    .forEach(lease ->
                            state.append(lease.key().containerId())
                                    .append(lease.addresses())
                                    .append(daemon.journal.state().result(lease.key())));
            daemon.journal.state().cooling().stream()
                    .filter(rest -> rest.coolUntilNanos() > now)
                    .forEach(rest -> state.append(rest.addresses()));
            cloud.all().forEach(one -> state.append(one.id()).append(one.blocks()));
            var report = daemon.owner.report();
            daemon.run();
            StatusReport said = report.join();
            return state.append(said.slots())
                    .append(said.waiting())
                    .append(said.inFlight())
                    .append(said.outlook())
                    .toString();
        }

        private static String kind(CompletableFuture<?> answer) {
            Object now = answer.getNow(null);
            return now == null ? "?" : now.getClass().getSimpleName();
        }

        /** The daemon is killed once more, all sandboxes are deleted, and the next one comes. */
        void end() throws IOException {
            kill();
            daemon.calm();
            for (String sandbox : List.of("a", "b")) {
                Turn.Del del = daemon.del(sandbox);
                if (del.answer().getNow(null) instanceof DelAnswer.Unwire) {
                    unlink(sandbox);
                    var _ = daemon.owner.released(del);
                    daemon.run();
                }
            }
            assertThat(kernel).isEmpty();
            assertThat(daemon.journal.state().leases()).isEmpty();
            for (int i = 0; i < 3; i++) {
                daemon.advance(31, TimeUnit.SECONDS);
                daemon.calm();
            }
            Turn.Add next = daemon.add("next");
            daemon.calm();
            assertThat(next.answer().getNow(null))
                    .as("the next sandbox")
                    .isInstanceOf(AddAnswer.Granted.class);
            verify();
        }

        @Override
        public void close() throws IOException {
            daemon.close();
            try (var files = Files.list(folder)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(folder);
        }
    }
}
