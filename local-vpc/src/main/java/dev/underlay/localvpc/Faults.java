package dev.underlay.localvpc;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What goes wrong with which call. Calls are counted from the moment a fault is planned: the first
 * is the next one. Metadata requests count as the action {@value #METADATA}. Thread-safe.
 */
public final class Faults {
    /** The action of every metadata request. */
    public static final String METADATA = "Metadata";

    /** One call's misfortune. */
    public sealed interface Fault {
        /** An error answer; nothing is applied. */
        record Refuse(int status, String code, String message) implements Fault {}

        /** The connection closes; nothing is applied. */
        record DropBefore() implements Fault {}

        /** The call is applied, then the connection closes: the lost answer. */
        record DropAfter() implements Fault {}

        /** The call is applied and the answer's body ends in the middle. */
        record Truncate() implements Fault {}

        /** A 500 with an HTML page, as a broken front end sends; nothing is applied. */
        record Html500() implements Fault {}

        /** No answer, and the connection stays open; nothing is applied. */
        record Stall() implements Fault {}
    }

    private final Map<String, TreeMap<Integer, Fault>> planned = new HashMap<>();
    private final Map<String, Fault> always = new HashMap<>();

    /** The next call of the action meets the fault. */
    public void next(String action, Fault fault) {
        nth(action, 1, fault);
    }

    /** The n-th call of the action from here on meets the fault; the first is 1. */
    public synchronized void nth(String action, int n, Fault fault) {
        if (n < 1) {
            throw new IllegalArgumentException("calls are counted from 1, not " + n);
        }
        planned.computeIfAbsent(action, _ -> new TreeMap<>()).put(n, fault);
    }

    /** Every call of the action meets the fault, until {@link #clear}. */
    public synchronized void always(String action, Fault fault) {
        always.put(action, fault);
    }

    /** Nothing goes wrong from here on. */
    public synchronized void clear() {
        planned.clear();
        always.clear();
    }

    /** Counts a call of the action and says what it meets. */
    public synchronized Optional<Fault> take(String action) {
        TreeMap<Integer, Fault> plan = planned.remove(action);
        Fault fault = always.get(action);
        if (plan != null) {
            TreeMap<Integer, Fault> rest = new TreeMap<>();
            plan.forEach((n, later) -> rest.put(n - 1, later));
            Fault due = rest.remove(0);
            if (!rest.isEmpty()) {
                planned.put(action, rest);
            }
            fault = due == null ? fault : due;
        }
        return Optional.ofNullable(fault);
    }
}
