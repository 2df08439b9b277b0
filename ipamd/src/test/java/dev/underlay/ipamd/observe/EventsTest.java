package dev.underlay.ipamd.observe;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class EventsTest {
    @Test
    void a_line_is_the_event_and_pairs() {
        assertThat(Events.line("address.leased", "pod", "shop/web-0", "ip", "10.0.0.7", "ms", 3))
                .isEqualTo("address.leased pod=shop/web-0 ip=10.0.0.7 ms=3");
    }

    @Test
    void a_hostile_value_forges_neither_a_line_nor_a_key() {
        assertThat(Events.line("a", "pod", "x\nfake.event ip=1", "e", "", "q", "say \"no\"\\"))
                .isEqualTo("a pod=\"x\\u000afake.event ip=1\" e=\"\" q=\"say \\\"no\\\"\\\\\"");
    }
}
