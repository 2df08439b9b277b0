package dev.underlay.localvpc;

import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How slow, how stale and how broken a local VPC is. All dials can be turned while it runs, from
 * any thread; each takes effect with the next call or state change. As made, nothing is slow or
 * broken.
 */
public final class Dials {
    /** How an endpoint meets its callers. */
    public enum Reach {
        /** Answers. */
        UP,
        /** Closes every connection without an answer. */
        RESET,
        /** Takes the request and never answers. */
        SILENT
    }

    /** Which of its codes EC2 uses for a full subnet; all three have been seen in the field. */
    public enum FullSubnet {
        /** InsufficientFreeAddressesInSubnet; InsufficientCidrBlocks for prefixes. */
        OWN_CODE,
        /** InvalidParameterValue with a text about sufficient free addresses or prefixes. */
        PARAMETER_VALUE
    }

    /** Which code refuses to delete an interface that is in use; both have been seen. */
    public enum DeleteInUse {
        /** InvalidParameterValue, "is currently in use". */
        PARAMETER_VALUE,
        /** InvalidNetworkInterface.InUse. */
        IN_USE
    }

    /** How the metadata service treats requests without a token. */
    public enum MetadataTokens {
        /** 401. */
        REQUIRED,
        /** Answered, as IMDSv1 did. */
        OPTIONAL,
        /** Everything is 403: the service is off for the instance. */
        OFF
    }

    /**
     * Token buckets per action.
     *
     * @param mutatingBurst calls at once that change something
     * @param mutatingPerSecond refill
     * @param readingBurst calls at once that describe
     * @param readingPerSecond refill
     */
    public record Throttle(
            int mutatingBurst, int mutatingPerSecond, int readingBurst, int readingPerSecond) {
        /** No limit. */
        public static final Throttle NONE = new Throttle(Integer.MAX_VALUE, 0, 0, 0);

        /** What AWS staff named for EC2: 50 and 5 a second, 100 and 20 a second. */
        public static final Throttle EC2 = new Throttle(50, 5, 100, 20);
    }

    private final Map<Lag, Duration> lags = new ConcurrentHashMap<>();
    private final Map<String, Duration> callLatencies = new ConcurrentHashMap<>();
    private final Set<Lag> pinned = ConcurrentHashMap.newKeySet();
    private final Set<String> denied = ConcurrentHashMap.newKeySet();
    private final Set<String> exhausted = ConcurrentHashMap.newKeySet();
    private final Faults faults = new Faults();
    private volatile LatencyProfile profile = LatencyProfile.NONE;
    private volatile Reach ec2 = Reach.UP;
    private volatile Reach metadata = Reach.UP;
    private volatile Throttle throttle = Throttle.NONE;
    private volatile FullSubnet fullSubnet = FullSubnet.OWN_CODE;
    private volatile DeleteInUse deleteInUse = DeleteInUse.PARAMETER_VALUE;
    private volatile MetadataTokens metadataTokens = MetadataTokens.REQUIRED;
    private volatile boolean lowestAddressFirst;
    private volatile boolean assignListsAll;

    /** Sets all call latencies and lags at once; single ones can be set afterwards. */
    public void latency(LatencyProfile to) {
        profile = to;
        callLatencies.clear();
        lags.clear();
        lags.putAll(to.lags());
    }

    /** Sets how long one action takes before it is answered. */
    public void callLatency(String action, Duration to) {
        callLatencies.put(action, to);
    }

    /** How long a call of the action takes before it is answered. */
    public Duration callLatency(String action) {
        return callLatencies.getOrDefault(action, profile.call(action));
    }

    /** Sets one lag. */
    public void lag(Lag lag, Duration to) {
        lags.put(lag, to);
    }

    /** One lag's value. */
    public Duration lag(Lag lag) {
        return lags.getOrDefault(lag, Duration.ZERO);
    }

    /** Holds state changes back for ever, until {@link #unpin}: an interface that is stuck. */
    public void pin(Lag edge) {
        if (!EnumSet.of(Lag.PENDING, Lag.ATTACH, Lag.DEVICE, Lag.DETACH).contains(edge)) {
            throw new IllegalArgumentException(edge + " is no state change: set its duration");
        }
        pinned.add(edge);
    }

    /** Lets the state changes that were held back happen. */
    public void unpin(Lag edge) {
        pinned.remove(edge);
    }

    /** Whether state changes of the kind are held back. */
    public boolean isPinned(Lag edge) {
        return pinned.contains(edge);
    }

    /** Takes away the permission to call these actions: UnauthorizedOperation, 403. */
    public void deny(String... actions) {
        denied.addAll(List.of(actions));
    }

    /** Gives the permission back. */
    public void allow(String... actions) {
        denied.removeAll(List.of(actions));
    }

    /** Whether the action may not be called. */
    public boolean isDenied(String action) {
        return denied.contains(action);
    }

    /** Makes the subnet say that it is full, whatever it holds. */
    public void exhaust(String subnetId) {
        exhausted.add(subnetId);
    }

    /** Ends {@link #exhaust}. */
    public void replenish(String subnetId) {
        exhausted.remove(subnetId);
    }

    /** Whether the subnet was told to be full. */
    public boolean isExhausted(String subnetId) {
        return exhausted.contains(subnetId);
    }

    /** Cuts EC2 off, or brings it back. */
    public void ec2(Reach to) {
        ec2 = to;
    }

    /** How EC2 meets its callers. */
    public Reach ec2() {
        return ec2;
    }

    /** Cuts the metadata service off, or brings it back. */
    public void metadata(Reach to) {
        metadata = to;
    }

    /** How the metadata service meets its callers. */
    public Reach metadata() {
        return metadata;
    }

    /** Sets the token buckets; they start full. */
    public void throttle(Throttle to) {
        throttle = to;
    }

    /** The token buckets' size. */
    public Throttle throttle() {
        return throttle;
    }

    /** Sets the code of a full subnet. */
    public void fullSubnet(FullSubnet to) {
        fullSubnet = to;
    }

    /** The code of a full subnet. */
    public FullSubnet fullSubnet() {
        return fullSubnet;
    }

    /** Sets the code that refuses to delete what is in use. */
    public void deleteInUse(DeleteInUse to) {
        deleteInUse = to;
    }

    /** The code that refuses to delete what is in use. */
    public DeleteInUse deleteInUse() {
        return deleteInUse;
    }

    /** Sets whether the metadata service wants tokens. */
    public void metadataTokens(MetadataTokens to) {
        metadataTokens = to;
    }

    /** Whether the metadata service wants tokens. */
    public MetadataTokens metadataTokens() {
        return metadataTokens;
    }

    /** Gives out the lowest free address instead of a random one. */
    public void lowestAddressFirst(boolean to) {
        lowestAddressFirst = to;
    }

    /** Whether the lowest free address is given out. */
    public boolean lowestAddressFirst() {
        return lowestAddressFirst;
    }

    /** Lets the answer of an Assign list everything the interface has, not only what is new. */
    public void assignListsAll(boolean to) {
        assignListsAll = to;
    }

    /** Whether the answer of an Assign lists everything. */
    public boolean assignListsAll() {
        return assignListsAll;
    }

    /** What goes wrong with which call. */
    public Faults faults() {
        return faults;
    }
}
