package dev.underlay.localvpc.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The allocator against an obvious model: a set of the offsets that are taken. */
class AddressSpaceTest {
    private static final Instant NOW = Instant.parse("2026-11-25T09:00:00Z");
    private static final int SIZE = 256;

    /** Random takes and gives; after each step both agree on what is free and what fits. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void it_agrees_with_the_model_after_every_step(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Cidr subnet = Cidr.parse("10.0.0.0/24");
        AddressSpace space = new AddressSpace(subnet, new SplittableRandom(seed));
        Set<Integer> model = new HashSet<>(List.of(0, 1, 2, 3, SIZE - 1));
        List<Cidr> held = new ArrayList<>();
        for (int step = 0; step < 2_000; step++) {
            String where = "seed " + seed + ", step " + step;
            boolean lowest = random.nextInt(4) == 0;
            int count = 1 + random.nextInt(12);
            switch (random.nextInt(3)) {
                case 0 -> {
                    if (SIZE - model.size() < count) {
                        assertThatThrownBy(() -> space.drawAddresses(count, lowest, NOW))
                                .as(where)
                                .isInstanceOf(Ec2Refusal.class);
                    } else {
                        held.addAll(taken(model, space.drawAddresses(count, lowest, NOW), where));
                    }
                }
                case 1 -> {
                    int wanted = 1 + random.nextInt(2);
                    if (wholePrefixes(model) < wanted) {
                        assertThatThrownBy(() -> space.drawPrefixes(wanted, lowest, NOW))
                                .as(where)
                                .isInstanceOf(Ec2Refusal.class);
                    } else {
                        held.addAll(taken(model, space.drawPrefixes(wanted, lowest, NOW), where));
                    }
                }
                default -> {
                    for (int i = 0; i < count && !held.isEmpty(); i++) {
                        Cidr back = held.remove(random.nextInt(held.size()));
                        space.give(back, NOW);
                        offsets(subnet, back).forEach(model::remove);
                    }
                }
            }
            assertThat(space.free()).as(where).isEqualTo(SIZE - model.size());
        }
    }

    @Test
    void every_free_address_has_the_same_chance() {
        Cidr subnet = Cidr.parse("10.0.0.0/28");
        int[] hits = new int[16];
        for (int seed = 0; seed < 11_000; seed++) {
            AddressSpace space = new AddressSpace(subnet, new SplittableRandom(seed));
            hits[(int) subnet.offsetOf(space.drawAddresses(1, false, NOW).get(0))]++;
        }
        for (int offset = 4; offset < 15; offset++) {
            // 1,000 expected, a standard deviation of 30.
            assertThat(hits[offset]).as("offset " + offset).isBetween(850, 1_150);
        }
    }

    @Test
    void a_subnet_is_between_16_and_28() {
        for (String cidr : List.of("10.0.0.0/15", "10.0.0.0/29", "2001:db8::/64")) {
            assertThatThrownBy(() -> new AddressSpace(Cidr.parse(cidr), new SplittableRandom(1)))
                    .hasMessageContaining("between /16 and /28");
        }
    }

    private static List<Cidr> taken(Set<Integer> model, List<Cidr> blocks, String where) {
        Cidr subnet = Cidr.parse("10.0.0.0/24");
        for (Cidr block : blocks) {
            for (int offset : offsets(subnet, block)) {
                assertThat(model.add(offset)).as(where + ": " + block).isTrue();
            }
        }
        return blocks;
    }

    private static List<Integer> offsets(Cidr subnet, Cidr block) {
        List<Integer> all = new ArrayList<>();
        int from = (int) subnet.offsetOf(block);
        for (int i = 0; i < block.size().intValueExact(); i++) {
            all.add(from + i);
        }
        return all;
    }

    private static int wholePrefixes(Set<Integer> model) {
        int whole = 0;
        for (int from = 0; from < SIZE; from += 16) {
            int start = from;
            whole += model.stream().noneMatch(o -> o >= start && o < start + 16) ? 1 : 0;
        }
        return whole;
    }
}
