package dev.underlay.ipamd.owner;

import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.IpAddress;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** The node's routing: which blocks are routed where. It may hold its answers back, or refuse. */
public final class FakeNode implements NodeNetwork {
    private final Map<String, Set<Cidr>> routed = new TreeMap<>();
    private final Deque<Runnable> held = new ArrayDeque<>();
    private final Deque<CompletableFuture<Void>> flowsHeld = new ArrayDeque<>();
    private final List<Cidr> forgotten = new ArrayList<>();
    private boolean holding;
    private boolean flowsHolding;
    private boolean refusing;
    private int configured;
    private List<Cidr> cidrs = List.of();
    private Optional<IpAddress> ownIpv6 = Optional.empty();

    void hold() {
        holding = true;
    }

    /** The first of what is held back happens. */
    void letOneGo() {
        held.remove().run();
    }

    void letGo() {
        holding = false;
        while (!held.isEmpty()) {
            held.remove().run();
        }
    }

    /** Answers about flows wait from here on. */
    void holdFlows() {
        flowsHolding = true;
    }

    void letFlowsGo() {
        flowsHolding = false;
        while (!flowsHeld.isEmpty()) {
            flowsHeld.remove().complete(null);
        }
    }

    /** Of what flows were to be forgotten since the last time, but those of living pods. */
    List<String> takeForgotten() {
        List<String> taken = forgotten.stream().map(Cidr::toString).toList();
        forgotten.clear();
        return taken;
    }

    void refuse(boolean on) {
        refusing = on;
    }

    /** How many times an interface was configured. */
    int configured() {
        return configured;
    }

    boolean routes(Cidr block) {
        return routed.values().stream().anyMatch(blocks -> blocks.contains(block));
    }

    Map<String, Set<Cidr>> routed() {
        return routed;
    }

    List<Cidr> cidrs() {
        return cidrs;
    }

    Optional<IpAddress> ownIpv6() {
        return ownIpv6;
    }

    @Override
    public CompletionStage<Void> configure(CloudInterface attached, List<Cidr> blocks) {
        return step(() -> {
            configured++;
            routed.put(attached.id(), new HashSet<>(blocks));
        });
    }

    @Override
    public CompletionStage<Void> setBlocks(CloudInterface configured, List<Cidr> blocks) {
        return step(() -> routed.put(configured.id(), new HashSet<>(blocks)));
    }

    @Override
    public CompletionStage<Void> remove(CloudInterface configured) {
        return step(() -> routed.remove(configured.id()));
    }

    @Override
    public CompletionStage<Void> forgetFlows(List<Cidr> blocks, Set<IpAddress> living) {
        blocks.stream()
                .filter(block -> living.stream().noneMatch(block::contains))
                .forEach(forgotten::add);
        CompletableFuture<Void> done = new CompletableFuture<>();
        if (flowsHolding) {
            flowsHeld.add(done);
        } else {
            done.complete(null);
        }
        return done;
    }

    @Override
    public CompletionStage<Void> keepOnly(List<CloudInterface> attached) {
        List<String> ids = attached.stream().map(CloudInterface::id).toList();
        return step(() -> routed.keySet().retainAll(ids));
    }

    @Override
    public CompletionStage<Void> networkCidrs(List<Cidr> known) {
        return step(() -> cidrs = known);
    }

    @Override
    public CompletionStage<Void> ownIpv6(Optional<IpAddress> address) {
        return step(() -> ownIpv6 = address);
    }

    private CompletionStage<Void> step(Runnable change) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        Runnable step =
                () -> {
                    if (refusing) {
                        done.completeExceptionally(new IOException("the kernel refuses"));
                    } else {
                        change.run();
                        done.complete(null);
                    }
                };
        if (holding) {
            held.add(step);
        } else {
            step.run();
        }
        return done;
    }
}
