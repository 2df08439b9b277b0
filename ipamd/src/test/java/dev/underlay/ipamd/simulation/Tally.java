package dev.underlay.ipamd.simulation;

import java.util.EnumMap;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Counts what a run did, and checks. */
final class Tally {
    long steps;
    long calls;
    long pods;
    long restarts;

    /** The first invariant that did not hold. */
    @Nullable Violation broken;

    final Map<Fault, Long> faults = new EnumMap<>(Fault.class);
    final Map<Invariant, Long> checks = new EnumMap<>(Invariant.class);

    void fault(Fault injected) {
        faults.merge(injected, 1L, Long::sum);
    }

    void check(Invariant invariant, boolean holds, Supplier<String> otherwise) {
        checks.merge(invariant, 1L, Long::sum);
        if (!holds) {
            Violation violation = new Violation(invariant, otherwise.get());
            if (broken == null) {
                broken = violation; // a future may swallow what is thrown
            }
            throw violation;
        }
    }

    void add(Tally other) {
        steps += other.steps;
        calls += other.calls;
        pods += other.pods;
        restarts += other.restarts;
        other.faults.forEach((fault, count) -> faults.merge(fault, count, Long::sum));
        other.checks.forEach((invariant, count) -> checks.merge(invariant, count, Long::sum));
    }
}
