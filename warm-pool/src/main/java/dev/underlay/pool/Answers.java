package dev.underlay.pool;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Brings the answer to a call of ours into the pool. */
final class Answers {
    private final Inventory inventory;
    private final Flights flights;
    private final long nowNanos;

    Answers(Inventory inventory, Flights flights, long nowNanos) {
        this.inventory = inventory;
        this.flights = flights;
        this.nowNanos = nowNanos;
    }

    void take(CloudAction action, CloudAnswer<?> answer, long begunAtNanos) {
        switch (answer) {
            case CloudAnswer.Done<?>(var value) -> done(action, value, begunAtNanos);
            case CloudAnswer.Refused<?>(var refusal, var message) ->
                    refused(action, refusal, message);
        }
    }

    private void done(CloudAction action, Object value, long begunAtNanos) {
        if (action instanceof CloudAction.Describe
                && flights.holds().of(LOOK).filter(Hold::away).isPresent()) {
            flights.holds().back(nowNanos);
        }
        List<String> cured = new ArrayList<>(List.of(kind(action)));
        subnetOf(action).ifPresent(cured::add);
        if (asksForPrefixes(action)) {
            List.copyOf(cured).forEach(subject -> cured.add(prefixes(subject)));
        }
        Flights.interfaceOf(action).ifPresent(cured::add);
        cured.forEach(flights.holds()::clear);
        switch (action) {
            case CloudAction.Describe _ ->
                    new Observation(inventory, flights, begunAtNanos, nowNanos)
                            .merge(list(value, CloudInterface.class));
            case CloudAction.CreateInterface(var request) ->
                    created(request, (CloudInterface) value);
            case CloudAction.AttachInterface(var id, var index) ->
                    attached(id, index, (CloudInterface) value);
            case CloudAction.AssignBlocks(var id, _, _) -> granted(id, list(value, Cidr.class));
            case CloudAction.UnassignBlocks(var id, var asked) ->
                    takenBack(id, asked, list(value, Cidr.class));
            case CloudAction.DetachInterface(var id) -> detached(id);
            case CloudAction.DeleteInterface(var id) -> deleted(id);
        }
    }

    private static <T> List<T> list(Object value, Class<T> of) {
        return ((List<?>) value).stream().map(of::cast).toList();
    }

    private void created(InterfaceRequest request, CloudInterface made) {
        flights.fulfilled(request.token());
        PooledInterface known =
                inventory
                        .find(made.id())
                        .orElseGet(() ->
                                inventory.add(
                                        new PooledInterface(
                                                made.id(),
                                                InterfaceLife.REQUESTED,
                                                Standing.CONFIRMED,
                                                nowNanos)));
        known.changedAtNanos = nowNanos;
        known.describe(made);
        made.blocks().forEach(block -> grant(block, made.id()));
    }

    private void attached(String id, int index, CloudInterface answered) {
        CloudInterface.Attachment attachment =
                answered.attachment()
                        .orElse(
                                new CloudInterface.Attachment(
                                        index, CloudInterface.State.ATTACHING));
        changed(id, InterfaceLife.ATTACHED);
        inventory
                .find(id)
                .ifPresent(one -> one.describe(answered.with(Optional.of(attachment), List.of())));
    }

    private void changed(String id, InterfaceLife life) {
        inventory
                .find(id)
                .ifPresent(one -> {
                    one.move(life, nowNanos);
                    one.changedAtNanos = nowNanos;
                });
    }

    private void granted(String id, List<Cidr> blocks) {
        blocks.forEach(block -> grant(block, id));
        if (blocks.isEmpty()) {
            flights.holds()
                    .refused(
                            id,
                            Refusal.BUSY,
                            "assigning to "
                                    + id
                                    + " was answered without an address; it is tried"
                                    + " again",
                            nowNanos);
        }
    }

    private void grant(Cidr block, String interfaceId) {
        inventory.put(block, interfaceId, Standing.CONFIRMED, nowNanos).grantedAtNanos = nowNanos;
    }

    private void takenBack(String id, List<Cidr> asked, List<Cidr> taken) {
        for (Block block : draining(id, asked)) {
            if (taken.contains(block.cidr)) {
                inventory.returned(block.cidr, id, nowNanos);
                inventory.lost(block, nowNanos);
            } else {
                stays(block);
            }
        }
    }

    /** One that an earlier call may still take, even after a look that shows it, does not stay. */
    private static void stays(Block block) {
        if (!block.mayLeave) {
            block.life = BlockLife.ASSIGNED;
        }
    }

    /** Those that are still there: the cloud may have granted one to another interface since. */
    private List<Block> draining(String id, List<Cidr> asked) {
        return inventory.blocksOf(id).stream().filter(block -> asked.contains(block.cidr)).toList();
    }

    private void detached(String id) {
        changed(id, InterfaceLife.DETACHED);
        inventory
                .find(id)
                .ifPresent(one ->
                        one.cloud()
                                .ifPresent(cloud ->
                                        one.describe(cloud.with(Optional.empty(), List.of()))));
    }

    private void deleted(String id) {
        inventory.deleted(id, nowNanos);
        inventory.find(id).ifPresent(one -> inventory.lost(one, nowNanos));
        flights.holds().clear(id);
    }

    private void refused(CloudAction action, Refusal refusal, String message) {
        if (action instanceof CloudAction.DeleteInterface(var id) && refusal == Refusal.GONE) {
            deleted(id);
            return;
        }
        flights.holds().refused(heldAgainst(action, refusal), refusal, message, nowNanos);
        if (refusal == Refusal.UNKNOWN_OUTCOME) {
            unknown(action);
            return;
        }
        Flights.interfaceOf(action)
                .filter(_ -> staleView(refusal))
                .ifPresent(id -> flights.doubt(id, nowNanos));
        switch (action) {
            case CloudAction.AttachInterface(var id, var index) -> {
                if (refusal == Refusal.DEVICE_INDEX_TAKEN) {
                    flights.takenIndexes().add(index);
                } else if (refusal == Refusal.ATTACHMENT_LIMIT && !inventory.inUse(id, nowNanos)) {
                    changed(id, InterfaceLife.DETACHED); // to be deleted
                }
            }
            case CloudAction.UnassignBlocks(var id, var asked) ->
                    draining(id, asked).forEach(Answers::stays);
            case CloudAction.DetachInterface(var id) ->
                    inventory
                            .find(id)
                            .filter(one -> !one.mayLeave)
                            .ifPresent(one -> one.move(InterfaceLife.ATTACHED, nowNanos));
            case CloudAction.CreateInterface(var request) -> {
                if (refusal == Refusal.UNAVAILABLE) {
                    flights.wish(request, nowNanos); // the same token makes no second one
                } else {
                    flights.fulfilled(request.token());
                }
            }
            case CloudAction.AssignBlocks _,
                    CloudAction.DeleteInterface _,
                    CloudAction.Describe _ -> {}
        }
    }

    /** Nothing is known until a look: what was to leave stays closed, a wish keeps its token. */
    void unknown(CloudAction action) {
        switch (action) {
            case CloudAction.CreateInterface(var request) -> flights.wish(request, nowNanos);
            case CloudAction.UnassignBlocks(var id, var asked) ->
                    draining(id, asked).forEach(block -> block.mayLeave = true);
            case CloudAction.DetachInterface(var id) ->
                    inventory.find(id).ifPresent(one -> one.mayLeave = true);
            case CloudAction.AttachInterface _,
                    CloudAction.AssignBlocks _,
                    CloudAction.DeleteInterface _,
                    CloudAction.Describe _ -> {}
        }
        Flights.interfaceOf(action).ifPresent(id -> flights.doubt(id, nowNanos));
    }

    /** Whether a refusal says that the cloud is not as we think. */
    private static boolean staleView(Refusal refusal) {
        return switch (refusal) {
            case INTERFACE_FULL, ATTACHMENT_LIMIT, DEVICE_INDEX_TAKEN, GONE -> true;
            case SUBNET_FULL,
                    NO_FREE_PREFIX,
                    QUOTA_EXCEEDED,
                    BUSY,
                    NOT_PERMITTED,
                    MISCONFIGURED,
                    THROTTLED,
                    UNAVAILABLE,
                    UNKNOWN_OUTCOME ->
                    false;
        };
    }

    /** The one thing that a refusal is held against. */
    private String heldAgainst(CloudAction action, Refusal refusal) {
        return switch (refusal) {
            case SUBNET_FULL -> subnetOf(action).orElse(kind(action));
            case NO_FREE_PREFIX -> {
                String subject = subnetOf(action).orElse(kind(action));
                yield asksForPrefixes(action) ? prefixes(subject) : subject;
            }
            case INTERFACE_FULL ->
                    asksForIpv6(action)
                            ? kind(action)
                            : Flights.interfaceOf(action).orElse(kind(action));
            case DEVICE_INDEX_TAKEN, GONE, BUSY, UNKNOWN_OUTCOME ->
                    Flights.interfaceOf(action).orElse(kind(action));
            case ATTACHMENT_LIMIT -> CREATE;
            case QUOTA_EXCEEDED, NOT_PERMITTED, MISCONFIGURED, THROTTLED, UNAVAILABLE ->
                    kind(action);
        };
    }

    static boolean asksForPrefixes(CloudAction action) {
        return switch (action) {
            case CloudAction.AssignBlocks(_, var kind, _) -> kind.delegated();
            case CloudAction.CreateInterface(var request) -> request.kind().delegated();
            case CloudAction.AttachInterface _,
                    CloudAction.DeleteInterface _,
                    CloudAction.Describe _,
                    CloudAction.DetachInterface _,
                    CloudAction.UnassignBlocks _ ->
                    false;
        };
    }

    private static boolean asksForIpv6(CloudAction action) {
        return action instanceof CloudAction.AssignBlocks(_, var kind, _)
                && kind == BlockKind.PREFIX_80;
    }

    /** The subnet whose IPv4 addresses are asked for; IPv6 has its own limits. */
    private Optional<String> subnetOf(CloudAction action) {
        return switch (action) {
            case CloudAction.AssignBlocks _ when asksForIpv6(action) -> Optional.empty();
            case CloudAction.AssignBlocks(var id, _, _) ->
                    inventory.find(id).flatMap(PooledInterface::subnetId);
            case CloudAction.AttachInterface _,
                    CloudAction.CreateInterface _,
                    CloudAction.DeleteInterface _,
                    CloudAction.Describe _,
                    CloudAction.DetachInterface _,
                    CloudAction.UnassignBlocks _ ->
                    Optional.empty();
        };
    }

    static final String CREATE = "CreateInterface";
    static final String LOOK = "Describe";
    static final String ASSIGN = "AssignBlocks";
    static final String ASSIGN_IPV6 = "AssignBlocks IPv6";

    /** The prefixes of a subnet, or of a kind of call, as a subject of holds. */
    static String prefixes(String of) {
        return of + " prefixes";
    }

    /** The name of a kind of call, as a subject of holds. */
    static String kind(CloudAction action) {
        return asksForIpv6(action) ? ASSIGN_IPV6 : action.getClass().getSimpleName();
    }
}
