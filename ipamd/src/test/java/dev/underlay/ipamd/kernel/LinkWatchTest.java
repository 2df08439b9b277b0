package dev.underlay.ipamd.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.cni.linux.Linux;
import dev.underlay.cni.netlink.Link;
import dev.underlay.ipamd.observe.Metrics;
import java.io.IOException;
import java.time.Duration;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("kernel")
class LinkWatchTest {
    private static final int NO_LINK = 1_000_000;

    @Test
    void sockets_that_fail_are_replaced_after_a_pause_and_everything_is_told_again()
            throws Exception {
        Queue<LinkWatch.Sockets> opened = new ConcurrentLinkedQueue<>();
        AtomicInteger refusals = new AtomicInteger();
        AtomicInteger tries = new AtomicInteger();
        LinkWatch.Opener opener =
                () -> {
                    tries.incrementAndGet();
                    if (refusals.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
                        throw new IOException("no descriptors");
                    }
                    LinkWatch.Sockets sockets = LinkWatch.Sockets.open();
                    opened.add(sockets);
                    return sockets;
                };
        BlockingQueue<Integer> gone = new LinkedBlockingQueue<>();
        try (LinkWatch watch = LinkWatch.open(opener, new Metrics())) {
            watch.start(
                    new LinkWatch.Listener() {
                        @Override
                        public void gone(int index) {
                            gone.add(index);
                        }

                        @Override
                        public Set<Integer> known() {
                            return Set.of(1, NO_LINK);
                        }
                    });
            refusals.set(1);
            long start = Linux.bootTimeNanos();
            opened.remove().close();
            assertThat(gone.poll(20, TimeUnit.SECONDS)).isEqualTo(NO_LINK);
            assertThat(gone).as("the loopback stands").isEmpty();
            long tookMillis = (Linux.bootTimeNanos() - start) / 1_000_000;
            assertThat(tookMillis).as("a pause before each try").isGreaterThanOrEqualTo(2000);
            assertThat(tries).as("the first, one refused, one that works").hasValue(3);
            assertThat(watch.await(LinkWatchTest::isLoopback, Duration.ofSeconds(1))).isCompleted();
        }
    }

    private static boolean isLoopback(Link link) {
        return link.index() == 1;
    }
}
