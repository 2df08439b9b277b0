package dev.underlay.localvpc.ec2;

import dev.underlay.localvpc.Dials.Throttle;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/** One token bucket per action, as EC2 keeps per account and region. Thread-safe. */
final class TokenBuckets {
    private record Bucket(double tokens, Instant at) {}

    private final Map<String, Bucket> buckets = new HashMap<>();
    private Throttle size = Throttle.NONE;

    /** Takes a token of the action's bucket; false if there is none. Another size fills all. */
    synchronized boolean take(String action, Throttle throttle, Instant now) {
        if (!throttle.equals(size)) {
            size = throttle;
            buckets.clear();
        }
        if (throttle.equals(Throttle.NONE)) {
            return true;
        }
        boolean reads = action.startsWith("Describe");
        int burst = reads ? throttle.readingBurst() : throttle.mutatingBurst();
        int perSecond = reads ? throttle.readingPerSecond() : throttle.mutatingPerSecond();
        Bucket bucket = buckets.getOrDefault(action, new Bucket(burst, now));
        double seconds = Duration.between(bucket.at, now).toNanos() / 1e9;
        double tokens = Math.min(burst, bucket.tokens + seconds * perSecond);
        boolean granted = tokens >= 1;
        buckets.put(action, new Bucket(granted ? tokens - 1 : tokens, now));
        return granted;
    }
}
