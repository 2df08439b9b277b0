package dev.underlay.cloud.aws;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.pool.BlockKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ec2.model.Tag;

final class NodeSubnetsTest {
    private static final BlockKind SINGLE = BlockKind.SECONDARY_ADDRESS;

    private static List<Tag> tags(String text) {
        List<Tag> tags = new ArrayList<>();
        for (String tag : text.lines().toList()) {
            int equals = tag.indexOf('=');
            String key = tag.substring(0, equals);
            tags.add(
                    Tag.builder()
                            .key(key.equals("role") ? NodeSubnets.ROLE : NodeSubnets.CLUSTER + key)
                            .value(tag.substring(equals + 1))
                            .build());
        }
        return tags;
    }

    /** G58, and what follows from it. */
    @ParameterizedTest
    @CsvSource({
        "true, '', blue, true",
        "true, 'role=0', blue, false",
        "false, '', blue, false",
        "false, 'role=1', blue, true",
        "false, 'role=0', blue, false",
        "false, 'role=1|red=shared', blue, false",
        "false, 'role=1|blue=shared', blue, true",
        "false, 'role=1|red=shared|blue=', blue, true",
        "false, 'blue=shared', blue, false",
        "false, 'role=1|red=shared', '', true",
        "true, 'red=shared', blue, true",
    })
    void tags_say_where_interfaces_are_made(
            boolean primary, String tags, String cluster, boolean eligible) {
        Optional<String> name = Optional.of(cluster).filter(it -> !it.isEmpty());
        NodeSubnets subnets = new NodeSubnets(true, name, () -> 0.5);
        assertThat(subnets.eligible(tags(tags.replace('|', '\n')), primary)).isEqualTo(eligible);
    }

    @Test
    void without_discovery_the_primary_one_is_the_only_one_whatever_its_tags() {
        NodeSubnets subnets = new NodeSubnets(false, Optional.empty(), () -> 0.5);
        assertThat(subnets.eligible(tags("role=0"), true)).isTrue();
        assertThat(subnets.eligible(tags("role=1"), false)).isFalse();
    }

    private static Subnet subnet(String id, int free, String tags) {
        return Subnet.builder().subnetId(id).availableIpAddressCount(free).tags(tags(tags)).build();
    }

    /** H44: nodes that all take the fullest subnet's opposite all take the same one. */
    @Test
    void chance_decides_by_free_addresses_and_a_full_one_comes_last() {
        SplittableRandom random = new SplittableRandom(1);
        NodeSubnets subnets = new NodeSubnets(true, Optional.empty(), random::nextDouble);
        List<Subnet> zone =
                List.of(
                        subnet("home", 299, ""),
                        subnet("more", 99, "role=1"),
                        subnet("not", 9999, ""));
        Map<String, Integer> first = new TreeMap<>();
        for (int i = 0; i < 4000; i++) {
            List<String> order = subnets.order(zone, "home", SINGLE);
            assertThat(order).containsExactlyInAnyOrder("home", "more");
            first.merge(order.getFirst(), 1, Integer::sum);
        }
        assertThat(first.get("home")).isBetween(2800, 3200);
        subnets.full("home", SINGLE);
        for (int i = 0; i < 100; i++) {
            assertThat(subnets.order(zone, "home", SINGLE)).containsExactly("more", "home");
        }
        subnets.full("more", SINGLE);
        assertThat(subnets.order(zone, "home", SINGLE)).hasSize(2);
        first.clear();
        for (int i = 0; i < 400; i++) {
            first.merge(
                    subnets.order(zone, "home", BlockKind.PREFIX_28).getFirst(), 1, Integer::sum);
        }
        assertThat(first.get("home")).as("its prefixes were not full").isBetween(240, 360);
    }
}
