package dev.underlay.lab;

import java.util.function.Supplier;

/** The first thing that did not hold, with the daemon's words at that moment. Thread-safe. */
final class Verdict {
    private final Supplier<String> log;
    private String broken = "";
    private String logThen = "";

    Verdict(Supplier<String> log) {
        this.log = log;
    }

    /** Notes that something did not hold; only the first time counts. */
    synchronized void broken(String what) {
        if (broken.isEmpty()) {
            broken = what;
            logThen = log.get();
        }
    }

    synchronized boolean isBroken() {
        return !broken.isEmpty();
    }

    synchronized String broken() {
        return broken;
    }

    synchronized String logThen() {
        return logThen;
    }
}
