package dev.underlay.lab;

import dev.underlay.localvpc.Dials;
import dev.underlay.localvpc.Lag;
import dev.underlay.localvpc.LatencyProfile;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/**
 * A real daemon on a local VPC, killed with SIGKILL at random moments while pods come and go
 * through the launcher.
 *
 * <p>Some pods stay as long as their node and are pinged without a pause. Others live for a second
 * or two and are pinged as long; they are so many that interfaces must be made. Every so many kills
 * the calls stop and what runtime, daemon, kernel and VPC know is compared. Every so many more a
 * fresh node takes over, whose pool has yet to grow.
 */
final class Chaos {
    private static final String NODE_TYPE = "m5.large"; // 3 interfaces of 9 pod addresses

    /** Addresses and interfaces come and go with the pods, so that kills hit those calls too. */
    private static final Map<String, String> SETTINGS =
            Map.of(
                    "WARM_IP_TARGET",
                    "2",
                    "IP_COOLDOWN_PERIOD",
                    String.valueOf(ChaosPods.COOLDOWN.toSeconds()));

    private static final int STAYING = 6;
    private static final int WORKERS_FEW = 1;
    private static final int WORKERS_MAX = 10;
    private static final int KILLS_BETWEEN_LOOKS = 10;

    /** Then a fresh one: a pool gives back only after minutes, so it grows once. */
    private static final int KILLS_OF_A_NODE = 25;

    private static final int LIFE_MAX_PINGS = 8;
    private static final int STAYING_PINGS = 20; // a round; then the next begins

    /** What the daemon has come to when a kill hits it, and how long it may go on after that. */
    private enum Moment {
        /** Its process was started. */
        STARTING(900),
        /** It serves from journal and kernel, and does not know the cloud yet. */
        SERVING(300),
        /** The cloud has described the node: calls that grow and shrink the pool are under way. */
        COMPLETE(1_000);

        private final int withinMillis;

        Moment(int withinMillis) {
            this.withinMillis = withinMillis;
        }
    }

    /** Drawn from: the cheap one more often. */
    private static final List<Moment> MOMENTS =
            List.of(Moment.STARTING, Moment.STARTING, Moment.SERVING, Moment.COMPLETE);

    private static final int DOWN_MILLIS = 120;

    private static final int RESTING_MILLIS = 300;
    private static final int BACKING_OFF_MILLIS = 2_000; // a kubelet waits longer still
    private static final long LOOK_PAUSE_MILLIS = 150;
    private static final int ADD_KILLED_ONE_IN = 8;

    private static final Duration SERVES_WITHIN = Duration.ofSeconds(60);
    private static final Duration AGREES_WITHIN = Duration.ofSeconds(30);

    /** An ADD may wait in the queue as long as its deadline allows. */
    private static final Duration ENDS_WITHIN = Duration.ofSeconds(100);

    private final LabVpc vpc;
    private final LabNode node;
    private final SplittableRandom random;
    private final PrintStream progress;
    private final Verdict verdict;
    private final ChaosTally tally;
    private final ChaosPods pods;
    private final Agreement agreement;
    private final List<Place> staying = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();

    private volatile int workers = WORKERS_MAX;
    private volatile boolean ending;
    private long startedNanos;
    private int nextLookAt;
    private int lives;

    private Chaos(
            LabVpc vpc,
            LabNode node,
            SplittableRandom random,
            ChaosTally tally,
            PrintStream progress) {
        this.vpc = vpc;
        this.node = node;
        this.random = random;
        this.tally = tally;
        this.progress = progress;
        this.verdict = new Verdict(node.daemon()::logEnd);
        this.pods = new ChaosPods(node, verdict, tally);
        this.agreement = new Agreement(vpc, node);
    }

    /**
     * Runs it on VPCs of its own, one after the other, each with a fresh node; they are removed.
     *
     * @param seed of all random choices; the timing of threads and processes is not in it
     * @throws IOException when the run itself cannot go on
     */
    static ChaosReport run(Programs programs, int kills, long seed, PrintStream progress)
            throws IOException {
        progress.println("seed " + seed + ", " + kills + " kills");
        long began = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        ChaosTally tally = new ChaosTally();
        String broken = "";
        String log = "";
        while (tally.killed < kills && broken.isEmpty()) {
            try (LabRun run = LabRun.start();
                    LabVpc vpc = LabVpc.raise(run, programs, LatencyProfile.NONE)) {
                turn(vpc.cloud().dials());
                LabNode node = vpc.addNode(NODE_TYPE, 0, SETTINGS);
                Chaos chaos = new Chaos(vpc, node, random.split(), tally, progress);
                chaos.run(Math.min(kills, tally.killed + KILLS_OF_A_NODE));
                tally.interfacesMade += vpc.cloud().ledger().calls("CreateNetworkInterface");
                broken = chaos.verdict.broken();
                log = chaos.verdict.logThen();
            }
        }
        return tally.report(seed, System.nanoTime() - began, broken, log);
    }

    /** Fast, but every call and change takes a while, so that kills hit the middle of them. */
    private static void turn(Dials dials) {
        for (String action :
                List.of(
                        "CreateNetworkInterface",
                        "AttachNetworkInterface",
                        "ModifyNetworkInterfaceAttribute",
                        "AssignPrivateIpAddresses",
                        "UnassignPrivateIpAddresses",
                        "DetachNetworkInterface",
                        "DeleteNetworkInterface",
                        "DescribeNetworkInterfaces")) {
            dials.callLatency(action, Duration.ofMillis(40));
        }
        dials.lag(Lag.PENDING, Duration.ofMillis(50));
        dials.lag(Lag.ATTACH, Duration.ofMillis(100));
        dials.lag(Lag.DEVICE, Duration.ofMillis(150));
        dials.lag(Lag.DETACH, Duration.ofMillis(150));
        dials.lag(Lag.DESCRIBE, Duration.ofMillis(80));
    }

    private void run(int kills) throws IOException {
        nextLookAt = tally.killed + KILLS_BETWEEN_LOOKS;
        try {
            startDaemon();
            node.daemon().awaitReady();
            List<Sandbox> stays = stay();
            Sandbox probe = pods.sandbox("probe");
            String address = added(probe);
            for (int i = 0; i < WORKERS_MAX; i++) {
                int number = i;
                SplittableRandom its = random.split();
                inBackground("worker-" + i, () -> work(number, its));
            }
            while (tally.killed < kills && !verdict.isBroken()) {
                address = untilKilled(probe, address);
                startDaemon();
            }
            if (!verdict.isBroken()) {
                serves(probe, address);
                lookAtAll();
                leave(stays, probe);
            }
        } finally {
            ending = true;
            join();
        }
    }

    private void startDaemon() throws IOException {
        startedNanos = System.nanoTime();
        node.daemon().start();
    }

    /**
     * One life of the daemon.
     *
     * @return the address that the probe has now
     */
    private String untilKilled(Sandbox probe, String address) throws IOException {
        Moment moment =
                lives++ == 0 ? Moment.COMPLETE : MOMENTS.get(random.nextInt(MOMENTS.size()));
        String next = address;
        if (moment == Moment.STARTING) {
            tally.killedWhileStarting++;
        } else {
            next = serves(probe, address);
        }
        if (moment == Moment.COMPLETE) {
            node.daemon().awaitReady();
        }
        if (moment != Moment.STARTING && tally.killed >= nextLookAt) {
            lookAtAll();
            nextLookAt = tally.killed + KILLS_BETWEEN_LOOKS;
        }
        ChaosPods.pause(random.nextInt(moment.withinMillis));
        node.daemon().kill();
        tally.killed++;
        ChaosPods.pause(random.nextInt(DOWN_MILLIS));
        return next;
    }

    /**
     * Waits until the daemon serves an ADD of the living probe again, which must bring the same
     * address, then a DEL of it, then a new ADD.
     */
    private String serves(Sandbox probe, String address) throws IOException {
        boolean served = Await.until(SERVES_WITHIN, () -> pods.addAgain(probe, address), ok -> ok);
        if (!served) {
            verdict.broken("no ADD is served within " + SERVES_WITHIN + " of a start");
            return address;
        }
        tally.recoveryMillis.add(sinceStartMillis());
        pods.delete(probe, random);
        tally.slowestDelMillis = Math.max(tally.slowestDelMillis, sinceStartMillis());
        return added(probe);
    }

    private long sinceStartMillis() {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startedNanos);
    }

    /** The address of an ADD that nothing disturbs. */
    private String added(Sandbox pod) throws IOException {
        Optional<String> address = pods.add(pod);
        if (address.isEmpty()) {
            verdict.broken(
                    "an ADD of %s is refused while the daemon lives; refusals by code: %s"
                            .formatted(pod.podName(), tally.addsRefused));
        }
        return address.orElse("");
    }

    /** Adds the pods that stay and pings each without a pause, from outside or from another. */
    private List<Sandbox> stay() throws IOException {
        List<Sandbox> sandboxes = new ArrayList<>();
        for (int i = 0; i < STAYING; i++) {
            Sandbox pod = pods.sandbox("stays");
            sandboxes.add(pod);
            staying.add(new Place(pod.podName(), pod.netns(), added(pod)));
        }
        for (int i = 0; i < STAYING; i++) {
            Place from = i % 2 == 0 ? vpc.internet() : staying.get((i + 1) % STAYING);
            Place to = staying.get(i);
            inBackground(
                    "pinger-" + i,
                    () -> {
                        while (goesOn()) {
                            pods.ping(from, to, STAYING_PINGS);
                        }
                    });
        }
        return sandboxes;
    }

    /** One pod after the other: ADD, a short life with pings, DEL. */
    private void work(int number, SplittableRandom its) throws IOException {
        while (goesOn()) {
            if (number >= workers) {
                ChaosPods.pause(its.nextInt(RESTING_MILLIS));
                continue;
            }
            Sandbox pod = pods.sandbox("pod");
            boolean kill = its.nextInt(ADD_KILLED_ONE_IN) == 0;
            Optional<String> address = pods.addOrDelete(pod, kill, its);
            if (address.isPresent()) {
                live(new Place(pod.podName(), pod.netns(), address.get()), its);
                pods.delete(pod, its);
            } else if (!kill) {
                ChaosPods.pause(its.nextInt(BACKING_OFF_MILLIS));
            }
            pod.netns().delete();
            pods.deleteAgain(pod);
        }
    }

    private void live(Place pod, SplittableRandom its) throws IOException {
        int count = 1 + its.nextInt(LIFE_MAX_PINGS);
        if (its.nextBoolean()) {
            pods.ping(vpc.internet(), pod, count);
        } else {
            pods.ping(pod, staying.get(its.nextInt(STAYING)), count);
        }
    }

    /** Everything that knows of pods says the same, a while after the calls have stopped. */
    private void lookAtAll() throws IOException {
        String difference =
                pods.withoutCalls(living ->
                        Await.until(
                                AGREES_WITHIN,
                                () -> {
                                    String seen = agreement.difference(living);
                                    ChaosPods.pause(seen.isEmpty() ? 0 : LOOK_PAUSE_MILLIS);
                                    return seen;
                                },
                                String::isEmpty));
        if (!difference.isEmpty()) {
            verdict.broken(AGREES_WITHIN + " after the last call: " + difference);
            return;
        }
        tally.agreements++;
        workers = workers > WORKERS_FEW ? WORKERS_FEW : WORKERS_MAX;
        progress.printf(
                "%d kills, %d ADDs, %d DELs, %d pings: all agree%n",
                tally.killed, tally.adds.get(), tally.dels.get(), tally.pingsSent.get());
    }

    /** All pods go; nothing of them may remain. */
    private void leave(List<Sandbox> stays, Sandbox probe) throws IOException {
        ending = true;
        join();
        for (Sandbox pod : stays) {
            pods.delete(pod, random);
        }
        pods.delete(probe, random);
        lookAtAll();
        String litter = Await.until(AGREES_WITHIN, agreement::litter, String::isEmpty);
        if (!litter.isEmpty()) {
            verdict.broken("files are left: " + litter);
        }
        int code = node.daemon().stop();
        if (code != 0) {
            verdict.broken("the daemon ends with code " + code + " on SIGTERM");
        }
    }

    private boolean goesOn() {
        return !ending && !verdict.isBroken();
    }

    /** What a thread of the run does. */
    @FunctionalInterface
    private interface Part {
        void run() throws IOException;
    }

    private void inBackground(String name, Part part) {
        threads.add(
                Thread.ofPlatform()
                        .name(name)
                        .daemon(true)
                        .start(() -> {
                            try {
                                part.run();
                            } catch (IOException | RuntimeException e) {
                                if (goesOn()) {
                                    verdict.broken(name + " cannot go on: " + e);
                                }
                            }
                        }));
    }

    /** Waits for the threads; once something is broken they are not worth waiting for. */
    private void join() throws IOException {
        try {
            for (Thread thread : threads) {
                if (verdict.isBroken()) {
                    thread.interrupt();
                }
                if (!thread.join(ENDS_WITHIN)) {
                    verdict.broken(thread.getName() + " does not end within " + ENDS_WITHIN);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }
}
