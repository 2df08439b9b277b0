package dev.underlay.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import java.util.stream.LongStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Random operations on the queue and on an obvious model of it: a list. */
final class WaitQueueModelTest {
    private static final int CAPACITY = 5;

    private record One(String container, int entry, long deadline) {}

    static LongStream seeds() {
        return LongStream.rangeClosed(1, 50);
    }

    @ParameterizedTest(name = "seed {0}")
    @MethodSource("seeds")
    void the_queue_is_a_list(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        WaitQueue<Integer> queue = new WaitQueue<>(CAPACITY);
        List<One> model = new ArrayList<>();
        for (int step = 0; step < 200; step++) {
            String container = "c" + random.nextInt(CAPACITY + 3);
            AttachmentKey key = new AttachmentKey("underlay", container, "eth0");
            Predicate<One> same = one -> one.container().equals(container);
            switch (random.nextInt(5)) {
                case 0, 1 -> {
                    One one = new One(container, step, step + random.nextInt(40));
                    boolean there = model.stream().anyMatch(same);
                    model.replaceAll(old -> same.test(old) ? one : old);
                    if (!there && model.size() < CAPACITY) {
                        model.add(one);
                        there = true;
                    }
                    assertThat(queue.offer(key, one.entry(), one.deadline())).isEqualTo(there);
                }
                case 2 -> {
                    Optional<Integer> first =
                            model.isEmpty()
                                    ? Optional.empty()
                                    : Optional.of(model.removeFirst().entry());
                    assertThat(queue.poll()).isEqualTo(first);
                }
                case 3 -> {
                    Optional<Integer> left = model.stream().filter(same).map(One::entry).findAny();
                    model.removeIf(same);
                    assertThat(queue.cancel(key)).isEqualTo(left);
                }
                default -> {
                    long now = step;
                    List<Integer> late =
                            model.stream()
                                    .filter(one -> one.deadline() <= now)
                                    .map(One::entry)
                                    .toList();
                    model.removeIf(one -> one.deadline() <= now);
                    assertThat(queue.expire(now)).isEqualTo(late);
                }
            }
            assertThat(queue.size()).isEqualTo(model.size());
            assertThat(queue.nextDeadlineNanos())
                    .isEqualTo(model.stream().mapToLong(One::deadline).min());
        }
    }
}
