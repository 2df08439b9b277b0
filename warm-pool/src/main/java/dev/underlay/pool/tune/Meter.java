package dev.underlay.pool.tune;

/** Adds up addresses over time, and the waits of pods, from a start on. */
final class Meter {
    private final long startNanos;
    private int held;
    private int used;
    private long asOf;
    private double heldNanos;
    private double idleNanos;
    private double waitedNanos;
    private long longestNanos;
    private long podsWaited;
    private long failedAdds;

    Meter(long startNanos) {
        this.startNanos = startNanos;
        asOf = startNanos;
    }

    void held(int more, long nowNanos) {
        advance(nowNanos);
        held += more;
    }

    void used(int more, long nowNanos) {
        advance(nowNanos);
        used += more;
    }

    private void advance(long nowNanos) {
        if (nowNanos > asOf) {
            heldNanos += (double) held * (nowNanos - asOf);
            idleNanos += (double) (held - used) * (nowNanos - asOf);
            asOf = nowNanos;
        }
    }

    /** A pod has waited so long, or does so still at the end. */
    void waited(long nanos) {
        waitedNanos += nanos;
        podsWaited += nanos > 0 ? 1 : 0;
        longestNanos = Math.max(longestNanos, nanos);
    }

    void addFailed(long nowNanos) {
        failedAdds += nowNanos >= startNanos ? 1 : 0;
    }

    Outcome outcome(Ec2 ec2, long podsWithoutAddress, long endNanos) {
        advance(endNanos);
        double length = endNanos - startNanos;
        return new Outcome(
                idleNanos / length,
                heldNanos / length,
                waitedNanos / Timeline.SECOND,
                podsWaited,
                longestNanos / (double) Timeline.SECOND,
                podsWithoutAddress,
                failedAdds,
                ec2.calls(),
                ec2.changes().rate(),
                ec2.reads().rate());
    }
}
