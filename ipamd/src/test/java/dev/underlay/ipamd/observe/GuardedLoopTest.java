package dev.underlay.ipamd.observe;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.SynchronousQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
class GuardedLoopTest {
    private final Metrics metrics = new Metrics();
    private final SynchronousQueue<String> rounds = new SynchronousQueue<>();

    @Test
    void aRoundThatFailsIsCountedAndTheNextOneComes() throws InterruptedException {
        try (GuardedLoop _ =
                loop(() -> {
                    rounds.put("failed");
                    throw new IllegalStateException("planted");
                })) {
            rounds.take();
            rounds.take();
            rounds.take(); // The second failure is counted before the third round begins.
            assertTrue(metrics.faults("test") >= 2);
        }
    }

    @Test
    void closingEndsARoundThatBlocks() throws InterruptedException {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch ended = new CountDownLatch(1);
        try (GuardedLoop _ =
                loop(() -> {
                    begun.countDown();
                    try {
                        rounds.take();
                    } finally {
                        ended.countDown();
                    }
                })) {
            begun.await();
        }
        assertEquals(0, ended.getCount());
    }

    private GuardedLoop loop(GuardedLoop.Round round) {
        return GuardedLoop.start(Thread.ofVirtual(), "test", Duration.ZERO, metrics, round);
    }
}
