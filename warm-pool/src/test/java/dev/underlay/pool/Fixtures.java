package dev.underlay.pool;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A pool at a fixed instant and short names for what tests put into it. */
final class Fixtures {
    static final long T = 10_000_000_000_000L;
    static final NodeIdentity.Limits M5_LARGE = new NodeIdentity.Limits(3, 10);
    static final CloudAction.Describe LOOK = new CloudAction.Describe();

    private Fixtures() {}

    static AttachmentKey pod(String name) {
        return new AttachmentKey("underlay", name, "eth0");
    }

    static List<Cidr> blocks(String... texts) {
        return Stream.of(texts).map(Cidr::parse).toList();
    }

    /** An attached interface; eni-0 is the primary one and each has a subnet of its own. */
    static CloudInterface eni(int number, String... blocks) {
        return new CloudInterface(
                "eni-" + number,
                Optional.empty(),
                "02:00:00:00:00:0" + number,
                "subnet-" + number,
                Cidr.parse("10.0." + number + ".0/24"),
                IpAddress.parse("10.0." + number + ".254"),
                number == 0,
                Optional.of(new CloudInterface.Attachment(number, CloudInterface.State.ATTACHED)),
                blocks(blocks),
                true);
    }

    static CloudInterface detached(CloudInterface one) {
        return one.with(Optional.empty(), one.blocks());
    }

    static CloudInterface unmanaged(CloudInterface one) {
        return new CloudInterface(
                one.id(),
                one.token(),
                one.mac(),
                one.subnetId(),
                one.subnet(),
                one.primaryAddress(),
                one.primary(),
                one.attachment(),
                one.blocks(),
                false);
    }

    /** A pool that knows its limits and has been described so at {@link #T}, all links ready. */
    static Pool pool(CloudInterface... described) {
        Pool pool = new Pool();
        pool.setLimits(M5_LARGE);
        describe(pool, T, described);
        for (CloudInterface one : described) {
            pool.linkReady(one.id());
        }
        return pool;
    }

    static void describe(Pool pool, long nowNanos, CloudInterface... described) {
        answer(pool, LOOK, List.of(described), nowNanos);
    }

    static void answer(Pool pool, CloudAction action, Object value, long nowNanos) {
        pool.begin(action, nowNanos);
        pool.end(action, new CloudAnswer.Done<>(value), nowNanos);
    }

    static void refuse(Pool pool, CloudAction action, Refusal refusal, long nowNanos) {
        pool.begin(action, nowNanos);
        pool.end(action, new CloudAnswer.Refused<>(refusal, "the cloud says " + refusal), nowNanos);
    }

    static String lease(Pool pool, String name, long nowNanos) {
        return switch (pool.lease(pod(name), nowNanos)) {
            case LeaseAnswer.Leased(var leases) -> addresses(leases);
            case LeaseAnswer.AlreadyLeased(var leases) -> "again " + addresses(leases);
            case LeaseAnswer.NoneFree() -> "none";
        };
    }

    private static String addresses(List<Lease> leases) {
        return leases.stream().map(one -> "" + one.address()).collect(Collectors.joining(" "));
    }

    /** The node forgets the flows of all addresses that have cooled. */
    static void forget(Pool pool, long nowNanos) {
        pool.forgotten(pool.cooled(nowNanos), nowNanos);
    }

    static Plan plan(Pool pool, int waiting, long nowNanos) {
        return Planner.plan(
                pool, PoolSettings.defaults(), new Demand(waiting), nowNanos, () -> "token");
    }
}
