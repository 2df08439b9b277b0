package dev.underlay.ipamd.serve;

import dev.underlay.cni.linux.Fd;
import dev.underlay.cni.linux.Linux;
import dev.underlay.cni.protocol.CniError;
import dev.underlay.cni.protocol.CniRequest;
import dev.underlay.cni.protocol.CniResult;
import dev.underlay.cni.protocol.SpecVersion;
import dev.underlay.cni.socket.LauncherCall;
import dev.underlay.cni.socket.LauncherHandler;
import dev.underlay.cni.wiring.Attachment;
import dev.underlay.cni.wiring.PodSpec;
import dev.underlay.cni.wiring.WiredPod;
import dev.underlay.cni.wiring.WiringException;
import dev.underlay.ipamd.journal.JournalRecord.Held;
import dev.underlay.ipamd.journal.JournalRecord.Leased;
import dev.underlay.ipamd.observe.Events;
import dev.underlay.ipamd.owner.AddAnswer;
import dev.underlay.ipamd.owner.PoolOwner;
import dev.underlay.ipamd.owner.Sandbox;
import dev.underlay.ipamd.owner.Turn;
import dev.underlay.pool.AttachmentKey;
import dev.underlay.pool.IpAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;

/**
 * ADD: lease or wait, wire, tell. Whatever fails on the way, the pod's links are gone and the
 * address is back before the error leaves.
 */
final class AddVerb {
    /** How often a waiting ADD looks whether its launcher is still there. */
    private static final long HANG_UP_LOOK_MILLIS = 100;

    private final PoolOwner owner;
    private final PodNetwork pods;
    private final LinkFacts facts;
    private final long ownNamespace;

    /**
     * @param ownNamespace the inode of the daemon's own network namespace, which is never a pod's
     */
    AddVerb(PoolOwner owner, PodNetwork pods, LinkFacts facts, long ownNamespace) {
        this.owner = owner;
        this.pods = pods;
        this.facts = facts;
        this.ownNamespace = ownNamespace;
    }

    CniResult run(CniRequest request, LauncherCall call, LauncherHandler.HangUp hangUp)
            throws CniFailure, IOException {
        long start = System.nanoTime();
        Fd namespace = namespace(request, call);
        Fd routeSocket =
                call.descriptor(LauncherCall.ROUTE_SOCKET).orElseThrow(() -> noDescriptor(request));
        long inode = Linux.inode(namespace);
        if (inode == ownNamespace) {
            throw new CniFailure(
                    CniError.badNamespace(
                            request.netns(),
                            "it is the node's own; the runtime must make one for the pod"));
        }
        Attachment attachment =
                new Attachment(
                        request.network(),
                        request.containerId(),
                        request.interfaceName(),
                        inode,
                        request.podNamespace(),
                        request.podName());
        requireAlias(attachment);
        AttachmentKey key =
                new AttachmentKey(
                        request.network(), request.containerId(), request.interfaceName());
        Turn.Add turn =
                owner.add(new Sandbox(key, inode, request.podNamespace(), request.podName()));
        return switch (await(turn, hangUp)) {
            case AddAnswer.Refused(var error) -> throw new CniFailure(error);
            case AddAnswer.Stored(var stored) -> {
                Events.info(
                        "address.repeated",
                        "pod",
                        turn.sandbox().pod(),
                        "container",
                        key.containerId());
                yield CniResult.parse(stored);
            }
            case AddAnswer.Granted granted -> {
                Wiring wiring =
                        new Wiring(
                                turn, granted, attachment, request, call, namespace, routeSocket);
                CniResult result = wire(wiring, hangUp);
                logLeased(turn, granted.lease(), start);
                yield result;
            }
        };
    }

    private record Wiring(
            Turn.Add turn,
            AddAnswer.Granted granted,
            Attachment attachment,
            CniRequest request,
            LauncherCall call,
            Fd namespace,
            Fd routeSocket) {}

    /**
     * The turn is this ADD's own until {@code wired} or {@code abandon}; one of them always comes.
     */
    private CniResult wire(Wiring wiring, LauncherHandler.HangUp hangUp)
            throws CniFailure, IOException {
        boolean done = false;
        boolean reachable = wiring.granted.leftover().isPresent();
        try {
            if (wiring.granted.leftover().isPresent()) {
                pods.unwire(Optional.of(wiring.routeSocket), wiring.granted.leftover().get());
            }
            PodSpec spec =
                    spec(wiring.attachment, wiring.granted.lease(), wiring.request.mtuBytes());
            WiredPod pod =
                    pods.wire(
                            wiring.routeSocket, wiring.namespace, wiring.call.descriptors(), spec);
            reachable = true;
            CniResult own = Results.of(pod, spec, wiring.request.netns());
            CniResult result = wiring.request.previous().map(p -> p.plus(own)).orElse(own);
            done =
                    !hangUp.happened()
                            && join(
                                    owner.wired(
                                            wiring.turn,
                                            result.json(SpecVersion.NEWEST),
                                            pod.link()));
            if (!done) {
                pods.unwire(Optional.of(wiring.routeSocket), pod.link());
                throw new CniFailure(
                        CniError.tryAgain("the caller has gone; the ADD was undone", ""));
            }
            return result;
        } catch (WiringException e) {
            reachable |= e.linkRemains();
            throw e;
        } finally {
            if (!done) {
                join(owner.abandon(wiring.turn, reachable));
            }
        }
    }

    /** The pod's link is no larger than that of any interface that its packets leave by. */
    PodSpec spec(Attachment attachment, Leased lease, int mtuBytes) {
        return new PodSpec(
                attachment,
                mtuBytes > 0
                        ? mtuBytes
                        : lease.held().stream()
                                .mapToInt(one -> facts.mtuBytes(one.interfaceId()))
                                .min()
                                .orElseThrow(),
                lease.addresses().stream().map(AddVerb::inet).toList(),
                facts.nodeAddresses(),
                false);
    }

    private AddAnswer await(Turn.Add turn, LauncherHandler.HangUp hangUp) throws CniFailure {
        while (true) {
            try {
                return turn.answer().get(HANG_UP_LOOK_MILLIS, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                if (hangUp.happened()) {
                    join(owner.abandon(turn, false));
                    throw new CniFailure(
                            CniError.tryAgain("the caller has gone; nothing was leased", ""));
                }
            } catch (InterruptedException e) {
                var _ = owner.abandon(turn, false);
                Thread.currentThread().interrupt();
                throw new CniFailure(
                        CniError.tryAgain(
                                "ipamd is ending; its successor serves the next try", ""));
            } catch (ExecutionException e) {
                throw new IllegalStateException("an ADD's answer never fails", e);
            }
        }
    }

    private static Fd namespace(CniRequest request, LauncherCall call) throws CniFailure {
        return call.descriptor(LauncherCall.NETNS).orElseThrow(() -> noDescriptor(request));
    }

    private static CniFailure noDescriptor(CniRequest request) {
        return new CniFailure(
                CniError.badNamespace(
                        request.netns(),
                        "the launcher sent no descriptor of it; restart ipamd, which installs its"
                                + " own launcher"));
    }

    private static void requireAlias(Attachment attachment) throws CniFailure {
        try {
            attachment.toAlias();
        } catch (IllegalArgumentException e) {
            throw new CniFailure(
                    CniError.badVariable(
                            "CNI_CONTAINERID",
                            attachment.containerId(),
                            "short enough for a link's alias: " + e.getMessage()));
        }
    }

    static <T> T join(CompletableFuture<T> future) {
        return future.join();
    }

    private static void logLeased(Turn.Add turn, Leased lease, long startNanos) {
        Events.info(
                "address.leased",
                "pod",
                turn.sandbox().pod(),
                "container",
                turn.key().containerId(),
                "ip",
                ips(lease),
                "eni",
                enis(lease),
                "took_ms",
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNanos));
    }

    /** A pod's addresses as one value of a log line. */
    static String ips(Leased lease) {
        return lease.addresses().stream().map(IpAddress::toString).collect(Collectors.joining(","));
    }

    /** Where they are, each interface once. */
    static String enis(Leased lease) {
        return lease.held().stream()
                .map(Held::interfaceId)
                .distinct()
                .collect(Collectors.joining(","));
    }

    static InetAddress inet(IpAddress address) {
        try {
            return InetAddress.getByAddress(address.toBytes());
        } catch (UnknownHostException e) {
            throw new IllegalStateException("4 and 16 bytes are always an address", e);
        }
    }
}
