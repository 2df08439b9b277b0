package dev.underlay.ipamd.simulation;

import dev.underlay.ipamd.owner.NodeNetwork;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.IpAddress;
import java.io.IOException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** The kernel's part of routing; it outlives the daemons, each of which talks to it by a face. */
final class SimulatedNode {
    private final Simulation world;
    private final Map<String, Set<Cidr>> routed = new TreeMap<>();

    /** Addresses whose flows the node remembers. */
    private final Set<IpAddress> flows = new HashSet<>();

    private long busyUntilNanos;

    SimulatedNode(Simulation world) {
        this.world = world;
    }

    boolean routes(IpAddress address) {
        return routed.values().stream()
                .anyMatch(blocks -> blocks.stream().anyMatch(block -> block.contains(address)));
    }

    Map<String, Set<Cidr>> routed() {
        return routed;
    }

    void remember(IpAddress address) {
        flows.add(address);
    }

    boolean remembers(IpAddress address) {
        return flows.contains(address);
    }

    NodeNetwork face(Daemon daemon) {
        return new Face(daemon);
    }

    private final class Face implements NodeNetwork {
        private final Daemon daemon;

        Face(Daemon daemon) {
            this.daemon = daemon;
        }

        @Override
        public CompletionStage<Void> configure(CloudInterface attached, List<Cidr> blocks) {
            return inOrder(
                    3 * Schedule.SECOND,
                    "configure " + attached.id(),
                    world.cloud.attached(attached.id()),
                    () -> routed.put(attached.id(), new HashSet<>(blocks)));
        }

        @Override
        public CompletionStage<Void> setBlocks(CloudInterface configured, List<Cidr> blocks) {
            return inOrder(
                    5 * Schedule.MILLI,
                    "route blocks of " + configured.id(),
                    true,
                    () -> routed.put(configured.id(), new HashSet<>(blocks)));
        }

        @Override
        public CompletionStage<Void> remove(CloudInterface configured) {
            return inOrder(
                    5 * Schedule.MILLI,
                    "unroute " + configured.id(),
                    true,
                    () -> routed.remove(configured.id()));
        }

        @Override
        public CompletionStage<Void> keepOnly(List<CloudInterface> attached) {
            List<String> ids = attached.stream().map(CloudInterface::id).toList();
            return inOrder(
                    5 * Schedule.MILLI,
                    "keep only " + ids,
                    true,
                    () -> routed.keySet().retainAll(ids));
        }

        @Override
        public CompletionStage<Void> networkCidrs(List<Cidr> known) {
            world.tally.check(Invariant.NETWORK_KNOWN, !known.isEmpty(), () -> "no CIDR is left");
            return inOrder(Schedule.MILLI, "network " + known, true, () -> {});
        }

        @Override
        public CompletionStage<Void> ownIpv6(Optional<IpAddress> address) {
            return inOrder(Schedule.MILLI, "own " + address, true, () -> {});
        }

        @Override
        public CompletionStage<Void> forgetFlows(List<Cidr> blocks, Set<IpAddress> living) {
            CompletableFuture<Void> done = new CompletableFuture<>();
            if (!daemon.effect()) {
                return done;
            }
            boolean slow = world.faults && world.schedule.oneIn(20);
            if (slow) {
                world.tally.fault(Fault.FLOWS_REMAIN);
            }
            world.schedule.within(
                    slow ? 25 * Schedule.SECOND : 300 * Schedule.MILLI,
                    "forget flows of " + blocks.size() + " blocks",
                    () -> {
                        if (!daemon.dead()) {
                            flows.removeIf(address ->
                                    !living.contains(address)
                                            && blocks.stream()
                                                    .anyMatch(block -> block.contains(address)));
                            done.complete(null);
                            daemon.turn();
                        }
                    });
            return done;
        }

        /**
         * One after the other, but what they wait for comes meanwhile: links appear side by side.
         * What was asked before a kill may still happen or not.
         */
        private CompletionStage<Void> inOrder(
                long mostNanos, String name, boolean possible, Runnable change) {
            CompletableFuture<Void> done = new CompletableFuture<>();
            if (!daemon.effect()) {
                return done;
            }
            boolean refused = world.faults && world.schedule.oneIn(25);
            if (refused) {
                world.tally.fault(Fault.ROUTING_REFUSED);
            }
            long now = world.schedule.nowNanos();
            long readyNanos = now + world.schedule.between(1, mostNanos);
            busyUntilNanos = Math.max(readyNanos, busyUntilNanos + 1);
            world.schedule.in(
                    busyUntilNanos - now,
                    name,
                    () -> {
                        if (daemon.dead()) {
                            return;
                        }
                        if (refused || !possible) {
                            done.completeExceptionally(new IOException("the kernel refuses"));
                        } else {
                            change.run();
                            done.complete(null);
                        }
                        daemon.turn();
                    });
            return done;
        }
    }
}
