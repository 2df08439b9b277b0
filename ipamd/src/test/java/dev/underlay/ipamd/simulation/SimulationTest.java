package dev.underlay.ipamd.simulation;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.nio.file.Path;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slf4j.LoggerFactory;

/** A fixed set of seeds; any number by {@code ./underlay simulate --seeds N}. */
final class SimulationTest {
    private static final long[] FAILED_ONCE = {402, 655, 20342, 22284, 22323};

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

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void whatever_fails_nothing_is_shared_lost_or_left_behind(long seed) {
        Simulation node = new Simulation(seed, folder);
        try {
            node.live(SimulationMain.STEPS);
        } catch (RuntimeException | AssertionError broken) {
            throw new AssertionError("seed " + seed + "\n" + node.schedule.history(), broken);
        }
    }

    static LongStream seeds() {
        return LongStream.concat(LongStream.rangeClosed(1, 100), LongStream.of(FAILED_ONCE));
    }
}
