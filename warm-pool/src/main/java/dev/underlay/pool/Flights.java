package dev.underlay.pool;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** The calls to the cloud: those in flight, those whose outcome is unknown, those refused. */
final class Flights {
    private final LinkedHashMap<CloudAction, Long> begunAt = new LinkedHashMap<>();

    /** An interface asked for whose outcome was unknown at that instant. */
    private record Wish(InterfaceRequest request, long sinceNanos) {
        String token() {
            return request.token();
        }
    }

    private final LinkedHashMap<String, Wish> wishes = new LinkedHashMap<>();

    /** What must be looked at before anything else is done with it, and since when. */
    private final TreeMap<String, Long> doubts = new TreeMap<>();

    /** Device indexes at which something sits that no description has shown yet. */
    private final TreeSet<Integer> takenIndexes = new TreeSet<>();

    private final Holds holds = new Holds();

    private OptionalLong lookedAt = OptionalLong.empty();

    void begin(CloudAction action, long nowNanos) {
        begunAt.put(action, nowNanos);
    }

    /** Takes an action out and tells when it began. */
    long end(CloudAction action) {
        Long begun = begunAt.remove(action);
        if (begun == null) {
            throw new IllegalStateException(action + " is not in flight");
        }
        return begun;
    }

    List<CloudAction> all() {
        return List.copyOf(begunAt.keySet());
    }

    boolean flying(CloudAction action) {
        return begunAt.containsKey(action);
    }

    /** Whether a call about this interface is in flight. */
    boolean busy(String interfaceId) {
        return begunAt.keySet().stream()
                .anyMatch(action -> interfaceOf(action).filter(interfaceId::equals).isPresent());
    }

    /** How many IPv4 blocks are being assigned to this interface. */
    int assigning(String interfaceId) {
        int count = 0;
        for (CloudAction action : begunAt.keySet()) {
            if (action instanceof CloudAction.AssignBlocks(var id, var kind, int blocks)
                    && kind.family() == IpAddress.Family.IPV4
                    && id.equals(interfaceId)) {
                count += blocks;
            }
        }
        return count;
    }

    /** The interfaces being made, and those asked for of which nothing is known until a look. */
    List<InterfaceRequest> creating() {
        List<InterfaceRequest> requests = new ArrayList<>();
        for (CloudAction action : begunAt.keySet()) {
            if (action instanceof CloudAction.CreateInterface(var request)) {
                requests.add(request);
            }
        }
        wishes.values().stream()
                .filter(wish -> doubted(wish.token()))
                .map(Wish::request)
                .forEach(requests::add);
        return requests;
    }

    /** All interfaces asked for of which none is known to be here. */
    List<InterfaceRequest> asked() {
        LinkedHashMap<String, InterfaceRequest> asked = new LinkedHashMap<>();
        wishes.forEach((token, wish) -> asked.put(token, wish.request()));
        creating().forEach(request -> asked.put(request.token(), request));
        return List.copyOf(asked.values());
    }

    /** Wishes that a look did not find: the first to repeat. */
    List<InterfaceRequest> unfulfilled() {
        return wishes.values().stream()
                .filter(wish -> !doubted(wish.token()))
                .map(Wish::request)
                .filter(wish -> !flying(new CloudAction.CreateInterface(wish)))
                .toList();
    }

    void wish(InterfaceRequest request, long nowNanos) {
        wishes.put(request.token(), new Wish(request, nowNanos));
        doubt(request.token(), nowNanos);
    }

    void fulfilled(String token) {
        wishes.remove(token);
        doubts.remove(token);
    }

    void doubt(String subject, long nowNanos) {
        doubts.put(subject, nowNanos);
    }

    boolean doubted(String subject) {
        return doubts.containsKey(subject);
    }

    boolean doubtful() {
        return !doubts.isEmpty();
    }

    /** A description asked for at this instant has answered. */
    void looked(long askedAtNanos) {
        doubts.values().removeIf(since -> since <= askedAtNanos);
        // What a look does not show after so long was not made; one in flight says so itself.
        wishes.values().removeIf(wish -> askedAtNanos >= wish.sinceNanos + Timing.SETTLE_NANOS);
        takenIndexes.clear();
        lookedAt = OptionalLong.of(askedAtNanos);
    }

    OptionalLong lookedAt() {
        return lookedAt;
    }

    Set<Integer> takenIndexes() {
        return takenIndexes;
    }

    Holds holds() {
        return holds;
    }

    /** The interface that an action is about; none for one that is to be made, and for a look. */
    static Optional<String> interfaceOf(CloudAction action) {
        return switch (action) {
            case CloudAction.CreateInterface _, CloudAction.Describe _ -> Optional.empty();
            case CloudAction.AttachInterface(var id, _) -> Optional.of(id);
            case CloudAction.AssignBlocks(var id, _, _) -> Optional.of(id);
            case CloudAction.UnassignBlocks(var id, _) -> Optional.of(id);
            case CloudAction.DetachInterface(var id) -> Optional.of(id);
            case CloudAction.DeleteInterface(var id) -> Optional.of(id);
        };
    }
}
