package dev.underlay.lab;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** What a chaos run counts, over all its nodes. What pods' threads count is safe for threads. */
final class ChaosTally {
    final AtomicLong adds = new AtomicLong();
    final AtomicLong addsKilled = new AtomicLong();
    final Map<Integer, Long> addsRefused = new ConcurrentSkipListMap<>();
    final AtomicLong dels = new AtomicLong();
    final AtomicLong delsWhileDown = new AtomicLong();
    final AtomicLong delsKilled = new AtomicLong();
    final AtomicLong delsRepeated = new AtomicLong();
    final AtomicLong pingsSent = new AtomicLong();
    final AtomicLong pingsLost = new AtomicLong();

    final List<Long> recoveryMillis = new ArrayList<>();
    long slowestDelMillis;
    int killed;
    int killedWhileStarting;
    int agreements;
    long interfacesMade;

    ChaosReport report(long seed, long tookNanos, String broken, String log) {
        List<Long> recoveries = recoveryMillis.stream().sorted().toList();
        return new ChaosReport(
                seed,
                killed,
                killedWhileStarting,
                adds.get(),
                addsKilled.get(),
                new TreeMap<>(addsRefused),
                dels.get(),
                delsWhileDown.get(),
                delsKilled.get(),
                delsRepeated.get(),
                agreements,
                pingsSent.get(),
                pingsLost.get(),
                recoveries.isEmpty() ? 0 : recoveries.get(recoveries.size() / 2),
                recoveries.isEmpty() ? 0 : recoveries.getLast(),
                slowestDelMillis,
                interfacesMade,
                TimeUnit.NANOSECONDS.toSeconds(tookNanos),
                broken,
                log);
    }
}
