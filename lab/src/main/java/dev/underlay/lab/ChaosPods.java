package dev.underlay.lab;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * The pods of a chaos run as a kubelet sees them, from any number of threads: what it was told and
 * what may not be. A call that is killed leaves its pod unknown, so a DEL follows.
 */
final class ChaosPods {
    /** The daemon's {@code IP_COOLDOWN_PERIOD}: short, so that addresses come round. */
    static final Duration COOLDOWN = Duration.ofSeconds(2);

    private static final int DELETE_TRIES = 50;
    private static final long RETRY_MILLIS = 200;

    /** Longer than a whole ADD takes when nobody else runs. */
    private static final int KILLED_WITHIN_MICROS = 20_000;

    private final LabNode node;
    private final Verdict verdict;
    private final ChaosTally tally;

    /** Held by every call; taken alone to see the node without calls. */
    private final ReentrantReadWriteLock calls = new ReentrantReadWriteLock(true);

    private final Map<String, Sandbox> holders = new ConcurrentHashMap<>();
    private final Map<String, Long> givenBackNanos = new ConcurrentHashMap<>();
    private final AtomicInteger numbers = new AtomicInteger();

    ChaosPods(LabNode node, Verdict verdict, ChaosTally tally) {
        this.node = node;
        this.verdict = verdict;
        this.tally = tally;
    }

    /** Makes the namespace of a pod with a name of its own. */
    Sandbox sandbox(String kind) throws IOException {
        return node.runtime().sandbox(kind + "-" + numbers.incrementAndGet());
    }

    /** The pod's address; empty when the ADD is refused. A DEL must follow then as well. */
    Optional<String> add(Sandbox sandbox) throws IOException {
        calls.readLock().lock();
        try {
            CniReply reply = node.runtime().add(sandbox);
            if (!reply.ok()) {
                tally.addsRefused.merge(reply.errorCode(), 1L, Long::sum);
                return Optional.empty();
            }
            tally.adds.incrementAndGet();
            lives(sandbox, reply.address());
            return Optional.of(reply.address());
        } finally {
            calls.readLock().unlock();
        }
    }

    /** The pod got an address, or got its own once more. */
    private void lives(Sandbox sandbox, String address) {
        long now = System.nanoTime();
        Sandbox other = holders.putIfAbsent(address, sandbox);
        if (other != null && !other.equals(sandbox)) {
            verdict.broken(
                    "%s is given to %s while %s lives with it"
                            .formatted(address, sandbox.podName(), other.podName()));
        }
        Long back = givenBackNanos.remove(address);
        if (back != null && now - back < COOLDOWN.toNanos()) {
            verdict.broken(
                    "%s is given to %s %d ms after the DEL of its last pod began; it cools for %d ms"
                            .formatted(
                                    address,
                                    sandbox.podName(),
                                    TimeUnit.NANOSECONDS.toMillis(now - back),
                                    COOLDOWN.toMillis()));
        }
    }

    /**
     * An ADD of a living pod again, as a runtime that forgot may send it.
     *
     * @return whether it was served; it must have brought the same address
     */
    boolean addAgain(Sandbox sandbox, String address) throws IOException {
        CniReply reply = node.runtime().add(sandbox);
        if (reply.ok() && !reply.address().equals(address)) {
            verdict.broken(
                    "%s lives with %s and a repeated ADD says %s"
                            .formatted(sandbox.podName(), address, reply.address()));
        }
        return reply.ok();
    }

    /**
     * An ADD, and a DEL where it does not succeed: nobody looks at the node between them, when the
     * pod may have an address that no runtime knows of.
     *
     * @param kill whether the launcher is killed after a moment
     */
    Optional<String> addOrDelete(Sandbox sandbox, boolean kill, SplittableRandom random)
            throws IOException {
        calls.readLock().lock();
        try {
            Optional<String> address = Optional.empty();
            if (kill) {
                killed("ADD", sandbox, random);
                tally.addsKilled.incrementAndGet();
            } else {
                address = add(sandbox);
            }
            if (address.isEmpty()) {
                delete(sandbox, random);
            }
            return address;
        } finally {
            calls.readLock().unlock();
        }
    }

    /** Deletes the pod until that succeeds, sometimes after a launcher that was killed at it. */
    void delete(Sandbox sandbox, SplittableRandom random) throws IOException {
        calls.readLock().lock();
        try {
            holders.forEach((address, holder) -> {
                if (holder.equals(sandbox)) {
                    givenBackNanos.put(address, System.nanoTime());
                    holders.remove(address);
                }
            });
            if (random.nextInt(10) == 0) {
                killed("DEL", sandbox, random);
                tally.delsKilled.incrementAndGet();
            }
            succeeds(sandbox, () -> node.runtime().delete(sandbox));
        } finally {
            calls.readLock().unlock();
        }
    }

    /** The second DEL of a runtime, when the pod's namespace is gone. */
    void deleteAgain(Sandbox sandbox) throws IOException {
        calls.readLock().lock();
        try {
            succeeds(sandbox, () -> node.runtime().deleteAgain(sandbox));
        } finally {
            calls.readLock().unlock();
        }
    }

    @FunctionalInterface
    private interface Del {
        CniReply send() throws IOException;
    }

    private void succeeds(Sandbox sandbox, Del del) throws IOException {
        boolean down = node.daemon().pid() == 0;
        CniReply reply = del.send();
        for (int i = 1; i < DELETE_TRIES && !reply.ok(); i++) {
            tally.delsRepeated.incrementAndGet();
            pause(RETRY_MILLIS);
            reply = del.send();
        }
        if (!reply.ok()) {
            verdict.broken("DEL of " + sandbox.podName() + " never succeeds: " + reply.line());
        }
        tally.dels.incrementAndGet();
        if (down) {
            tally.delsWhileDown.incrementAndGet();
        }
    }

    private void killed(String verb, Sandbox sandbox, SplittableRandom random) throws IOException {
        Process call = node.runtime().start(verb, sandbox);
        try {
            call.waitFor(random.nextInt(KILLED_WITHIN_MICROS), TimeUnit.MICROSECONDS);
            call.destroyForcibly().waitFor();
        } catch (InterruptedException e) {
            call.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    /** Echo requests that must all be answered while both ends live. */
    void ping(Place from, Place to, int count) throws IOException {
        Pings pings = Pings.send(from.namespace(), to.address(), count);
        tally.pingsSent.addAndGet(pings.sent());
        if (pings.lost() > 0) {
            tally.pingsLost.addAndGet(pings.lost());
            verdict.broken(
                    "%s -> %s: %d of %d pings lost:%n%s"
                            .formatted(from, to, pings.lost(), pings.sent(), pings.words()));
        }
    }

    /** Looks at living pods, addresses by container id, while no call is under way. */
    <T> T withoutCalls(Look<T> look) throws IOException {
        calls.writeLock().lock();
        try {
            Map<String, String> living = new TreeMap<>();
            holders.forEach((address, pod) -> living.put(pod.containerId(), address));
            return look.at(living);
        } finally {
            calls.writeLock().unlock();
        }
    }

    /** What is done while no call is under way. */
    @FunctionalInterface
    interface Look<T> {
        T at(Map<String, String> living) throws IOException;
    }

    static void pause(long millis) throws IOException {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
