package dev.underlay.lab;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.underlay.localvpc.Dials;
import dev.underlay.localvpc.Lag;
import dev.underlay.localvpc.LatencyProfile;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;

/** Many ADDs at the same moment on a node whose daemon has just become ready. */
final class BurstBench {
    /** How much later than the cloud's own shortest sequence the last pod may be served. */
    static final Duration GOAL = Duration.ofMillis(500);

    /** An EC2 instance type and how many pods start at once on it. */
    record Node(String type, int pods) {}

    /** Not counted: it loads what this process and its VPC need. The daemon is new each time. */
    static final Node WARM_UP = new Node("m5.large", 12);

    /** What the VPC CNI was measured with. */
    static final List<Node> NODES = List.of(new Node("m5.large", 27), new Node("m5.xlarge", 50));

    /**
     * What one burst took.
     *
     * @param type the EC2 instance type
     * @param pods ADDs at once
     * @param refused ADDs that failed
     * @param firstRefusal the first one's words; empty without one
     * @param freeAtStart free addresses when the first ADD started
     * @param interfacesMade interfaces that were attached for the burst
     * @param lastServedMillis from the start of the first ADD to the end of the last
     * @param shortestMillis what the cloud's own calls take at least
     * @param calls EC2 calls of the daemon since the first ADD, by action
     */
    record Result(
            String type,
            int pods,
            long refused,
            String firstRefusal,
            int freeAtStart,
            int interfacesMade,
            long lastServedMillis,
            long shortestMillis,
            Map<String, Long> calls) {
        @JsonProperty
        long differenceMillis() {
            return lastServedMillis - shortestMillis;
        }

        @JsonProperty
        boolean ok() {
            return refused == 0 && differenceMillis() <= GOAL.toMillis();
        }

        String text() {
            return "%s  %d pods at once on a fresh %s: last served after %d ms, %d refused%s%n"
                            .formatted(
                                    ok() ? "ok  " : "FAIL",
                                    pods,
                                    type,
                                    lastServedMillis,
                                    refused,
                                    firstRefusal.isEmpty() ? "" : " (" + firstRefusal + ")")
                    + ("      the cloud's shortest sequence takes %d ms: %s;"
                                    + " difference %d ms (at most %d)%n")
                            .formatted(
                                    shortestMillis,
                                    interfacesMade == 0
                                            ? "one assign on the primary interface"
                                            : "create + attach + device, for all "
                                                    + interfacesMade
                                                    + " interfaces at once and beside one assign on"
                                                    + " the primary",
                                    differenceMillis(),
                                    GOAL.toMillis())
                    + "      %d addresses were free; EC2 calls: %s".formatted(freeAtStart, calls);
        }
    }

    private BurstBench() {}

    /** Raises a VPC of its own for one node and removes it. */
    static Result run(Programs programs, Node wanted) throws IOException {
        try (LabRun run = LabRun.start();
                LabVpc vpc = LabVpc.raise(run, programs, LatencyProfile.STEADY)) {
            LabNode node = vpc.addNode(wanted.type(), 0, Map.of());
            List<Sandbox> sandboxes = new ArrayList<>();
            for (int i = 0; i < wanted.pods(); i++) {
                sandboxes.add(node.runtime().sandbox("pod-" + i));
            }
            node.daemon().start();
            node.daemon().awaitReady();
            return measure(vpc, node, sandboxes);
        }
    }

    private static Result measure(LabVpc vpc, LabNode node, List<Sandbox> sandboxes)
            throws IOException {
        CniReply status = node.runtime().status(); // also loads what a call needs here
        if (!status.ok()) {
            throw new IOException("STATUS on a ready node: " + status.line());
        }
        Map<String, Long> before = calls(vpc);
        int attachedBefore = attached(vpc, node);
        int free = node.daemon().status().path("slots").path("free").asInt();
        AtomicLong first = new AtomicLong(Long.MAX_VALUE);
        AtomicLong last = new AtomicLong(Long.MIN_VALUE);
        List<CniReply> replies =
                Parallel.map(
                        sandboxes.size(),
                        sandboxes,
                        sandbox -> {
                            CniReply reply = node.runtime().add(sandbox);
                            long now = System.nanoTime();
                            first.accumulateAndGet(now - reply.took().toNanos(), Math::min);
                            last.accumulateAndGet(now, Math::max);
                            return reply;
                        });
        Map<String, Long> calls = calls(vpc);
        before.forEach((action, count) -> calls.merge(action, -count, Long::sum));
        calls.values().removeIf(count -> count == 0);
        int made = attached(vpc, node) - attachedBefore;
        List<String> refusals =
                replies.stream().filter(reply -> !reply.ok()).map(CniReply::line).toList();
        return new Result(
                node.instance().type(),
                sandboxes.size(),
                refusals.size(),
                refusals.isEmpty() ? "" : refusals.getFirst(),
                free,
                made,
                Duration.ofNanos(last.get() - first.get()).toMillis(),
                shortest(vpc.cloud().dials(), made).toMillis(),
                calls);
    }

    /**
     * What the dials alone cost: an interface is made with its addresses, attached, and its device
     * appears; all interfaces go at once, and beside them one assign fills the primary one.
     */
    private static Duration shortest(Dials dials, int interfacesMade) {
        Duration assign = dials.callLatency("AssignPrivateIpAddresses");
        Duration made =
                dials.callLatency("CreateNetworkInterface")
                        .plus(dials.callLatency("AttachNetworkInterface"))
                        .plus(dials.lag(Lag.DEVICE));
        return interfacesMade == 0 || assign.compareTo(made) > 0 ? assign : made;
    }

    private static int attached(LabVpc vpc, LabNode node) {
        return (int)
                vpc.cloud().interfaces().stream()
                        .filter(eni -> eni.isAt(node.instance().id()))
                        .count();
    }

    private static Map<String, Long> calls(LabVpc vpc) {
        Map<String, Long> calls = new TreeMap<>();
        vpc.cloud()
                .ledger()
                .counts()
                .forEach((key, count) -> {
                    if (!key.action().equals("Metadata")) {
                        calls.merge(key.action(), count, Long::sum);
                    }
                });
        return calls;
    }
}
