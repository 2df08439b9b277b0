package dev.underlay.localvpc;

import java.util.ArrayList;
import java.util.List;

/** Notes what should not have happened. Thread-safe. */
public final class Auditor {
    /** Later findings only repeat earlier ones by then. */
    private static final int MAX_FINDINGS = 1_000;

    private final List<String> findings = new ArrayList<>();

    /** Notes one thing. */
    public synchronized void note(String finding) {
        if (findings.size() < MAX_FINDINGS) {
            findings.add(finding);
        }
    }

    /** Everything that was noted. */
    public synchronized List<String> findings() {
        return List.copyOf(findings);
    }
}
