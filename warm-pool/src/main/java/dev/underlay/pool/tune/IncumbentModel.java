package dev.underlay.pool.tune;

import dev.underlay.pool.NodeIdentity;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.DoubleSupplier;

/**
 * What the AWS VPC CNI 1.23.1 decides with secondary addresses: its store of interfaces and
 * addresses, when it finds the pool too low or too high, and what it does then ({@code
 * pkg/ipamd/ipamd.go} and {@code pkg/ipamd/datastore/data_store.go} of aws/amazon-vpc-cni-k8s).
 * When it looks, and how long its calls take, is {@link IncumbentNode}'s matter.
 */
public final class IncumbentModel {
    /** How long a released address is not given to another pod; 30 s sharp still counts. */
    static final long COOLDOWN_NANOS = 30 * Timeline.SECOND;

    /** How old an interface must be to be freed. */
    static final long LEAST_LIFE_NANOS = 60 * Timeline.SECOND;

    private static final long NEVER = Long.MIN_VALUE / 2;

    /**
     * Its settings; 0 of an address target is unset.
     *
     * @param warmEni WARM_ENI_TARGET
     * @param warmIp WARM_IP_TARGET
     * @param minimumIp MINIMUM_IP_TARGET
     * @param maxEni MAX_ENI; below 1 the type's limit holds
     * @param maxPods the node's pod capacity
     */
    public record Settings(int warmEni, int warmIp, int minimumIp, int maxEni, int maxPods) {
        /**
         * What holds when nothing is set: one warm interface, and as many pods as a type's
         * addresses allow with the two on the host's network.
         */
        public static Settings defaults(NodeIdentity.Limits limits) {
            int pods = limits.interfaces() * (limits.addressesPerInterface() - 1) + 2;
            return new Settings(1, 0, 0, 0, pods);
        }

        private boolean addressTargets() {
            return warmIp > 0 || minimumIp > 0;
        }
    }

    /** The one thing that it does in a round to have more. */
    sealed interface Growth {
        /** Assign addresses to an interface that has room. */
        record Assign(int eni, int addresses) implements Growth {}

        /** Make and attach an interface with so many addresses. */
        record NewEni(int addresses) implements Growth {}
    }

    private static final class Address {
        boolean assigned;
        long releasedAt = NEVER;

        boolean cooling(long nowNanos) {
            return !assigned && nowNanos - releasedAt <= COOLDOWN_NANOS;
        }
    }

    private static final class Eni {
        final int number;
        final long createdAt;
        final List<Address> addresses = new ArrayList<>();

        Eni(int number, long createdAt) {
            this.number = number;
            this.createdAt = createdAt;
        }

        long assigned() {
            return addresses.stream().filter(address -> address.assigned).count();
        }
    }

    private final Settings settings;
    private final int perEni;
    private final int mostEnis;
    private final List<Eni> enis = new ArrayList<>();
    private final TreeMap<Integer, Address> pods = new TreeMap<>();
    private int total;
    private int enisEver;

    /** A node with its primary interface, which holds no address for pods. */
    IncumbentModel(NodeIdentity.Limits limits, Settings settings) {
        this.settings = settings;
        this.perEni = limits.addressesPerInterface() - 1;
        this.mostEnis =
                settings.maxEni() >= 1
                        ? Math.min(settings.maxEni(), limits.interfaces())
                        : limits.interfaces();
        enis.add(new Eni(enisEver++, NEVER));
    }

    int enis() {
        return enis.size();
    }

    int total() {
        return total;
    }

    /** Cooling ones too. */
    int available() {
        return total - pods.size();
    }

    /** How many addresses each interface has. */
    List<Integer> perEni() {
        return enis.stream().map(eni -> eni.addresses.size()).toList();
    }

    /** How many addresses the targets miss. */
    int missing() {
        return Math.max(0, Math.max(settings.warmIp() - available(), settings.minimumIp() - total));
    }

    /** How many addresses are beyond the targets. */
    int over() {
        int beyondWarm = Math.max(0, available() - settings.warmIp());
        return Math.max(0, Math.min(beyondWarm, total - settings.minimumIp()));
    }

    /** Whether the pool is too low. */
    boolean low() {
        if (total >= settings.maxPods()) {
            return false;
        }
        if (settings.addressTargets()) {
            return missing() > 0;
        }
        return available() < settings.warmEni() * perEni
                || (settings.warmEni() == 0 && available() == 0);
    }

    /** What a pool that is too low gets; nothing when every interface is there and full. */
    Optional<Growth> growth() {
        int want = settings.addressTargets() ? missing() : perEni;
        for (Eni eni : enis) {
            int room = perEni - eni.addresses.size();
            if (room > 0) {
                return Optional.of(new Growth.Assign(eni.number, Math.min(room, want)));
            }
        }
        return enis.size() < mostEnis
                ? Optional.of(new Growth.NewEni(Math.min(want, perEni)))
                : Optional.empty();
    }

    /** EC2 has assigned addresses. */
    void assigned(int eni, int addresses) {
        Eni grown = enis.stream().filter(one -> one.number == eni).findFirst().orElseThrow();
        fill(grown, addresses);
    }

    /** A new interface is set up. */
    void attached(int addresses, long nowNanos) {
        Eni eni = new Eni(enisEver++, nowNanos);
        enis.add(eni);
        fill(eni, addresses);
    }

    private void fill(Eni eni, int addresses) {
        for (int i = 0; i < addresses; i++) {
            eni.addresses.add(new Address());
        }
        total += addresses;
    }

    /**
     * Takes unassigned addresses beyond the targets out of the store, cooling ones too.
     *
     * @return how many of each interface; none without an address target
     */
    List<Integer> shrink() {
        List<Integer> taken = new ArrayList<>();
        int left = settings.addressTargets() ? over() : 0;
        for (Eni eni : enis) {
            int before = eni.addresses.size();
            int most = left;
            List<Address> leaving =
                    eni.addresses.stream().filter(a -> !a.assigned).limit(most).toList();
            eni.addresses.removeAll(leaving);
            left -= leaving.size();
            total -= leaving.size();
            if (before > eni.addresses.size()) {
                taken.add(leaving.size());
            }
        }
        return taken;
    }

    /**
     * Takes an interface that is not needed out of the store: never the primary one, a young one,
     * or one with a pod or a cooling address.
     *
     * @return how many addresses it had
     */
    Optional<Integer> free(long nowNanos) {
        boolean tooHigh = available() >= (settings.warmEni() + 1) * perEni;
        if (!settings.addressTargets() && !tooHigh) {
            return Optional.empty();
        }
        Optional<Eni> leaving =
                enis.stream().skip(1).filter(eni -> deletable(eni, nowNanos)).findFirst();
        leaving.ifPresent(eni -> {
            enis.remove(eni);
            total -= eni.addresses.size();
        });
        return leaving.map(eni -> eni.addresses.size());
    }

    private boolean deletable(Eni eni, long nowNanos) {
        boolean old = nowNanos - eni.createdAt > LEAST_LIFE_NANOS;
        boolean idle = eni.addresses.stream().noneMatch(a -> a.assigned || a.cooling(nowNanos));
        int others = total - eni.addresses.size();
        boolean spare = others - pods.size() >= settings.warmIp() && others >= settings.minimumIp();
        return old && idle && (spare || !settings.addressTargets());
    }

    /**
     * Gives a pod an address of a random interface that has a free one.
     *
     * @return false when there is none; the ADD fails at once
     */
    boolean add(int pod, long nowNanos, DoubleSupplier random) {
        List<List<Address>> free = new ArrayList<>();
        for (Eni eni : enis) {
            List<Address> some =
                    eni.addresses.stream()
                            .filter(a -> !a.assigned && !a.cooling(nowNanos))
                            .toList();
            if (!some.isEmpty()) {
                free.add(some);
            }
        }
        if (free.isEmpty()) {
            return false;
        }
        Address address = any(any(free, random), random);
        address.assigned = true;
        pods.put(pod, address);
        return true;
    }

    private static <T> T any(List<T> of, DoubleSupplier random) {
        return of.get((int) (random.getAsDouble() * of.size()));
    }

    /** The pod is gone; its address cools. */
    void del(int pod, long nowNanos) {
        Address address = pods.remove(pod);
        if (address != null) {
            address.assigned = false;
            address.releasedAt = nowNanos;
        }
    }

    /** How many pods an interface has, for tests of what may be freed. */
    List<Long> podsPerEni() {
        return enis.stream().map(Eni::assigned).toList();
    }
}
