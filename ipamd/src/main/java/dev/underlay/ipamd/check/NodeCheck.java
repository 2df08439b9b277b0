package dev.underlay.ipamd.check;

import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.underlay.cni.wiring.HostEnd;
import dev.underlay.cni.wiring.PodSpec;
import dev.underlay.ipamd.kernel.KernelNode;
import dev.underlay.ipamd.kernel.KernelPods;
import dev.underlay.ipamd.observe.Events;
import dev.underlay.ipamd.owner.PoolOwner;
import dev.underlay.ipamd.owner.StatusReport;
import dev.underlay.pool.AttachmentKey;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The node's check on request, off the owner's thread, one at a time. A call of a runtime or an
 * answer of the cloud may be half-way at any look, so a finding counts when a second look, a moment
 * later, sees it too.
 */
public final class NodeCheck {
    /** The page that tells. */
    public static final String CHECK = "/check";

    /** The page that repairs, and tells what it did and what is left. */
    public static final String REPAIR = "/repair";

    private static final long MOMENT_MILLIS = 500; // A pod is wired in a few.
    private static final long ANSWER_SECONDS = 5;

    /**
     * What was found.
     *
     * @param leases how many were compared
     * @param links how many of pods were compared
     * @param interfaces how many were compared
     * @param findings what disagrees, after the repair if there was one
     * @param repaired what the repair put right
     * @param failures why some of it could not be put right
     */
    public record Result(
            int leases,
            int links,
            int interfaces,
            List<Finding> findings,
            List<Finding> repaired,
            List<String> failures) {}

    private record Look(StatusReport report, List<HostEnd> ends, List<Finding> findings) {}

    private final PoolOwner owner;
    private final KernelPods pods;
    private final KernelNode node;

    /** Reads nothing yet. */
    public NodeCheck(PoolOwner owner, KernelPods pods, KernelNode node) {
        this.owner = owner;
        this.pods = pods;
        this.node = node;
    }

    /** Compares and tells, as JSON. */
    public synchronized String look() throws IOException {
        return json(result(confirmed(), List.of(), List.of()));
    }

    /**
     * Puts back what is missing for pods and nodes, and takes nothing from a pod that has a lease
     * or a link; then compares again and tells, as JSON.
     */
    public synchronized String repair() throws IOException {
        Look before = confirmed();
        List<String> failures = new ArrayList<>();
        if (before.findings.stream().anyMatch(f -> f.repair().equals(Finding.FIX))) {
            try {
                await(node.repairNow().toCompletableFuture());
            } catch (IOException e) {
                failures.add(e.getMessage());
            }
            restorePods(before, failures);
        }
        Look after = confirmed();
        List<Finding> repaired =
                before.findings.stream()
                        .filter(b -> after.findings.stream().noneMatch(b::isSame))
                        .toList();
        for (Finding one : repaired) {
            Events.info("check.repaired", "kind", one.kind(), "thing", one.thing());
        }
        return json(result(after, repaired, failures));
    }

    /** Only of pods about which no call runs: that call would find its own work done already. */
    private void restorePods(Look before, List<String> failures) throws IOException {
        List<AttachmentKey> idle = await(owner.idle());
        Comparison.wired(before.report.leases(), before.ends)
                .forEach((lease, end) -> {
                    InetAddress address = InetAddress.ofLiteral(lease.address());
                    AttachmentKey key =
                            new AttachmentKey(
                                    lease.network(), lease.containerId(), lease.interfaceName());
                    if (Comparison.isWhole(end, address) || !idle.contains(key)) {
                        return;
                    }
                    PodSpec spec =
                            new PodSpec(
                                    end.link().attachment().orElseThrow(),
                                    end.mtuBytes(),
                                    List.of(address),
                                    node.nodeAddresses(),
                                    !end.ownAddresses().isEmpty());
                    try {
                        pods.restore(end.link(), spec);
                    } catch (IOException e) {
                        failures.add(e.getMessage());
                    }
                });
    }

    private Look confirmed() throws IOException {
        Look first = once();
        if (first.findings.isEmpty()) {
            return first;
        }
        try {
            TimeUnit.MILLISECONDS.sleep(MOMENT_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("the daemon is ending");
        }
        Look second = once();
        return new Look(
                second.report,
                second.ends,
                second.findings.stream()
                        .filter(f -> first.findings.stream().anyMatch(f::isSame))
                        .toList());
    }

    private Look once() throws IOException {
        StatusReport report = await(owner.report());
        List<HostEnd> ends = pods.hostEnds();
        KernelNode.RoutingLook routing = await(node.look().toCompletableFuture());
        return new Look(
                report, ends, Comparison.of(report, ends, routing.differences(), routing.blocks()));
    }

    private static Result result(Look look, List<Finding> repaired, List<String> failures) {
        return new Result(
                look.report.leases().size(),
                look.ends.size(),
                look.report.interfaces().size(),
                look.findings,
                List.copyOf(repaired),
                List.copyOf(failures));
    }

    private static String json(Result result) throws IOException {
        return new JsonMapper().writerWithDefaultPrettyPrinter().writeValueAsString(result);
    }

    private static <T> T await(CompletableFuture<T> answer) throws IOException {
        try {
            return answer.get(ANSWER_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new IOException(
                    e.getCause() == null ? e.getMessage() : e.getCause().getMessage(), e);
        } catch (TimeoutException e) {
            throw new IOException("the daemon is busy; try again", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("the daemon is ending");
        }
    }
}
