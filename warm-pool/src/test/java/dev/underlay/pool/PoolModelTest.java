package dev.underlay.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random operations on the pool and on an obvious model of it: an address can be leased when the
 * last description lists it on an interface whose link is ready, nobody has it and it does not
 * rest.
 */
final class PoolModelTest {
    private static final long STEP_NANOS = 2 * Timing.SETTLE_NANOS; // no answer of ours is younger
    private static final long COOL_NANOS = 5 * STEP_NANOS;
    private static final Cidr UNKNOWN = Cidr.parse("10.9.0.0/16"); // to the cloud
    private static final List<String> INTERFACES = List.of("eni-0", "eni-1", "eni-2");

    /** The model. */
    private static final class Model {
        final Map<IpAddress, String> listed = new TreeMap<>();
        final Set<String> ready = new TreeSet<>();
        final Map<AttachmentKey, IpAddress> owners = new TreeMap<>();
        final Map<IpAddress, Long> restsUntil = new TreeMap<>();
        int adopted;

        Set<IpAddress> free(long now) {
            Set<IpAddress> free = new TreeSet<>(listed.keySet());
            free.removeIf(address -> !ready.contains(listed.get(address)));
            free.removeIf(address -> restsUntil.getOrDefault(address, now - 1) >= now);
            free.removeAll(owners.values());
            return free;
        }

        void adopt(AttachmentKey owner, IpAddress address) {
            owners.values().removeIf(address::equals);
            owners.put(owner, address);
            restsUntil.remove(address);
        }
    }

    static LongStream seeds() {
        return LongStream.rangeClosed(1, 100);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void hazard_39_the_pool_is_its_model(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Pool pool = new Pool();
        Model model = new Model();
        long now = 1;
        for (int step = 0; step < 400; step++) {
            now += random.nextLong(STEP_NANOS, 2 * STEP_NANOS);
            pool.forgotten(pool.cooled(now), now);
            String done = step(random, pool, model, now);
            pool.forgotten(pool.cooled(now), now); // of leases that gave way
            try {
                compare(pool, model, now);
            } catch (AssertionError broken) {
                throw new AssertionError("seed " + seed + ", step " + step + ": " + done, broken);
            }
        }
    }

    private static String step(SplittableRandom random, Pool pool, Model model, long now) {
        AttachmentKey pod = new AttachmentKey("underlay", "pod-" + random.nextInt(30), "eth0");
        String one = INTERFACES.get(random.nextInt(INTERFACES.size()));
        return switch (random.nextInt(10)) {
            case 0 -> describe(pool, model, someCloud(random), now);
            case 1 -> {
                model.ready.add(one);
                pool.linkReady(one);
                yield "link of " + one;
            }
            case 2 -> {
                model.ready.remove(one);
                pool.linkGone(one, now);
                yield "no link of " + one;
            }
            case 3 -> {
                IpAddress unknown = UNKNOWN.address(model.adopted++);
                model.listed.put(unknown, one);
                pool.adopt(new Lease(pod, unknown, one), now);
                model.adopt(pod, unknown);
                yield "adopt " + unknown + " for " + pod;
            }
            case 4, 5, 6 -> lease(pool, model, pod, now);
            default -> release(pool, model, pod, now);
        };
    }

    private static String describe(
            Pool pool, Model model, List<CloudInterface> described, long now) {
        model.listed.clear();
        for (CloudInterface one : described) {
            for (Cidr block : one.blocks()) {
                addresses(block).forEach(address -> model.listed.put(address, one.id()));
            }
        }
        pool.begin(new CloudAction.Describe(), now);
        pool.end(new CloudAction.Describe(), new CloudAnswer.Done<>(described), now);
        return "describe " + described;
    }

    private static String lease(Pool pool, Model model, AttachmentKey pod, long now) {
        Optional<IpAddress> had = Optional.ofNullable(model.owners.get(pod));
        Set<IpAddress> free = model.free(now);
        switch (pool.lease(pod, now)) {
            case LeaseAnswer.AlreadyLeased(var leases) ->
                    assertThat(had).hasValue(leases.getFirst().address());
            case LeaseAnswer.NoneFree() -> {
                assertThat(had).isEmpty();
                assertThat(free).isEmpty();
            }
            case LeaseAnswer.Leased(var leases) -> {
                Lease lease = leases.getFirst();
                assertThat(had).isEmpty();
                assertThat(free).contains(lease.address());
                model.owners.put(pod, lease.address());
            }
        }
        return "lease for " + pod;
    }

    private static String release(Pool pool, Model model, AttachmentKey pod, long now) {
        Optional<IpAddress> had = Optional.ofNullable(model.owners.remove(pod));
        had.ifPresent(address -> model.restsUntil.put(address, now + COOL_NANOS));
        assertThat(pool.release(pod, now, COOL_NANOS))
                .extracting(Lease::address)
                .containsExactlyElementsOf(had.stream().toList());
        return "release of " + pod;
    }

    private static void compare(Pool pool, Model model, long now) {
        var owners = new TreeMap<AttachmentKey, IpAddress>();
        for (Lease lease : pool.leases()) {
            owners.put(lease.owner(), lease.address());
            assertThat(pool.leasesOf(lease.owner())).containsExactly(lease);
            if (model.listed.containsKey(lease.address())) {
                assertThat(lease.interfaceId()).isEqualTo(model.listed.get(lease.address()));
            }
        }
        assertThat(owners).isEqualTo(model.owners);
        assertThat(pool.counts(now).leased()).isEqualTo(owners.size());
        assertThat(pool.counts(now).free()).isEqualTo(model.free(now).size());
        long resting = model.restsUntil.values().stream().filter(until -> until >= now).count();
        assertThat(pool.counts(now).cooling()).isEqualTo((int) resting);
    }

    /** Any of the interfaces with any blocks: prefixes, or single addresses out of them. */
    private static List<CloudInterface> someCloud(SplittableRandom random) {
        List<CloudInterface> described = new ArrayList<>();
        int[] owner = random.ints(3, 0, INTERFACES.size() + 1).toArray(); // the last: nobody
        for (int number = 0; number < INTERFACES.size(); number++) {
            List<Cidr> blocks = new ArrayList<>();
            for (int prefix = 0; prefix < owner.length; prefix++) {
                Cidr whole = Cidr.parse("10.0.0." + 16 * prefix + "/28");
                if (owner[prefix] == number && random.nextBoolean()) {
                    blocks.add(whole);
                } else if (owner[prefix] == number) {
                    addresses(whole).stream()
                            .filter(_ -> random.nextInt(3) == 0)
                            .forEach(address -> blocks.add(Cidr.of(address)));
                }
            }
            if (random.nextInt(5) > 0) {
                described.add(described(INTERFACES.get(number), blocks));
            }
        }
        return described;
    }

    private static List<IpAddress> addresses(Cidr block) {
        return LongStream.range(0, block.size()).mapToObj(block::address).toList();
    }

    private static CloudInterface described(String id, List<Cidr> blocks) {
        int index = INTERFACES.indexOf(id);
        return new CloudInterface(
                id,
                Optional.empty(),
                "02:00:00:00:00:0" + index,
                "subnet-a",
                Cidr.parse("10.0.0.0/16"),
                IpAddress.parse("10.0.9." + index),
                index == 0,
                Optional.of(new CloudInterface.Attachment(index, CloudInterface.State.ATTACHED)),
                blocks,
                true);
    }
}
