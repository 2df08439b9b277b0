package dev.underlay.lab;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a chaos run saw.
 *
 * @param seed of its random choices
 * @param kills how often the daemon was killed
 * @param killsWhileStarting how many of them before it had served anything
 * @param adds ADDs that succeeded
 * @param addsKilled ADDs whose launcher was killed
 * @param addsRefused ADDs that failed, by CNI error code; 11 means that nobody served
 * @param dels DELs that succeeded
 * @param delsWhileDown how many of them began while no daemon ran
 * @param delsKilled DELs whose launcher was killed
 * @param delsRepeated DELs that failed and were sent again
 * @param agreements how often journal, kernel and VPC were compared and agreed
 * @param pingsSent echo requests to and from living pods
 * @param pingsLost those that were not answered
 * @param medianRecoveryMillis from the start of a daemon's process to its first answered ADD
 * @param slowestRecoveryMillis the longest of these
 * @param slowestDelMillis from the start of a daemon's process to its first answered DEL, which is
 *     sent after that ADD; the longest
 * @param interfacesMade CreateNetworkInterface calls
 * @param seconds how long it all took
 * @param broken the first invariant that did not hold; empty when all held
 * @param log the daemon's last words then
 */
record ChaosReport(
        long seed,
        int kills,
        int killsWhileStarting,
        long adds,
        long addsKilled,
        Map<Integer, Long> addsRefused,
        long dels,
        long delsWhileDown,
        long delsKilled,
        long delsRepeated,
        int agreements,
        long pingsSent,
        long pingsLost,
        long medianRecoveryMillis,
        long slowestRecoveryMillis,
        long slowestDelMillis,
        long interfacesMade,
        long seconds,
        String broken,
        String log) {
    @JsonProperty
    boolean ok() {
        return broken.isEmpty();
    }

    /** For people. */
    String text() {
        String refused =
                addsRefused.entrySet().stream()
                        .map(e -> e.getValue() + " with code " + e.getKey())
                        .collect(Collectors.joining(", "));
        String figures =
                """
                %d kills (%d while it started) in %d s, seed %d
                ADDs   %d served, %d killed, refused: %s
                DELs   %d served, %d of them while no daemon ran, %d killed, %d repeated
                pings  %d sent, %d lost
                back   ADD served %d ms after a start at the median, %d ms at most; DEL %d ms at most
                state  journal, kernel and VPC agreed %d times; %d interfaces made\
                """
                        .formatted(
                                kills,
                                killsWhileStarting,
                                seconds,
                                seed,
                                adds,
                                addsKilled,
                                refused.isEmpty() ? "none" : refused,
                                dels,
                                delsWhileDown,
                                delsKilled,
                                delsRepeated,
                                pingsSent,
                                pingsLost,
                                medianRecoveryMillis,
                                slowestRecoveryMillis,
                                slowestDelMillis,
                                agreements,
                                interfacesMade);
        return ok()
                ? figures + "\neverything held"
                : "%s%nBROKEN: %s%nthe daemon's last words:%n%s%nrepeat with --seed %d"
                        .formatted(figures, broken, log, seed);
    }
}
