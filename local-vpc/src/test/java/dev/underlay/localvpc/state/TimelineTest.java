package dev.underlay.localvpc.state;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;

class TimelineTest {
    private final Timeline<String> timeline = new Timeline<>();

    @Test
    void it_shows_what_was_true_at_an_instant() {
        assertThat(timeline.latest()).isNull();
        timeline.put(at(1), "a");
        timeline.put(at(3), "b");
        timeline.put(at(3), "c");
        timeline.put(at(5), null);

        assertThat(timeline.at(at(0))).isNull();
        assertThat(timeline.at(at(1))).isEqualTo("a");
        assertThat(timeline.at(at(2))).isEqualTo("a");
        assertThat(timeline.at(at(3))).isEqualTo("c");
        assertThat(timeline.at(at(5))).isNull();
        assertThat(timeline.latest()).isNull();
    }

    @Test
    void it_finds_the_last_version_with_a_property_within_a_window() {
        timeline.put(at(1), "attached");
        timeline.put(at(3), "loose");

        assertThat(timeline.lastWith("attached"::equals, at(2))).isEqualTo("attached");
        assertThat(timeline.lastWith("attached"::equals, at(3))).isNull();
        assertThat(timeline.lastWith("loose"::equals, at(9))).isEqualTo("loose");
    }

    @Test
    void it_forgets_what_ended_before_an_instant_but_not_what_is_valid_at_it() {
        timeline.put(at(1), "a");
        timeline.put(at(3), "b");
        timeline.put(at(5), null);

        assertThat(timeline.forget(at(4))).isFalse();
        assertThat(timeline.at(at(4))).isEqualTo("b");
        assertThat(timeline.at(at(1))).isNull();
        assertThat(timeline.forget(at(5))).isTrue();
    }

    private static Instant at(long second) {
        return Instant.ofEpochSecond(second);
    }
}
