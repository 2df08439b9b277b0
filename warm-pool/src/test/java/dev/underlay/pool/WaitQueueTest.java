package dev.underlay.pool;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class WaitQueueTest {
    private final WaitQueue<String> queue = new WaitQueue<>(3);

    private static AttachmentKey key(String container) {
        return new AttachmentKey("underlay", container, "eth0");
    }

    @Test
    void first_come_first_served() {
        queue.offer(key("b"), "b", 90);
        queue.offer(key("a"), "a", 10);
        assertThat(queue.nextDeadlineNanos()).hasValue(10);
        assertThat(queue.poll()).hasValue("b");
        assertThat(queue.poll()).hasValue("a");
        assertThat(queue.poll()).isEmpty();
        assertThat(queue.nextDeadlineNanos()).isEmpty();
    }

    @Test
    void a_full_queue_takes_nobody_else() {
        assertThat(queue.offer(key("a"), "a", 10)).isTrue();
        assertThat(queue.offer(key("b"), "b", 10)).isTrue();
        assertThat(queue.offer(key("c"), "c", 10)).isTrue();
        assertThat(queue.offer(key("d"), "d", 10)).isFalse();
        assertThat(queue.size()).isEqualTo(3);
    }

    @Test
    void the_same_pod_keeps_its_place_and_waits_once() {
        queue.offer(key("a"), "a", 10);
        queue.offer(key("b"), "b", 10);
        assertThat(queue.offer(key("a"), "a again", 20)).isTrue();
        assertThat(queue.size()).isEqualTo(2);
        assertThat(queue.poll()).hasValue("a again");
    }

    @Test
    void who_leaves_or_is_late_leaves_nothing_behind() {
        queue.offer(key("a"), "a", 10);
        queue.offer(key("b"), "b", 30);
        queue.offer(key("c"), "c", 20);
        assertThat(queue.cancel(key("nobody"))).isEmpty();
        assertThat(queue.expire(9)).isEmpty();
        assertThat(queue.expire(20)).containsExactly("a", "c");
        assertThat(queue.cancel(key("b"))).hasValue("b");
        assertThat(queue.cancel(key("b"))).isEmpty();
        assertThat(queue.size()).isZero();
    }
}
