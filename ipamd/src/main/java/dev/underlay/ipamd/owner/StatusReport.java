package dev.underlay.ipamd.owner;

import dev.underlay.ipamd.journal.JournalRecord.Leased;
import dev.underlay.pool.AddressState;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.Cordon;
import dev.underlay.pool.Counts;
import dev.underlay.pool.Families;
import dev.underlay.pool.Hold;
import dev.underlay.pool.InterfaceView;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.NodeIdentity;
import dev.underlay.pool.Pool;
import dev.underlay.pool.PoolSettings;
import dev.underlay.pool.Refusal;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The daemon at one moment, in the shape of the status document: plain texts and numbers. */
public record StatusReport(
        boolean ready,
        String outlook,
        List<String> problems,
        Node node,
        Slots slots,
        int waiting,
        List<Interface> interfaces,
        List<Lease> leases,
        List<String> inFlight,
        List<RefusalHeld> refusals,
        Settings settings,
        long journalBytes) {
    /**
     * The machine; empty texts while metadata has not answered.
     *
     * @param ipv6 its own IPv6 address; empty where it has none
     */
    public record Node(
            String instanceId,
            String instanceType,
            String zone,
            String address,
            String ipv6,
            List<String> networkCidrs) {}

    /** Addresses by state. */
    public record Slots(int free, int leased, int cooling, int requested) {}

    /** One interface. */
    public record Interface(
            String id,
            int deviceIndex,
            String mac,
            String subnet,
            String primaryAddress,
            String life,
            String standing,
            boolean linkReady,
            List<String> blocks,
            int leased,
            int cooling) {}

    /** One pod's address. */
    public record Lease(
            String address,
            String interfaceId,
            String network,
            String containerId,
            String interfaceName,
            String podNamespace,
            String podName,
            long ageSeconds) {}

    /** A refusal that holds the planner back. */
    public record RefusalHeld(
            String subject, String refusal, String message, int failures, long retryInSeconds) {}

    /**
     * The settings that are in force and what the cluster says; absent ones are null.
     *
     * @param families the families of which a pod gets an address
     */
    public record Settings(
            String families,
            @Nullable Integer warmEniTarget,
            @Nullable Integer warmIpTarget,
            @Nullable Integer minimumIpTarget,
            boolean prefixDelegation,
            @Nullable Integer warmPrefixTarget,
            @Nullable Integer maxEni,
            @Nullable Integer maxPods,
            String cordon,
            boolean whileCordoned,
            long cooldownSeconds,
            long addWaitSeconds) {}

    /** What holds at the moment. */
    record InForce(PoolSettings settings, Families families, Cordon cordon, long addWaitNanos) {}

    private static final String INSTEAD = "; single addresses instead of prefixes: ";

    static StatusReport of(
            Pool pool,
            Ledger ledger,
            Optional<NodeIdentity> node,
            NodeState state,
            int waiting,
            InForce force,
            long now) {
        Counts counts = pool.counts(now);
        PoolSettings set = force.settings();
        return new StatusReport(
                state.reconciled() && state.refusal(now).isEmpty(),
                state.outlook().text()
                        + withoutPrefixes(set, node, pool.holds(), now)
                        + otherFamilies(force),
                state.problems(),
                new Node(
                        node.map(NodeIdentity::instanceId).orElse(""),
                        node.map(NodeIdentity::instanceType).orElse(""),
                        node.map(NodeIdentity::zone).orElse(""),
                        node.map(n -> n.primaryAddress().toString()).orElse(""),
                        node.flatMap(NodeIdentity::primaryIpv6).map(IpAddress::toString).orElse(""),
                        ledger.state().networkCidrs().stream().map(Object::toString).toList()),
                new Slots(counts.free(), counts.leased(), counts.cooling(), counts.requested()),
                waiting,
                pool.interfaces().stream().map(view -> of(view, now)).toList(),
                pool.leases().stream().map(lease -> of(lease, ledger, now)).toList(),
                pool.inFlight().stream().map(Object::toString).toList(),
                pool.holds().stream()
                        .filter(hold -> hold.untilNanos() > now)
                        .map(hold -> of(hold, now))
                        .toList(),
                new Settings(
                        force.families().name(),
                        value(set.warmEniTarget()),
                        value(set.warmIpTarget()),
                        value(set.minimumIpTarget()),
                        set.prefixDelegation(),
                        value(set.warmPrefixTarget()),
                        value(set.maxEni()),
                        value(set.maxPods()),
                        force.cordon().name(),
                        set.whileCordoned(),
                        set.cooldownNanos() / 1_000_000_000L,
                        force.addWaitNanos() / 1_000_000_000L),
                ledger.bytes());
    }

    /** Why single addresses are asked for although prefixes are wanted; else nothing. */
    private static String withoutPrefixes(
            PoolSettings set, Optional<NodeIdentity> node, List<Hold> holds, long now) {
        if (!set.prefixDelegation() || set.families() == Families.IPV6) {
            return "";
        }
        if (node.isPresent() && !node.get().limits().prefixes()) {
            return INSTEAD + node.get().instanceType() + " takes none";
        }
        return holds.stream()
                .filter(hold -> hold.refusal() == Refusal.NO_FREE_PREFIX)
                .filter(hold -> hold.untilNanos() > now)
                .map(hold ->
                        "%s%s tried again in %d s"
                                .formatted(
                                        INSTEAD,
                                        hold.subject(),
                                        (hold.untilNanos() - now) / 1_000_000_000L))
                .collect(Collectors.joining());
    }

    /** Why pods do not get what is set; else nothing. */
    private static String otherFamilies(InForce force) {
        return force.families() == force.settings().families()
                ? ""
                : "; pods get %s until the last pod that does ends, and %s after that"
                        .formatted(words(force.families()), words(force.settings().families()));
    }

    private static String words(Families families) {
        return switch (families) {
            case IPV4 -> "IPv4";
            case IPV6 -> "IPv6";
            case BOTH -> "both families";
        };
    }

    private static @Nullable Integer value(OptionalInt set) {
        return set.isPresent() ? set.getAsInt() : null;
    }

    private static Interface of(InterfaceView view, long now) {
        int leased = 0;
        int cooling = 0;
        for (InterfaceView.BlockView block : view.blocks()) {
            for (InterfaceView.Slot slot : block.slots()) {
                switch (AddressState.at(slot.state(), now)) {
                    case AddressState.Leased _ -> leased++;
                    case AddressState.Cooling _ -> cooling++;
                    case AddressState.Free _ -> {}
                }
            }
        }
        Optional<CloudInterface> cloud = view.cloud();
        return new Interface(
                view.id(),
                cloud.flatMap(CloudInterface::attachment)
                        .map(CloudInterface.Attachment::deviceIndex)
                        .orElse(-1),
                cloud.map(CloudInterface::mac).orElse(""),
                cloud.map(CloudInterface::subnetId).orElse(""),
                cloud.map(one -> one.primaryAddress().toString()).orElse(""),
                view.life().name(),
                view.standing().name(),
                view.linkReady(),
                view.blocks().stream().map(block -> block.cidr().toString()).toList(),
                leased,
                cooling);
    }

    private static Lease of(dev.underlay.pool.Lease lease, Ledger ledger, long now) {
        Optional<Leased> journalled = ledger.state().lease(lease.owner());
        return new Lease(
                lease.address().toString(),
                lease.interfaceId(),
                lease.owner().network(),
                lease.owner().containerId(),
                lease.owner().interfaceName(),
                journalled.map(Leased::podNamespace).orElse(""),
                journalled.map(Leased::podName).orElse(""),
                journalled.map(one -> (now - one.atNanos()) / 1_000_000_000L).orElse(0L));
    }

    private static RefusalHeld of(Hold hold, long now) {
        return new RefusalHeld(
                hold.subject(),
                hold.refusal().name(),
                hold.message(),
                hold.failures(),
                (hold.untilNanos() - now) / 1_000_000_000L);
    }
}
