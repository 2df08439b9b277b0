package dev.underlay.ipamd.owner;

import dev.underlay.pool.BlockKind;
import dev.underlay.pool.Cidr;
import dev.underlay.pool.CloudAction;
import dev.underlay.pool.CloudAnswer;
import dev.underlay.pool.CloudInterface;
import dev.underlay.pool.CloudNetwork;
import dev.underlay.pool.InterfaceRequest;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.NodeIdentity;
import dev.underlay.pool.Refusal;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * A subnet and a node's interfaces. Calls are carried out when they start and answered when the
 * test says so, as if the answer were on its way; a restart of the daemon loses what is on its way.
 */
public final class FakeCloud implements CloudNetwork, CloudCalls {
    public static final NodeIdentity NODE =
            new NodeIdentity(
                    "i-0aa",
                    "m5.large",
                    "zone-a",
                    "eni-0",
                    "02:00:00:00:00:00",
                    IpAddress.parse("10.0.0.4"),
                    Optional.empty(),
                    List.of(Cidr.parse("10.0.0.0/16")),
                    new NodeIdentity.Limits(3, 10));

    /** The same with an IPv6 address of its own. */
    public static final NodeIdentity NODE_WITH_IPV6 =
            new NodeIdentity(
                    NODE.instanceId(),
                    NODE.instanceType(),
                    NODE.zone(),
                    NODE.primaryInterfaceId(),
                    NODE.primaryMac(),
                    NODE.primaryAddress(),
                    Optional.of(IpAddress.parse("2001:db8::4")),
                    NODE.networkCidrs(),
                    NODE.limits());

    private static final Cidr SLASH_80 = Cidr.parse("2001:db8:0:1::/80");

    private record OnItsWay(
            CloudAction action, CloudAnswer<?> answer, Consumer<CloudAnswer<?>> to) {}

    private final Map<String, CloudInterface> interfaces = new TreeMap<>();
    private final Deque<OnItsWay> answers = new ArrayDeque<>();
    private final List<CloudAction> asked = new ArrayList<>();
    private Optional<CloudAnswer.Refused<?>> refusal = Optional.empty();
    private boolean hasIpv6 = true;
    private int nextAddress = 20;
    private int nextInterface = 1;

    /** With a primary interface and nothing on it. */
    public FakeCloud() {
        interfaces.put("eni-0", made("eni-0", Optional.empty(), true, Optional.of(0), List.of()));
    }

    // ---- the test's side

    /** Delivers the oldest answer; false when none is on its way. */
    boolean answerOne() {
        OnItsWay next = answers.poll();
        if (next == null) {
            return false;
        }
        next.to().accept(next.answer());
        return true;
    }

    /** From now on every call is refused, until {@link #recover()}. */
    void refuse(Refusal kind, String message) {
        refusal = Optional.of(new CloudAnswer.Refused<>(kind, message));
    }

    void recover() {
        refusal = Optional.empty();
    }

    /** From now on the subnet has no IPv6 addresses. */
    void withoutIpv6() {
        hasIpv6 = false;
    }

    void loseAnswers() {
        answers.clear();
    }

    List<CloudAction> asked() {
        return asked;
    }

    boolean assigned(IpAddress address) {
        return interfaces.values().stream()
                .anyMatch(one -> one.blocks().stream().anyMatch(b -> b.contains(address)));
    }

    List<CloudInterface> all() {
        return List.copyOf(interfaces.values());
    }

    // ---- the daemon's side

    @Override
    public void start(CloudAction action, Consumer<CloudAnswer<?>> answer) {
        asked.add(action);
        CloudAnswer<?> reply = refusal.isPresent() ? refusal.get() : action.call(this);
        answers.add(new OnItsWay(action, reply, answer));
    }

    @Override
    public CloudAnswer<NodeIdentity> identify() {
        return new CloudAnswer.Done<>(NODE);
    }

    @Override
    public CloudAnswer<List<CloudInterface>> describeInterfaces() {
        return new CloudAnswer.Done<>(all());
    }

    @Override
    public CloudAnswer<List<Cidr>> networkCidrs() {
        return new CloudAnswer.Done<>(NODE.networkCidrs());
    }

    @Override
    public CloudAnswer<CloudInterface> createInterface(InterfaceRequest request) {
        Optional<CloudInterface> same =
                interfaces.values().stream()
                        .filter(one -> one.token().equals(Optional.of(request.token())))
                        .findFirst();
        if (same.isPresent()) {
            return new CloudAnswer.Done<>(same.get());
        }
        String id = "eni-" + nextInterface++;
        CloudInterface one =
                made(
                        id,
                        Optional.of(request.token()),
                        false,
                        Optional.empty(),
                        fresh(request.blocks()));
        interfaces.put(id, one);
        return new CloudAnswer.Done<>(one);
    }

    @Override
    public CloudAnswer<CloudInterface> attachInterface(String id, int deviceIndex) {
        CloudInterface old = interfaces.get(id);
        if (old == null) {
            return new CloudAnswer.Refused<>(Refusal.GONE, id);
        }
        CloudInterface one =
                made(id, old.token(), old.primary(), Optional.of(deviceIndex), old.blocks());
        interfaces.put(id, one);
        return new CloudAnswer.Done<>(one);
    }

    @Override
    public CloudAnswer<List<Cidr>> assignBlocks(String id, BlockKind kind, int count) {
        CloudInterface old = interfaces.get(id);
        if (old == null) {
            return new CloudAnswer.Refused<>(Refusal.GONE, id);
        }
        if (kind == BlockKind.PREFIX_80 && !hasIpv6) {
            return new CloudAnswer.Refused<>(
                    Refusal.MISCONFIGURED, "subnet-1 has no IPv6 CIDR; give it one");
        }
        long ipv4 = old.blocks().stream().filter(one -> !one.equals(SLASH_80)).count();
        List<Cidr> added =
                kind == BlockKind.PREFIX_80
                        ? List.of(SLASH_80)
                        : fresh((int) Math.min(count, 9 - ipv4));
        if (added.isEmpty()) {
            return new CloudAnswer.Refused<>(Refusal.INTERFACE_FULL, id);
        }
        TreeSet<Cidr> blocks = new TreeSet<>(old.blocks());
        blocks.addAll(added);
        interfaces.put(id, withBlocks(old, List.copyOf(blocks)));
        return new CloudAnswer.Done<>(added);
    }

    @Override
    public CloudAnswer<List<Cidr>> unassignBlocks(String id, List<Cidr> gone) {
        CloudInterface old = interfaces.get(id);
        if (old != null) {
            interfaces.put(
                    id,
                    withBlocks(old, old.blocks().stream().filter(b -> !gone.contains(b)).toList()));
        }
        return new CloudAnswer.Done<>(gone);
    }

    @Override
    public CloudAnswer<CloudInterface> detachInterface(String id) {
        CloudInterface old = interfaces.get(id);
        if (old == null) {
            return new CloudAnswer.Refused<>(Refusal.GONE, id);
        }
        CloudInterface one = made(id, old.token(), false, Optional.empty(), old.blocks());
        interfaces.put(id, one);
        return new CloudAnswer.Done<>(one);
    }

    @Override
    public CloudAnswer<String> deleteInterface(String id) {
        interfaces.remove(id);
        return new CloudAnswer.Done<>(id);
    }

    private List<Cidr> fresh(int count) {
        List<Cidr> blocks = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            blocks.add(Cidr.of(IpAddress.parse("10.0.0.0").plus(nextAddress++)));
        }
        return blocks;
    }

    private static CloudInterface withBlocks(CloudInterface old, List<Cidr> blocks) {
        return made(
                old.id(),
                old.token(),
                old.primary(),
                old.attachment().map(CloudInterface.Attachment::deviceIndex),
                blocks);
    }

    private static CloudInterface made(
            String id,
            Optional<String> token,
            boolean primary,
            Optional<Integer> deviceIndex,
            List<Cidr> blocks) {
        int number = Integer.parseInt(id.substring(4));
        return new CloudInterface(
                id,
                token,
                String.format("02:00:00:00:%02x:%02x", number >> 8, number & 255),
                "subnet-1",
                Cidr.parse("10.0.0.0/16"),
                IpAddress.parse("10.0.255.0").plus(number),
                primary,
                deviceIndex.map(index ->
                        new CloudInterface.Attachment(index, CloudInterface.State.ATTACHED)),
                blocks,
                true);
    }
}
