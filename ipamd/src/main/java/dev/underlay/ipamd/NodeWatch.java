package dev.underlay.ipamd;

import dev.underlay.ipamd.observe.Events;
import dev.underlay.ipamd.observe.GuardedLoop;
import dev.underlay.ipamd.observe.Metrics;
import dev.underlay.ipamd.owner.PoolOwner;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudAnswer;
import dev.underlay.pool.CloudNetwork;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.NodeIdentity;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Asks metadata what the node is until it answers, then every 30 s which CIDRs its network has. A
 * read that fails changes nothing.
 */
final class NodeWatch {
    private static final Duration CIDR_PERIOD = Duration.ofSeconds(30);
    private static final Duration FIRST_PAUSE = Duration.ofMillis(200);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(15);

    private final CloudNetwork network;
    private final PoolOwner owner;
    private final CompletableFuture<NodeIdentity> identified = new CompletableFuture<>();
    private volatile String trouble = "";

    NodeWatch(CloudNetwork network, PoolOwner owner) {
        this.network = network;
        this.owner = owner;
    }

    /** Asks until it is closed. */
    GuardedLoop start(Metrics metrics) {
        return GuardedLoop.start(
                Thread.ofVirtual(), "node-watch", CIDR_PERIOD, metrics, this::look);
    }

    /** Done when metadata has said what the node is. */
    CompletionStage<NodeIdentity> identified() {
        return identified.minimalCompletionStage();
    }

    private void look() throws InterruptedException {
        if (identified.isDone()) {
            readCidrs();
        } else {
            identify();
        }
    }

    private void identify() throws InterruptedException {
        Duration pause = FIRST_PAUSE;
        while (true) {
            switch (network.identify()) {
                case CloudAnswer.Done<NodeIdentity>(var identity) -> {
                    Events.info(
                            "node.identified",
                            "instance",
                            identity.instanceId(),
                            "type",
                            identity.instanceType(),
                            "zone",
                            identity.zone(),
                            "address",
                            identity.primaryAddress(),
                            "ipv6",
                            identity.primaryIpv6().map(IpAddress::toString).orElse("none"));
                    owner.identified(identity);
                    identified.complete(identity);
                    return;
                }
                case CloudAnswer.Refused<NodeIdentity>(_, var message) -> warnOnce(message);
            }
            Thread.sleep(pause);
            pause = pause.multipliedBy(2);
            if (pause.compareTo(LONGEST_PAUSE) > 0) {
                pause = LONGEST_PAUSE;
            }
        }
    }

    private void readCidrs() {
        switch (network.networkCidrs()) {
            case CloudAnswer.Done<List<Cidr>>(var cidrs) -> {
                trouble = "";
                owner.networkCidrs(cidrs);
            }
            case CloudAnswer.Refused<List<Cidr>>(_, var message) -> warnOnce(message);
        }
    }

    private void warnOnce(String message) {
        if (!message.equals(trouble)) {
            trouble = message;
            Events.warn("metadata.failed", "error", message);
        }
    }
}
