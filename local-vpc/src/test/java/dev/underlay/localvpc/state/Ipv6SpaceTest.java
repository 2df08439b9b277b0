package dev.underlay.localvpc.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** What an IPv6 subnet gives, and what it never gives. */
class Ipv6SpaceTest {
    private static final Instant NOW = Instant.parse("2026-11-25T09:00:00Z");
    private static final int PREFIXES = 65_536;

    private final Ipv6Space space =
            new Ipv6Space(Cidr.parse("2001:db8:0:100::/64"), new SplittableRandom(1));

    @Test
    void every_prefix_but_the_two_with_addresses_of_ec2_s_own_is_given_once() {
        List<Cidr> left = List.of(prefix(7), prefix(300), prefix(40_000));
        for (int index = 1; index < PREFIXES - 1; index++) {
            if (!left.contains(prefix(index))) {
                space.take(prefix(index));
            }
        }
        assertThat(space.drawPrefixes(3, false, NOW)).containsExactlyInAnyOrderElementsOf(left);
        for (boolean lowestFirst : List.of(false, true)) {
            assertThatThrownBy(() -> space.drawPrefixes(1, lowestFirst, NOW))
                    .isInstanceOf(Ec2Refusal.class)
                    .hasMessageContaining("enough free cidr blocks");
        }
        space.give(prefix(7), NOW);
        assertThat(space.drawPrefixes(1, true, NOW)).containsExactly(prefix(7));
    }

    private static Cidr prefix(int index) {
        return Cidr.parse("2001:db8:0:100:%x::/80".formatted(index));
    }

    @Test
    void nothing_overlaps_what_is_taken() {
        Cidr prefix = Cidr.parse("2001:db8:0:100:1::/80");
        Cidr inside = Cidr.parse("2001:db8:0:100:1::7");
        space.take(inside);
        assertThat(space.isFree(prefix)).isFalse();
        assertThat(space.drawPrefixes(1, true, NOW))
                .containsExactly(Cidr.parse("2001:db8:0:100:2::/80"));
        assertThat(space.isFree(Cidr.parse("2001:db8:0:100:2:ffff:ffff:ffff"))).isFalse();
        space.give(inside, NOW);
        assertThat(space.isFree(prefix)).isTrue();
    }

    @Test
    void the_first_four_addresses_and_the_last_are_never_given() {
        assertThat(space.drawAddresses(2, true, NOW))
                .hasToString("[2001:db8:0:100::4, 2001:db8:0:100::5]");
        for (String own : List.of("::", "::3", ":ffff:ffff:ffff:ffff")) {
            assertThat(space.isGrantable(Cidr.parse("2001:db8:0:100" + own))).as(own).isFalse();
        }
        for (String strange : List.of("2001:db8:0:101::7", "2001:db8:0:100:8::/96", "10.0.0.7")) {
            assertThat(space.isGrantable(Cidr.parse(strange))).as(strange).isFalse();
        }
        assertThat(space.drawAddresses(100, false, NOW))
                .doesNotHaveDuplicates()
                .allMatch(space::isGrantable);
    }

    @Test
    void what_was_given_back_rests_before_it_is_drawn_again() {
        Cidr first = space.drawPrefixes(1, true, NOW).get(0);
        space.give(first, NOW.plusSeconds(60));
        assertThat(space.drawPrefixes(1, true, NOW)).doesNotContain(first);
        assertThat(space.isFree(first)).isTrue();
        assertThat(space.drawPrefixes(1, true, NOW.plusSeconds(60))).containsExactly(first);
    }

    @Test
    void a_refusal_gives_back_what_it_took() {
        List<Cidr> taken = new ArrayList<>();
        assertThatThrownBy(() ->
                        space.allOrNothing(() -> {
                            taken.addAll(space.drawPrefixes(3, false, NOW));
                            throw Ec2Refusal.noFreePrefix();
                        }))
                .isInstanceOf(Ec2Refusal.class);
        assertThat(taken).hasSize(3).allMatch(space::isFree);
    }

    @Test
    void only_a_64_is_a_subnet() {
        for (String cidr : List.of("2001:db8::/56", "10.0.0.0/24")) {
            assertThatThrownBy(() -> new Ipv6Space(Cidr.parse(cidr), new SplittableRandom(1)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(cidr);
        }
    }
}
