package dev.underlay.pool.tune;

import dev.underlay.pool.NodeIdentity;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.DoubleSupplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What the AWS VPC CNI 1.23.1 decides on IPv4: its store of interfaces, their blocks (single
 * addresses, or /28 prefixes) and addresses, when it finds the pool too low or too high, and what
 * it does then ({@code pkg/ipamd/ipamd.go} and {@code pkg/ipamd/datastore/data_store.go} of
 * aws/amazon-vpc-cni-k8s). When it looks, and how long its calls take, is {@link IncumbentNode}'s
 * matter.
 */
public final class IncumbentModel {
    /** How long a released address is not given to another pod; 30 s sharp still counts. */
    static final long COOLDOWN_NANOS = 30 * Timeline.SECOND;

    /** How old an interface must be to be freed. */
    static final long LEAST_LIFE_NANOS = 60 * Timeline.SECOND;

    private static final long NEVER = Long.MIN_VALUE / 2;

    /** How many addresses a /28 holds. */
    static final int PREFIX = 16;

    /**
     * Its settings; 0 of an address target is unset.
     *
     * @param warmEni WARM_ENI_TARGET
     * @param warmIp WARM_IP_TARGET
     * @param minimumIp MINIMUM_IP_TARGET
     * @param prefixes ENABLE_PREFIX_DELEGATION
     * @param warmPrefix WARM_PREFIX_TARGET
     * @param maxEni MAX_ENI; below 1 the type's limit holds
     * @param customNetworking AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG
     * @param maxPods the node's pod capacity
     */
    public record Settings(
            int warmEni,
            int warmIp,
            int minimumIp,
            boolean prefixes,
            int warmPrefix,
            int maxEni,
            boolean customNetworking,
            int maxPods) {
        /** What holds on a type when nothing is set. */
        public static Settings defaults(NodeIdentity.Limits limits) {
            return of(limits, Map.of());
        }

        /**
         * What it reads: a number that is none or is below 0 is the default, without a word; so is
         * a flag that is none. As many pods as a type's addresses allow, with the two on the host's
         * network.
         */
        static Settings of(NodeIdentity.Limits limits, Map<String, String> environment) {
            boolean prefixes = flag(environment, "ENABLE_PREFIX_DELEGATION") && limits.prefixes();
            boolean custom = flag(environment, "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG");
            int enis = limits.interfaces() - (custom ? 1 : 0);
            int addresses = (limits.addressesPerInterface() - 1) * (prefixes ? PREFIX : 1);
            return new Settings(
                    number(environment, "WARM_ENI_TARGET", 1),
                    number(environment, "WARM_IP_TARGET", 0),
                    number(environment, "MINIMUM_IP_TARGET", 0),
                    prefixes,
                    number(environment, "WARM_PREFIX_TARGET", 0),
                    number(environment, "MAX_ENI", 0),
                    custom,
                    enis * addresses + 2);
        }

        private static int number(Map<String, String> environment, String name, int otherwise) {
            try {
                int value = Integer.parseInt(environment.getOrDefault(name, ""));
                return value < 0 ? otherwise : value;
            } catch (NumberFormatException _) {
                return otherwise;
            }
        }

        private static boolean flag(Map<String, String> environment, String name) {
            return List.of("1", "t", "T", "TRUE", "true", "True")
                    .contains(environment.getOrDefault(name, ""));
        }

        Settings withMaxPods(int pods) {
            return new Settings(
                    warmEni,
                    warmIp,
                    minimumIp,
                    prefixes,
                    warmPrefix,
                    maxEni,
                    customNetworking,
                    pods);
        }

        private boolean addressTargets() {
            return warmIp > 0 || minimumIp > 0;
        }
    }

    /** The one thing that it does in a round to have more. */
    sealed interface Growth {
        /** Assign blocks to an interface that has room. */
        record Assign(int eni, int blocks) implements Growth {}

        /** Make and attach an interface with so many blocks. */
        record NewEni(int blocks) implements Growth {}
    }

    private static final class Address {
        final int index;
        boolean assigned;
        long releasedAt = NEVER;

        Address(int index) {
            this.index = index;
        }

        boolean used() {
            return releasedAt != NEVER;
        }

        boolean cooling(long nowNanos) {
            return !assigned && nowNanos - releasedAt <= COOLDOWN_NANOS;
        }
    }

    /** A single address or a prefix. */
    private record Block(List<Address> addresses) {
        static Block of(int size) {
            return new Block(IntStream.range(0, size).mapToObj(Address::new).toList());
        }

        boolean empty() {
            return addresses.stream().noneMatch(address -> address.assigned);
        }

        /** One used before that has cooled, else the lowest never used. */
        Optional<Address> next(long nowNanos) {
            List<Address> free =
                    addresses.stream().filter(a -> !a.assigned && !a.cooling(nowNanos)).toList();
            return free.stream()
                    .filter(Address::used)
                    .findFirst()
                    .or(() -> free.stream().findFirst());
        }
    }

    private static final class Eni {
        final int number;
        final long createdAt;
        final List<Block> blocks = new ArrayList<>();

        Eni(int number, long createdAt) {
            this.number = number;
            this.createdAt = createdAt;
        }

        Stream<Address> addresses() {
            return blocks.stream().flatMap(block -> block.addresses().stream());
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

    /** How many blocks each interface has. */
    List<Integer> perEni() {
        return enis.stream().map(eni -> eni.blocks.size()).toList();
    }

    /** How many addresses a block has. */
    int blockSize() {
        return settings.prefixes() ? PREFIX : 1;
    }

    private int blocks() {
        return total / blockSize();
    }

    private int emptyBlocks() {
        return (int) enis.stream().flatMap(eni -> eni.blocks.stream()).filter(Block::empty).count();
    }

    private int blocksFor(int addresses) {
        return Math.ceilDiv(addresses, blockSize());
    }

    /** How many addresses the targets miss. */
    int missing() {
        return Math.max(0, Math.max(settings.warmIp() - available(), settings.minimumIp() - total));
    }

    /** How many blocks are beyond the targets. */
    int over() {
        if (settings.prefixes() && !settings.addressTargets()) {
            return Math.max(0, emptyBlocks() - settings.warmPrefix());
        }
        if (settings.prefixes()) {
            int kept = blocksFor(pods.size() + settings.warmIp());
            int beyond = Math.min(blocks() - kept, blocks() - blocksFor(settings.minimumIp()));
            return Math.max(0, Math.min(emptyBlocks(), beyond));
        }
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
        // With prefixes it compares addresses too: half-full prefixes make a warm one.
        int target =
                settings.prefixes() ? settings.warmPrefix() * PREFIX : settings.warmEni() * perEni;
        return available() < target || (target == 0 && available() == 0);
    }

    /** What a pool that is too low gets; nothing when every interface is there and full. */
    Optional<Growth> growth() {
        int want = want();
        for (Eni eni : settings.customNetworking() ? enis.subList(1, enis.size()) : enis) {
            int room = perEni - eni.blocks.size();
            if (room > 0) {
                return Optional.of(new Growth.Assign(eni.number, Math.min(room, want)));
            }
        }
        return enis.size() < mostEnis
                ? Optional.of(new Growth.NewEni(Math.min(want, perEni)))
                : Optional.empty();
    }

    private int want() {
        if (settings.addressTargets()) {
            return Math.max(1, blocksFor(missing()));
        }
        return settings.prefixes() ? Math.max(1, settings.warmPrefix() - emptyBlocks()) : perEni;
    }

    /** EC2 has assigned blocks. */
    void assigned(int eni, int blocks) {
        Eni grown = enis.stream().filter(one -> one.number == eni).findFirst().orElseThrow();
        fill(grown, blocks);
    }

    /** A new interface is set up. */
    void attached(int blocks, long nowNanos) {
        Eni eni = new Eni(enisEver++, nowNanos);
        enis.add(eni);
        fill(eni, blocks);
    }

    private void fill(Eni eni, int blocks) {
        for (int i = 0; i < blocks; i++) {
            eni.blocks.add(Block.of(blockSize()));
        }
        total += blocks * blockSize();
    }

    /**
     * Takes blocks without a pod beyond the targets out of the store, cooling ones too.
     *
     * @return how many addresses of each interface; none when only whole interfaces are a target
     */
    List<Integer> shrink() {
        List<Integer> taken = new ArrayList<>();
        int left = settings.addressTargets() || settings.prefixes() ? over() : 0;
        for (Eni eni : enis) {
            List<Block> leaving = eni.blocks.stream().filter(Block::empty).limit(left).toList();
            eni.blocks.removeAll(leaving);
            left -= leaving.size();
            if (!leaving.isEmpty()) {
                taken.add(leaving.size() * blockSize());
                total -= leaving.size() * blockSize();
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
        if (!settings.addressTargets() && !settings.prefixes() && !tooHigh) {
            return Optional.empty();
        }
        Optional<Eni> leaving =
                enis.stream().skip(1).filter(eni -> deletable(eni, nowNanos)).findFirst();
        leaving.ifPresent(eni -> {
            enis.remove(eni);
            total -= eni.blocks.size() * blockSize();
        });
        return leaving.map(eni -> eni.blocks.size() * blockSize());
    }

    private boolean deletable(Eni eni, long nowNanos) {
        boolean old = nowNanos - eni.createdAt > LEAST_LIFE_NANOS;
        boolean idle = eni.addresses().noneMatch(a -> a.assigned || a.cooling(nowNanos));
        int others = total - eni.blocks.size() * blockSize();
        int warm = blocksFor(settings.warmIp()) * blockSize();
        int minimum = blocksFor(settings.minimumIp()) * blockSize();
        boolean spare =
                settings.addressTargets()
                        ? others - pods.size() >= warm && others >= minimum
                        : !settings.prefixes()
                                || emptyBlocks() - eni.blocks.size() >= settings.warmPrefix();
        return old && idle && spare;
    }

    /**
     * Gives a pod an address of a random block that has a free one, on a random interface; the one
     * it has, if it has one.
     *
     * @return false when there is none; the ADD fails at once
     */
    boolean add(int pod, long nowNanos, DoubleSupplier random) {
        if (pods.containsKey(pod)) {
            return true;
        }
        List<List<Address>> free = new ArrayList<>();
        for (Eni eni : enis) {
            List<Address> some =
                    eni.blocks.stream().flatMap(block -> block.next(nowNanos).stream()).toList();
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

    /** Which address of its block a pod has, counted from 0. */
    Optional<Integer> indexOf(int pod) {
        return Optional.ofNullable(pods.get(pod)).map(address -> address.index);
    }
}
