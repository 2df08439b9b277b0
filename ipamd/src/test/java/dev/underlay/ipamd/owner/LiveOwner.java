package dev.underlay.ipamd.owner;

import dev.underlay.cni.linux.Linux;
import dev.underlay.ipamd.journal.Journal;
import dev.underlay.ipamd.observe.Metrics;
import dev.underlay.pool.CloudAnswer;
import dev.underlay.pool.PoolSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.UUID;

/** A pool's owner on its real thread and clock; its cloud answers at once. */
public final class LiveOwner implements AutoCloseable {
    private final Metrics metrics = new Metrics();
    private final OwnerThread thread = new OwnerThread(Linux::bootTimeNanos, metrics);
    private final Journal journal;
    private final PoolOwner owner;

    /** Starts it; it is identified and soon has addresses. */
    public LiveOwner(Path journalPath, FakeCloud cloud, Duration addWait) throws IOException {
        journal = Journal.open(journalPath, "boot", Linux.bootTimeNanos()).journal();
        CloudCalls atOnce =
                (action, answer) -> {
                    CloudAnswer<?> reply = action.call(cloud);
                    answer.accept(reply);
                };
        owner =
                new PoolOwner(
                        thread,
                        Linux::bootTimeNanos,
                        journal,
                        new PoolOwner.Config(
                                PoolSettings.defaults(),
                                addWait.toNanos(),
                                100,
                                () -> UUID.randomUUID().toString()),
                        new PoolOwner.Ports(atOnce, new FakeNode(), metrics));
    }

    /** Lets it run. */
    public LiveOwner start() {
        thread.start(owner::settle);
        owner.identified(FakeCloud.NODE);
        owner.serving().toCompletableFuture().join();
        return this;
    }

    /** The owner. */
    public PoolOwner owner() {
        return owner;
    }

    /** How many leases the journal has, asked on the owner's thread. */
    public int leases() {
        return owner.report().join().leases().size();
    }

    @Override
    public void close() throws IOException {
        thread.close();
        journal.close();
    }
}
