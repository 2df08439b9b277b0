package dev.underlay.ipamd;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.underlay.cloud.aws.AwsCloudNetwork;
import dev.underlay.cni.linux.Fd;
import dev.underlay.cni.linux.Linux;
import dev.underlay.cni.protocol.CniError;
import dev.underlay.cni.socket.DelIntents;
import dev.underlay.cni.socket.LauncherServer;
import dev.underlay.cni.wiring.PodLink;
import dev.underlay.ipamd.check.NodeCheck;
import dev.underlay.ipamd.install.Installer;
import dev.underlay.ipamd.journal.Journal;
import dev.underlay.ipamd.kernel.KernelNode;
import dev.underlay.ipamd.kernel.KernelPods;
import dev.underlay.ipamd.kernel.LinkWatch;
import dev.underlay.ipamd.kube.ApiServer;
import dev.underlay.ipamd.kube.KubeSettings;
import dev.underlay.ipamd.kube.Leadership;
import dev.underlay.ipamd.kube.NodeListener;
import dev.underlay.ipamd.observe.Events;
import dev.underlay.ipamd.observe.GuardedLoop;
import dev.underlay.ipamd.observe.HealthServer;
import dev.underlay.ipamd.observe.Metrics;
import dev.underlay.ipamd.owner.HistoryReport;
import dev.underlay.ipamd.owner.NodeState;
import dev.underlay.ipamd.owner.OwnerThread;
import dev.underlay.ipamd.owner.PoolOwner;
import dev.underlay.ipamd.owner.Recovery;
import dev.underlay.ipamd.serve.CniHandler;
import dev.underlay.ipamd.serve.DelVerb;
import dev.underlay.ipamd.serve.PastDels;
import dev.underlay.pool.Cordon;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The parts put together. The order of a start: what journal and kernel know, the socket, the
 * owner's thread; only then the cloud's SDK, metrics and health, which load many classes.
 */
final class Daemon implements AutoCloseable {
    private static final int MAX_WAITING = 256; // as many ADDs as the server lets in
    private static final Duration INTENT_PERIOD = Duration.ofSeconds(3);
    private static final long OWNER_SECONDS = 2;
    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
    private static final Path OWN_NAMESPACE = Path.of("/proc/self/ns/net");

    private static final FileAttribute<Set<PosixFilePermission>> OWNER_ONLY =
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

    private final Deque<AutoCloseable> parts = new ConcurrentLinkedDeque<>();

    private Daemon() {}

    /**
     * Starts everything; the daemon serves when this returns.
     *
     * @throws IOException naming what could not be had
     */
    static Daemon start(DaemonSettings settings) throws IOException {
        Daemon daemon = new Daemon();
        try {
            daemon.run(settings);
            return daemon;
        } catch (IOException | RuntimeException e) {
            daemon.close();
            throw e;
        }
    }

    private void run(DaemonSettings settings) throws IOException {
        long begin = Linux.bootTimeNanos();
        if (!Files.isDirectory(settings.runDir())) {
            Files.createDirectories(settings.runDir(), OWNER_ONLY);
        }
        Metrics metrics = new Metrics();
        KernelPods pods = part(new KernelPods(metrics));
        LinkWatch links = part(LinkWatch.open(metrics));
        KernelNode node = part(new KernelNode(links));

        OwnerThread thread = part(new OwnerThread(Linux::bootTimeNanos, metrics));
        AwsCloudNetwork cloud =
                part(
                        new AwsCloudNetwork(
                                settings.aws(),
                                (action, outcome, nanos) ->
                                        metrics.cloudCalled(action, outcome.name(), nanos)));
        part(lock(settings.runDir()));
        Journal.Opened opened = openJournal(settings);
        PoolOwner owner =
                new PoolOwner(
                        thread,
                        Linux::bootTimeNanos,
                        opened.journal(),
                        new PoolOwner.Config(
                                settings.pool(),
                                settings.addWait().toNanos(),
                                MAX_WAITING,
                                () -> UUID.randomUUID().toString()),
                        new PoolOwner.Ports(new CloudThreads(cloud, metrics), node, metrics));
        recover(settings, opened, pods, owner);

        DelVerb del = new DelVerb(owner, pods);
        PastDels past =
                new PastDels(new DelIntents(settings.runDir().resolve("intents")), owner, del);
        CniHandler handler =
                new CniHandler(
                        owner,
                        new CniHandler.Kernel(pods, node),
                        del,
                        past,
                        ownNamespace(),
                        metrics,
                        Linux::bootTimeNanos);
        Path socket = settings.runDir().resolve("ipamd.sock");
        part(LauncherServer.start(socket, handler, LauncherServer.Limits.DEFAULT));
        thread.start(owner::settle);
        links.start(new LinkListener(owner, node));
        pods.startEmptyingTrash();
        node.startRepairing();
        Events.info(
                "daemon.serving",
                "socket",
                socket,
                "after_ms",
                TimeUnit.NANOSECONDS.toMillis(Linux.bootTimeNanos() - begin));

        HealthServer health =
                part(
                        HealthServer.start(
                                settings.healthAddress(),
                                () -> notReady(owner),
                                () -> json(owner.report())));
        health.addPage("GET", HistoryReport.PAGE, () -> json(owner.history(Instant.now())));
        NodeCheck check = new NodeCheck(owner, pods, node);
        health.addPage("GET", NodeCheck.CHECK, check::look);
        health.addPage("POST", NodeCheck.REPAIR, check::repair);
        part(metrics.serve(settings.metricsAddress()));
        NodeWatch watch = new NodeWatch(cloud, owner);
        part(watch.start(metrics));
        part(settings.folder().watch(settings.pool(), owner::settings, metrics));
        // A launcher that gave up on a slow daemon leaves an intent too, so this never ends.
        part(
                GuardedLoop.start(
                        Thread.ofPlatform().daemon(true),
                        "intents",
                        INTENT_PERIOD,
                        metrics,
                        past::sweep));
        Installer installer =
                new Installer(
                        settings.cniBinDir(), settings.cniConfDir(), settings.launcher(), socket);
        owner.serving().thenRunAsync(() -> install(installer));
        settings.kube().ifPresent(kube -> join(kube, settings, owner, cloud, watch, metrics));
    }

    /** Joins the cluster. What it is needed for can wait: pods are served without it. */
    private void join(
            KubeSettings kube,
            DaemonSettings settings,
            PoolOwner owner,
            AwsCloudNetwork cloud,
            NodeWatch watch,
            Metrics metrics) {
        owner.cordon(Cordon.UNKNOWN);
        ApiServer cluster;
        try {
            cluster = part(ApiServer.start(kube, new NodeSaid(owner), metrics));
        } catch (RuntimeException e) {
            Events.error(
                    "cluster.unreachable", e, "next", "correct KUBECONFIG, then restart ipamd");
            return;
        }
        if (settings.aws().clusterName().isEmpty()) {
            Events.warn(
                    "orphans.remain",
                    "error",
                    "CLUSTER_NAME is not set: interfaces that ended nodes leave are not removed");
            return;
        }
        Leadership leadership = cluster.stand();
        watch.identified()
                .thenAccept(identity ->
                        part(
                                new OrphanSweeper(
                                                cloud,
                                                identity.instanceId(),
                                                InstantSource.system())
                                        .start(leadership::leading, metrics)));
    }

    private <T extends AutoCloseable> T part(T part) {
        parts.push(part);
        return part;
    }

    /** Two daemons would write one journal. The kernel frees the lock when the process ends. */
    private static FileChannel lock(Path runDir) throws IOException {
        Path path = runDir.resolve("lock");
        FileChannel file =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        if (file.tryLock() == null) {
            file.close();
            throw new IOException(
                    "another ipamd runs with " + runDir + "; stop it or choose another --run-dir");
        }
        return file;
    }

    private Journal.Opened openJournal(DaemonSettings settings) throws IOException {
        Journal.Opened opened =
                Journal.open(
                        settings.runDir().resolve("journal"),
                        Files.readString(BOOT_ID).strip(),
                        Linux.bootTimeNanos());
        opened.damage().ifPresent(damage -> Events.warn("journal.damaged", "error", damage));
        part(opened.journal());
        return opened;
    }

    private static void recover(
            DaemonSettings settings, Journal.Opened opened, KernelPods pods, PoolOwner owner)
            throws IOException {
        Recovery recovery =
                Recovery.of(
                        opened.journal().state(),
                        pods.list(),
                        Linux.bootTimeNanos(),
                        settings.pool().cooldownNanos());
        for (PodLink link : recovery.cutOff()) {
            Events.info("link.cut-off", "link", link.name());
            pods.unwire(Optional.empty(), link);
        }
        owner.recover(recovery.state());
        if (opened.damage().isPresent()) {
            owner.restAll(Linux.bootTimeNanos() + settings.pool().cooldownNanos());
        }
        Events.info(
                "daemon.recovered",
                "leases",
                recovery.state().leases().size(),
                "cooling",
                recovery.state().cooling().size(),
                "interfaces",
                recovery.state().interfaces().size(),
                "news",
                recovery.state().news().size());
    }

    private static long ownNamespace() throws IOException {
        try (Fd namespace = Linux.open(OWN_NAMESPACE.toString(), Linux.O_RDONLY)) {
            return Linux.inode(namespace);
        }
    }

    private record NodeSaid(PoolOwner owner) implements NodeListener {
        @Override
        public void cordon(Cordon cordon) {
            owner.cordon(cordon);
        }

        @Override
        public void podCapacity(int pods) {
            owner.podCapacity(pods);
        }
    }

    private record LinkListener(PoolOwner owner, KernelNode node) implements LinkWatch.Listener {
        @Override
        public void gone(int index) {
            node.interfaceOf(index)
                    .ifPresentOrElse(owner::interfaceLinkGone, () -> owner.linkGone(index));
        }

        @Override
        public Set<Integer> known() throws IOException {
            Set<Integer> known = new HashSet<>(node.linkIndexes());
            try {
                known.addAll(owner.podLinks().get(OWNER_SECONDS, TimeUnit.SECONDS));
            } catch (ExecutionException | TimeoutException e) {
                throw new IOException("the pool's owner does not tell the pods' links", e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted", e);
            }
            return known;
        }
    }

    private static void install(Installer installer) {
        try {
            List<Path> written = installer.install();
            Events.info("install.done", "written", written);
        } catch (IOException e) {
            Events.warn("install.failed", "error", e.getMessage());
        }
    }

    private static Optional<String> notReady(PoolOwner owner) {
        NodeState state = owner.state();
        Optional<CniError> refusal = state.refusal(Linux.bootTimeNanos());
        if (refusal.isPresent()) {
            return Optional.of(refusal.get().message() + ": " + refusal.get().details());
        }
        return state.reconciled()
                ? Optional.empty()
                : Optional.of("the cloud has not described this node's interfaces yet");
    }

    private static String json(Future<?> report) {
        try {
            return new JsonMapper()
                    .writerWithDefaultPrettyPrinter()
                    .writeValueAsString(report.get(OWNER_SECONDS, TimeUnit.SECONDS));
        } catch (JsonProcessingException | ExecutionException | TimeoutException e) {
            throw new IllegalStateException("the owner could not tell", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /**
     * Ends what was started, last first. Nothing in the kernel is touched: living pods keep their
     * packets.
     */
    @Override
    public void close() {
        Events.info("daemon.ending");
        for (AutoCloseable part : parts) {
            try {
                part.close();
            } catch (Exception e) {
                Events.warn("daemon.close-failed", "error", e.getMessage());
            }
        }
    }
}
