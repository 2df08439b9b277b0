package dev.underlay.ipamd.simulation;

import static dev.underlay.ipamd.simulation.DefectiveClasses.answers;
import static dev.underlay.ipamd.simulation.DefectiveClasses.calls;
import static dev.underlay.ipamd.simulation.DefectiveClasses.leavesOut;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.io.IOException;
import java.lang.classfile.ClassTransform;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;

/**
 * The simulation finds what it is there to find: each of these defects, made in the byte code of
 * the pool, the planner, the queue, the journal or the reconciliation, is caught by the fixed seeds
 * and named by the invariant that it breaks.
 */
final class PlantedDefectsTest {
    /** A mistake that somebody could make, and by what the simulation names it. */
    record Defect(String what, String type, ClassTransform change, Set<Invariant> namedBy) {
        @Override
        public String toString() {
            return what;
        }
    }

    private static Defect defect(
            String what, String type, ClassTransform change, Invariant... namedBy) {
        return new Defect(what, type, change, Set.of(namedBy));
    }

    static Stream<Defect> defects() {
        return Stream.of(
                defect(
                        "pool: an address does not rest",
                        "pool.AddressState",
                        answers("cools", false),
                        Invariant.COOLED_BEFORE_LEASED),
                defect(
                        "pool: an interface is leased from before its link is configured",
                        "pool.Inventory",
                        answers("open", true),
                        Invariant.ROUTED_BEFORE_LEASED),
                defect(
                        "pool: what is leased is not in use",
                        "pool.Block",
                        answers("inUse", false),
                        Invariant.NO_BUG),
                defect(
                        "planner: calls in flight are forgotten",
                        "pool.Flights",
                        answers("busy", false),
                        Invariant.CALLS_BOUNDED),
                defect(
                        "planner: interfaces on their way do not count",
                        "pool.Flights",
                        answers("creating", List.of()),
                        Invariant.CALLS_BOUNDED),
                defect(
                        "planner: blocks that pods use go back",
                        "pool.GiveBack",
                        answers("movable", true),
                        Invariant.NO_BUG),
                defect(
                        "queue: who came last is served first",
                        "pool.WaitQueue",
                        calls("poll", "pollLastEntry", "pollFirstEntry"),
                        Invariant.FIRST_COME),
                defect(
                        "queue: nobody's patience ends",
                        "pool.WaitQueue",
                        answers("expire", List.of()),
                        Invariant.NO_SPIN),
                defect(
                        "queue: who has gone keeps its place",
                        "pool.WaitQueue",
                        answers("cancel", Optional.empty()),
                        Invariant.FIRST_COME,
                        Invariant.CONVERGED,
                        Invariant.NOTHING_LEFT),
                defect(
                        "journal: a lease is not written before the pod has it",
                        "ipamd.owner.Ledger",
                        answers("intend", ""),
                        Invariant.LIVING_POD_HAS_LEASE),
                defect(
                        "journal: the file is not written",
                        "ipamd.journal.Journal",
                        leavesOut("append", "write"),
                        Invariant.COOLED_BEFORE_LEASED),
                defect(
                        "journal: who rests is forgotten at a restart",
                        "ipamd.journal.JournalState",
                        answers("cooling", List.of()),
                        Invariant.COOLED_BEFORE_LEASED),
                defect(
                        "reconciliation: a description that lags is believed",
                        "pool.Inventory",
                        answers("fresh", false),
                        Invariant.IN_USE_STAYS_ASSIGNED),
                defect(
                        "reconciliation: calls of the life before are forgotten",
                        "pool.Pool",
                        answers("restoreUnfinished", ""),
                        Invariant.IN_USE_STAYS_ASSIGNED),
                defect(
                        "reconciliation: living pods are not put into the pool",
                        "ipamd.owner.Placement",
                        answers("adopt", ""),
                        Invariant.POOL_AND_JOURNAL_AGREE),
                defect(
                        "routing: the pool hears of a block before it is routed",
                        "ipamd.owner.InterfaceKeeper",
                        answers("prepare", CompletableFuture.completedFuture(null)),
                        Invariant.ROUTED_BEFORE_LEASED),
                defect(
                        "cloud: who answers twice is heard twice",
                        "ipamd.owner.PoolOwner",
                        leavesOut("hearing", "getAndSet"),
                        Invariant.NO_BUG));
    }

    private static final Logger EVENTS = (Logger) LoggerFactory.getLogger("underlay");

    @BeforeAll
    static void say_nothing() {
        EVENTS.setLevel(Level.OFF);
    }

    @AfterAll
    static void speak_again() {
        EVENTS.setLevel(null);
    }

    @TempDir Path folder;

    @ParameterizedTest(name = "{0}")
    @MethodSource("defects")
    void each_is_caught_and_named(Defect defect) throws ReflectiveOperationException {
        DefectiveClasses classes = new DefectiveClasses(defect.type(), defect.change());
        Method live =
                classes.loadClass(PlantedDefectsTest.class.getName())
                        .getDeclaredMethod("live", long.class, Path.class);
        live.setAccessible(true);
        Set<String> caught = new TreeSet<>();
        long bySeed = 0;
        for (long seed : SimulationTest.seeds().toArray()) {
            String violated = (String) live.invoke(null, seed, folder);
            if (violated != null) {
                caught.add(violated);
                bySeed = seed;
                break;
            }
        }
        assertThat(classes.made()).as("%s is loaded", defect.type()).isTrue();
        assertThat(caught).as("by seed %s", bySeed).isSubsetOf(names(defect)).isNotEmpty();
    }

    private static List<String> names(Defect defect) {
        return defect.namedBy().stream().map(Enum::name).toList();
    }

    /** Called in the classes that have the defect: the name of what does not hold. */
    static @Nullable String live(long seed, Path folder) throws IOException {
        try {
            Path own = Files.createDirectory(folder.resolve("seed-" + seed));
            new Simulation(seed, own).live(SimulationMain.STEPS);
            return null;
        } catch (Violation violation) {
            return violation.invariant.name();
        }
    }
}
