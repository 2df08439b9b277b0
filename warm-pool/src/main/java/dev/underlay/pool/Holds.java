package dev.underlay.pool;

import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/** The refusals that wait, by what they are held against. */
final class Holds {
    private final TreeMap<String, Hold> bySubject = new TreeMap<>();

    void refused(String subject, Refusal refusal, String message, long nowNanos) {
        Hold last = bySubject.get(subject);
        int failures = last == null ? 1 : last.failures() + 1;
        long until = nowNanos + Timing.backoffNanos(refusal, failures);
        bySubject.put(subject, new Hold(subject, refusal, message, failures, until));
    }

    /** The cloud has been away and is back: what it could not hear is tried again at once. */
    void back(long nowNanos) {
        bySubject.replaceAll((_, hold) ->
                hold.away() && hold.untilNanos() > nowNanos
                        ? new Hold(
                                hold.subject(),
                                hold.refusal(),
                                hold.message(),
                                hold.failures(),
                                nowNanos)
                        : hold);
    }

    /** A success wipes the slate. */
    void clear(String subject) {
        bySubject.remove(subject);
    }

    /** The last refusal of a subject, also one that holds nothing back any more. */
    Optional<Hold> of(String subject) {
        return Optional.ofNullable(bySubject.get(subject));
    }

    /** What holds a subject at an instant. */
    Optional<Hold> on(String subject, long nowNanos) {
        return of(subject).filter(hold -> hold.untilNanos() > nowNanos);
    }

    List<Hold> all() {
        return List.copyOf(bySubject.values());
    }
}
