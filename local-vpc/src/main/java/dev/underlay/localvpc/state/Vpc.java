package dev.underlay.localvpc.state;

import dev.underlay.localvpc.Auditor;
import dev.underlay.localvpc.Dials;
import dev.underlay.localvpc.Fabric;
import dev.underlay.localvpc.Lag;
import dev.underlay.localvpc.VpcSpec;
import dev.underlay.localvpc.state.Ec2Refusal.Resource;
import dev.underlay.localvpc.state.Eni.Attachment;
import dev.underlay.localvpc.state.Eni.Status;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The state of one VPC and the rules of changing it, under one lock. Every call first lets happen
 * what is due by the clock, then checks all its rules, and only then changes anything; the fabric
 * is told under the same lock.
 *
 * <pre>
 *   interface  (none)    -> pending    created
 *              pending   -> available  {@link Lag#PENDING} passed
 *              pending, available -> attaching  attach answered
 *              attaching -> in-use     {@link Lag#ATTACH} passed
 *              attaching, in-use  -> detaching  detach answered
 *              detaching -> available  {@link Lag#DETACH} passed
 *              available -> (none)     deleted
 * </pre>
 */
public final class Vpc {
    /** The account that owns everything. */
    public static final String OWNER_ID = "123456789012";

    /** How long older versions are kept: readers cannot be shown anything staler. */
    static final Duration HISTORY = Duration.ofMinutes(10);

    /** An edge that is unpinned is noticed after this at the latest. */
    private static final Duration LOOK_AGAIN = Duration.ofMillis(250);

    private static final Duration TOKEN_LIFE = Duration.ofHours(24);

    /**
     * An interface to be made.
     *
     * @param subnetId where
     * @param primary its own address by name, or null for a drawn one
     * @param wanted further IPv4 blocks
     * @param wantedIpv6 IPv6 blocks
     * @param groups security groups; empty for the VPC's default one
     * @param description free text
     * @param tags on the new interface
     * @param token makes repeats harmless, or null
     * @param parameters the request's text; a repeat of the token with another one is refused
     * @param foreign not made by the callers under test
     */
    public record NewEni(
            String subnetId,
            @Nullable Cidr primary,
            BlockRequest wanted,
            BlockRequest wantedIpv6,
            List<String> groups,
            String description,
            Map<String, String> tags,
            @Nullable String token,
            String parameters,
            boolean foreign) {}

    private record Token(String parameters, Eni made, Instant at) {}

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition agendaChanged = lock.newCondition();
    private boolean timeEnded;
    private final InstantSource clock;
    private final Dials dials;
    private final Fabric fabric;
    private final Auditor auditor;
    private final SplittableRandom random;
    private final Agenda agenda;

    private final String id;
    private final String defaultGroup;
    private final List<Cidr> cidrs;
    private final @Nullable Cidr ipv6Cidr;
    private final Subnets subnets;
    private final Map<String, Instance> instances = new LinkedHashMap<>();
    private final Map<String, Timeline<Eni>> enis = new LinkedHashMap<>();
    private final Map<String, Token> tokens = new LinkedHashMap<>();
    private final Map<String, Map<String, String>> tagsOfOthers = new LinkedHashMap<>();

    /** An empty VPC with its subnets. */
    public Vpc(VpcSpec spec, Auditor auditor) {
        clock = spec.clock();
        dials = spec.dials();
        fabric = spec.fabric();
        this.auditor = auditor;
        random = new SplittableRandom(spec.seed());
        agenda = new Agenda(dials);
        id = newId("vpc-");
        defaultGroup = newId("sg-");
        cidrs = spec.cidrs().stream().map(Cidr::parse).toList();
        ipv6Cidr = spec.ipv6Cidr() == null ? null : Cidr.parse(spec.ipv6Cidr());
        subnets = new Subnets(spec, cidrs, ipv6Cidr, () -> newId("subnet-"), random);
    }

    // ---- reading ----

    /** Its identifier. */
    public String id() {
        return id;
    }

    /** The security group that interfaces get if none is named. */
    public String defaultGroup() {
        return defaultGroup;
    }

    /** The IPv4 CIDRs, the primary one first. */
    public List<Cidr> cidrs() {
        return cidrs;
    }

    /** The IPv6 CIDR; null if it has none. */
    public @Nullable Cidr ipv6Cidr() {
        return ipv6Cidr;
    }

    /** The subnets, in the order of the specification. */
    public List<Subnet> subnets() {
        return subnets.all();
    }

    /** How many IPv4 addresses of the subnet are free; a prefix takes 16. */
    public int freeAddresses(String subnetId) {
        return locked(() -> subnets.free(subnets.get(subnetId)));
    }

    /** All instances, the terminated ones too, in the order of launch. */
    public List<Instance> instances() {
        return locked(() -> List.copyOf(instances.values()));
    }

    /** Every interface at this moment, in the order of creation. */
    public List<Eni> enis() {
        return locked(() -> enisAt(clock.instant()));
    }

    /** Every interface as a Describe call shows it: older by {@link Lag#DESCRIBE}. */
    public List<Eni> describedEnis() {
        return locked(() -> enisAt(clock.instant().minus(dials.lag(Lag.DESCRIBE))));
    }

    /** The living instance that owns the address by one of its attached interfaces. */
    public @Nullable Instance instanceWith(InetAddress address) {
        Cidr single = Cidr.of(address);
        return locked(() -> {
            for (Eni eni : enisAt(clock.instant())) {
                Attachment at = eni.attachment();
                if (at != null && eni.allBlocks().stream().anyMatch(b -> b.contains(single))) {
                    return instances.get(at.instanceId());
                }
            }
            return null;
        });
    }

    /** The instance's interfaces as its metadata shows them, by device index. */
    public List<MetadataEni> metadataOf(String instanceId) {
        return locked(() -> MetadataEni.of(instanceId, enis.values(), clock.instant(), dials));
    }

    /** Tags of something that is not an interface. */
    public Map<String, String> tagsOf(String resourceId) {
        return locked(() -> Map.copyOf(tagsOfOthers.getOrDefault(resourceId, Map.of())));
    }

    // ---- instances ----

    /**
     * Boots an instance with its primary interface, which has an IPv6 address where its subnet has
     * IPv6.
     *
     * @throws IllegalArgumentException for an unknown type or subnet
     */
    public Instance launch(String type, String subnetId) {
        if (!InstanceType.all().containsKey(type)) {
            throw new IllegalArgumentException(
                    "no instance type '" + type + "' in instance-types.csv");
        }
        return changing(() -> {
            Instant now = clock.instant();
            Subnet subnet = subnets.get(subnetId);
            Cidr address = subnets.drawAddresses(subnet, 1, now).get(0);
            List<Cidr> ipv6 =
                    subnet.ipv6Cidr() == null
                            ? List.of()
                            : subnets.draw(subnet, BlockRequest.ONE_IPV6_ADDRESS, now);
            String instanceId = newId("i-");
            Attachment attachment =
                    new Attachment(newId("eni-attach-"), instanceId, 0, 0, true, now, true);
            Eni primary =
                    new Eni(
                            newId("eni-"),
                            subnet,
                            newMac(),
                            "Primary network interface",
                            Status.IN_USE,
                            address,
                            ipv6,
                            List.of(defaultGroup),
                            Map.of(),
                            true,
                            attachment,
                            false);
            Instance instance =
                    new Instance(
                            instanceId,
                            type,
                            subnet,
                            primary.id(),
                            primary.mac(),
                            address.address(),
                            ipv6.isEmpty() ? null : ipv6.get(0).address(),
                            now,
                            Instance.State.RUNNING);
            instances.put(instanceId, instance);
            put(primary);
            fabric.boot(instanceId, port(primary));
            primary.allBlocks().forEach(block -> map(primary, block));
            return instance;
        });
    }

    /** Ends an instance; interfaces that are not deleted with it become available. */
    public void terminate(String instanceId) {
        changing(() -> {
            Instance instance = instance(instanceId);
            instances.put(instanceId, instance.withState(Instance.State.TERMINATED));
            for (Eni eni : enisOf(instanceId)) {
                unplug(eni);
                put(eni.withAttachment(Status.AVAILABLE, null));
                if (Objects.requireNonNull(eni.attachment()).deleteOnTermination()) {
                    remove(eni);
                }
            }
            fabric.terminate(instanceId);
            return instance;
        });
    }

    // ---- interfaces ----

    /** CreateNetworkInterface. */
    public Eni create(NewEni wanted) {
        return changing(() -> {
            Instant now = clock.instant();
            tokens.values().removeIf(token -> !token.at.plus(TOKEN_LIFE).isAfter(now));
            Token earlier = wanted.token == null ? null : tokens.get(wanted.token);
            if (earlier != null) {
                return repeat(earlier, wanted);
            }
            checkNew(wanted);
            Subnet subnet = subnets.get(wanted.subnetId);
            List<Cidr> blocks = subnets.allOrNothing(subnet, () -> takeNew(subnet, wanted, now));
            Eni made =
                    new Eni(
                            newId("eni-"),
                            subnet,
                            newMac(),
                            wanted.description,
                            Status.PENDING,
                            blocks.get(0),
                            blocks.subList(1, blocks.size()),
                            wanted.groups.isEmpty() ? List.of(defaultGroup) : wanted.groups,
                            wanted.tags,
                            true,
                            null,
                            wanted.foreign);
            put(made);
            if (wanted.token != null) {
                tokens.put(wanted.token, new Token(wanted.parameters, made, now));
            }
            later(
                    Lag.PENDING,
                    made.id(),
                    eni -> eni.status() == Status.PENDING,
                    eni -> put(eni.withStatus(Status.AVAILABLE)));
            return made;
        });
    }

    /**
     * AttachNetworkInterface.
     *
     * @return the interface, attaching
     */
    public Eni attach(String eniId, String instanceId, int deviceIndex, int cardIndex) {
        return changing(() -> {
            Eni eni = eni(eniId);
            Instance instance = instance(instanceId);
            Rules.checkAttach(eni, instance, enisOf(instanceId), deviceIndex, cardIndex);
            Attachment attachment =
                    new Attachment(
                            newId("eni-attach-"),
                            instanceId,
                            deviceIndex,
                            cardIndex,
                            false,
                            clock.instant(),
                            false);
            Eni attaching = eni.withAttachment(Status.ATTACHING, attachment);
            put(attaching);
            Predicate<Eni> still = now -> sameAttachment(now, attachment);
            later(Lag.DEVICE, eniId, still, this::plug);
            later(
                    Lag.ATTACH,
                    eniId,
                    still.and(now -> now.status() == Status.ATTACHING),
                    now -> put(now.withStatus(Status.IN_USE)));
            return attaching;
        });
    }

    /** DetachNetworkInterface. The device is gone when this returns. */
    public void detach(String attachmentId) {
        changing(() -> {
            Eni eni = attached(attachmentId);
            Attachment attachment = Objects.requireNonNull(eni.attachment());
            if (attachment.isPrimary()) {
                throw new Ec2Refusal(
                        400,
                        "OperationNotPermitted",
                        "The network interface at device index 0 and networkCard index 0"
                                + " cannot be detached.");
            }
            if (eni.status() == Status.DETACHING) {
                throw Ec2Refusal.notFound(Resource.ATTACHMENT, attachmentId);
            }
            unplug(eni);
            put(eni.withAttachment(Status.DETACHING, attachment.withPlugged(false)));
            later(
                    Lag.DETACH,
                    eni.id(),
                    now -> sameAttachment(now, attachment),
                    now -> put(now.withAttachment(Status.AVAILABLE, null)));
            return eni;
        });
    }

    /** DeleteNetworkInterface. */
    public void delete(String eniId) {
        changing(() -> {
            Eni eni = eni(eniId);
            if (eni.status() != Status.AVAILABLE) {
                throw switch (dials.deleteInUse()) {
                    case PARAMETER_VALUE ->
                            Ec2Refusal.parameterValue(
                                    "Network interface '" + eniId + "' is currently in use.");
                    case IN_USE -> Ec2Refusal.interfaceInUse(eniId);
                };
            }
            remove(eni);
            return eni;
        });
    }

    /** ModifyNetworkInterfaceAttribute for the security groups. */
    public void modifyGroups(String eniId, List<String> groups) {
        checkGroups(groups);
        changing(() -> put(eni(eniId).withGroups(groups)));
    }

    /** ModifyNetworkInterfaceAttribute for the source and destination check. */
    public void modifySourceDestCheck(String eniId, boolean to) {
        changing(() -> put(eni(eniId).withSourceDestCheck(to)));
    }

    /** ModifyNetworkInterfaceAttribute for the description. */
    public void modifyDescription(String eniId, String to) {
        changing(() -> put(eni(eniId).withDescription(to)));
    }

    /** ModifyNetworkInterfaceAttribute for what happens to the interface with its instance. */
    public void modifyDeleteOnTermination(String eniId, String attachmentId, boolean to) {
        changing(() -> {
            Eni eni = eni(eniId);
            Attachment attachment = eni.attachment();
            if (attachment == null || !attachment.id().equals(attachmentId)) {
                throw Ec2Refusal.notFound(Resource.ATTACHMENT, attachmentId);
            }
            return put(eni.withAttachment(eni.status(), attachment.withDeleteOnTermination(to)));
        });
    }

    // ---- addresses ----

    /**
     * AssignPrivateIpAddresses and AssignIpv6Addresses.
     *
     * @param mayTake whether addresses by name may be taken from another interface
     * @return what is new, in the order of assignment
     */
    public List<Cidr> assign(String eniId, BlockRequest wanted, boolean mayTake) {
        return changing(() -> {
            Instant now = clock.instant();
            wanted.check();
            if (wanted.slots() == 0) {
                throw Ec2Refusal.missing(
                        wanted.ipv6()
                                ? "ipv6Addresses or ipv6AddressCount"
                                : "privateIpAddresses or secondaryPrivateIpAddressCount");
            }
            Eni eni = eni(eniId);
            int already = (int) wanted.named().stream().filter(eni.blocks()::contains).count();
            Rules.checkAssign(eni, typeAt(eni), wanted, wanted.slots() - already);
            List<Cidr> fresh =
                    subnets.allOrNothing(eni.subnet(), () -> take(eni, wanted, mayTake, now));
            List<Cidr> blocks = new ArrayList<>(eni.blocks());
            blocks.addAll(fresh);
            Eni grown = put(eni.withBlocks(blocks));
            fresh.forEach(block -> map(grown, block));
            return fresh;
        });
    }

    /** UnassignPrivateIpAddresses and UnassignIpv6Addresses: all of the blocks, or none. */
    public void unassign(String eniId, List<Cidr> blocks) {
        changing(() -> {
            if (blocks.isEmpty()) {
                throw Ec2Refusal.missing("privateIpAddresses");
            }
            Eni eni = eni(eniId);
            for (Cidr block : blocks) {
                if (!eni.blocks().contains(block)) {
                    throw Ec2Refusal.parameterValue(
                            block.equals(eni.primary())
                                    ? block + " is the primary address of " + eniId
                                    : "Some networkInterface ids or addresses are not"
                                            + " assigned: "
                                            + block);
                }
            }
            blocks.forEach(block -> give(eni, block));
            List<Cidr> rest = new ArrayList<>(eni.blocks());
            rest.removeAll(blocks);
            return put(eni.withBlocks(rest));
        });
    }

    /** CreateSubnetCidrReservation: for prefixes, or for addresses that are asked for by name. */
    public void reserve(String subnetId, Cidr range, boolean forPrefixes) {
        changing(() -> {
            Subnet subnet = subnets.get(subnetId);
            subnets.reserve(subnet, range, forPrefixes);
            return subnet;
        });
    }

    /** CreateTags: on all of the resources, or none. */
    public void tag(List<String> resourceIds, Map<String, String> tags) {
        Rules.checkTags(tags);
        changing(() -> {
            Map<String, Map<String, String>> tagged = new LinkedHashMap<>();
            for (String resourceId : resourceIds) {
                Map<String, String> merged = new TreeMap<>(tagsOfAny(resourceId));
                merged.putAll(tags);
                Rules.checkTags(merged);
                tagged.put(resourceId, merged);
            }
            tagged.forEach((resourceId, merged) -> {
                if (enis.containsKey(resourceId)) {
                    put(eni(resourceId).withTags(merged));
                } else {
                    tagsOfOthers.put(resourceId, merged);
                }
            });
            return tagged;
        });
    }

    // ---- time ----

    /** Lets happen what is due. */
    public void settle() {
        locked(() -> true);
    }

    /**
     * Lets happen what falls due by a clock that runs with real time, until {@link #endTime()}. The
     * lock is free between the changes.
     */
    public void runUntilTimeEnds() throws InterruptedException {
        lock.lock();
        try {
            while (!timeEnded) {
                runDue();
                Instant due = agenda.nextDue();
                long waitNanos =
                        due == null
                                ? LOOK_AGAIN.toNanos()
                                : Duration.between(clock.instant(), due).toNanos();
                agendaChanged.awaitNanos(Math.min(waitNanos, LOOK_AGAIN.toNanos()));
            }
        } finally {
            lock.unlock();
        }
    }

    /** Ends {@link #runUntilTimeEnds()}; a change that is happening is waited for. */
    public void endTime() {
        lock.lock();
        try {
            timeEnded = true;
            agendaChanged.signalAll();
        } finally {
            lock.unlock();
        }
    }

    // ---- rules ----

    private Eni repeat(Token earlier, NewEni wanted) {
        if (!earlier.parameters.equals(wanted.parameters)) {
            throw new Ec2Refusal(
                    400,
                    "IdempotentParameterMismatch",
                    "The client token was used with other parameters.");
        }
        Timeline<Eni> timeline = enis.get(earlier.made.id());
        Eni latest = timeline == null ? null : timeline.latest();
        return latest == null ? earlier.made : latest;
    }

    private void checkNew(NewEni wanted) {
        wanted.wanted.check();
        wanted.wantedIpv6.check();
        checkGroups(wanted.groups);
        Rules.checkTags(wanted.tags);
        Rules.checkCreate(
                enisAt(clock.instant()).size(), wanted.wanted.slots(), wanted.wantedIpv6.slots());
    }

    private void checkGroups(List<String> groups) {
        for (String group : groups) {
            if (!group.equals(defaultGroup)) {
                throw Ec2Refusal.notFound(Resource.GROUP, group);
            }
        }
    }

    // ---- addresses, within the lock ----

    private List<Cidr> takeNew(Subnet subnet, NewEni wanted, Instant now) {
        List<Cidr> all = new ArrayList<>();
        if (wanted.primary == null) {
            all.addAll(subnets.drawAddresses(subnet, 1, now));
        } else {
            subnets.take(subnet, wanted.primary);
            all.add(wanted.primary);
        }
        for (BlockRequest blocks : List.of(wanted.wanted, wanted.wantedIpv6)) {
            for (Cidr block : blocks.named()) {
                subnets.take(subnet, block);
                all.add(block);
            }
            all.addAll(subnets.draw(subnet, blocks, now));
        }
        return all;
    }

    private List<Cidr> take(Eni eni, BlockRequest wanted, boolean mayTake, Instant now) {
        List<Cidr> fresh = new ArrayList<>();
        for (Cidr block : wanted.named()) {
            if (!eni.blocks().contains(block) && !fresh.contains(block)) {
                fresh.add(block);
            }
        }
        if (mayTake) {
            for (Cidr block : fresh) {
                subnets.checkGrantable(eni.subnet(), block);
                Eni holder = holderOf(block);
                if (holder != null && block.equals(holder.primary())) {
                    throw Ec2Refusal.addressInUse(block);
                }
            }
            fresh.forEach(this::takeFromOther);
        }
        fresh.forEach(block -> subnets.take(eni.subnet(), block));
        fresh.addAll(subnets.draw(eni.subnet(), wanted, now));
        return fresh;
    }

    private @Nullable Eni holderOf(Cidr block) {
        for (Eni eni : enisAt(clock.instant())) {
            if (eni.allBlocks().contains(block)) {
                return eni;
            }
        }
        return null;
    }

    private void takeFromOther(Cidr block) {
        Eni holder = holderOf(block);
        if (holder != null) {
            give(holder, block);
            List<Cidr> rest = new ArrayList<>(holder.blocks());
            rest.remove(block);
            put(holder.withBlocks(rest));
        }
    }

    private void give(Eni eni, Cidr block) {
        subnets.give(eni.subnet(), block, clock.instant());
        if (eni.attachment() != null && eni.attachment().plugged()) {
            fabric.unmap(eni.id(), block.address(), block.prefixLength());
        }
    }

    // ---- the fabric, within the lock ----

    private void plug(Eni eni) {
        Attachment attachment = Objects.requireNonNull(eni.attachment());
        if (eni.status() != Status.DETACHING) {
            Eni plugged = put(eni.withAttachment(eni.status(), attachment.withPlugged(true)));
            fabric.plug(
                    attachment.instanceId(),
                    port(plugged),
                    plugged.allBlocks().stream()
                            .map(block -> new Fabric.Block(block.address(), block.prefixLength()))
                            .toList());
        }
    }

    private void unplug(Eni eni) {
        Attachment attachment = Objects.requireNonNull(eni.attachment());
        if (attachment.plugged() && !attachment.isPrimary()) {
            fabric.unplug(eni.id());
        }
    }

    private void map(Eni eni, Cidr block) {
        if (eni.attachment() != null && eni.attachment().plugged()) {
            fabric.map(eni.id(), block.address(), block.prefixLength());
        }
    }

    private static Fabric.Port port(Eni eni) {
        return new Fabric.Port(
                eni.id(),
                eni.mac(),
                eni.primary().address(),
                eni.ipv6Addresses().isEmpty() ? null : eni.ipv6Addresses().get(0).address(),
                eni.subnet().cidr().address(),
                eni.subnet().cidr().prefixLength());
    }

    // ---- lookups, within the lock ----

    private List<Eni> enisAt(Instant when) {
        List<Eni> all = new ArrayList<>();
        for (Timeline<Eni> timeline : enis.values()) {
            Eni eni = timeline.at(when);
            if (eni != null) {
                all.add(eni);
            }
        }
        return all;
    }

    private List<Eni> enisOf(String instanceId) {
        return enisAt(clock.instant()).stream().filter(eni -> eni.isAt(instanceId)).toList();
    }

    private Eni eni(String eniId) {
        Timeline<Eni> timeline = enis.get(eniId);
        Eni eni = timeline == null ? null : timeline.latest();
        if (eni == null) {
            throw Ec2Refusal.notFound(Resource.INTERFACE, eniId);
        }
        return eni;
    }

    private Eni attached(String attachmentId) {
        for (Eni eni : enisAt(clock.instant())) {
            if (eni.attachment() != null && eni.attachment().id().equals(attachmentId)) {
                return eni;
            }
        }
        throw Ec2Refusal.notFound(Resource.ATTACHMENT, attachmentId);
    }

    private Instance instance(String instanceId) {
        Instance instance = instances.get(instanceId);
        if (instance == null) {
            throw Ec2Refusal.notFound(Resource.INSTANCE, instanceId);
        }
        return instance;
    }

    /** The type of the instance that the interface is attached to; null if there is none. */
    private @Nullable InstanceType typeAt(Eni eni) {
        Attachment at = eni.attachment();
        return at == null ? null : InstanceType.of(instance(at.instanceId()));
    }

    private Map<String, String> tagsOfAny(String resourceId) {
        if (resourceId.startsWith("eni-")) {
            return eni(resourceId).tags();
        }
        if (resourceId.startsWith("i-")) {
            instance(resourceId);
        } else if (resourceId.startsWith("subnet-")) {
            subnets.get(resourceId);
        } else if (!resourceId.equals(id) && !resourceId.equals(defaultGroup)) {
            throw new Ec2Refusal(400, "InvalidID", "The ID '" + resourceId + "' is not valid");
        }
        return tagsOfOthers.getOrDefault(resourceId, Map.of());
    }

    private static boolean sameAttachment(Eni eni, Attachment attachment) {
        return eni.attachment() != null && eni.attachment().id().equals(attachment.id());
    }

    // ---- change, within the lock ----

    private Eni put(Eni eni) {
        enis.computeIfAbsent(eni.id(), _ -> new Timeline<>()).put(clock.instant(), eni);
        return eni;
    }

    private void remove(Eni eni) {
        eni.allBlocks().forEach(block -> give(eni.withAttachment(eni.status(), null), block));
        Objects.requireNonNull(enis.get(eni.id())).put(clock.instant(), null);
    }

    private void later(Lag edge, String eniId, Predicate<Eni> stillRight, Consumer<Eni> change) {
        agenda.add(
                clock.instant(),
                edge,
                () -> {
                    Timeline<Eni> timeline = enis.get(eniId);
                    Eni eni = timeline == null ? null : timeline.latest();
                    if (eni != null && stillRight.test(eni)) {
                        change.accept(eni);
                    }
                });
        agendaChanged.signalAll();
    }

    private <T> T locked(Supplier<T> body) {
        lock.lock();
        try {
            runDue();
            return body.get();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Like {@link #locked}, and what is due at once because of the change happens before it ends.
     */
    private <T> T changing(Supplier<T> body) {
        return locked(() -> {
            T result = body.get();
            Instant old = clock.instant().minus(HISTORY);
            enis.values().removeIf(timeline -> timeline.forget(old));
            runDue();
            return result;
        });
    }

    private void runDue() {
        for (List<Runnable> due = agenda.takeDue(clock.instant());
                !due.isEmpty();
                due = agenda.takeDue(clock.instant())) {
            for (Runnable change : due) {
                try {
                    change.run();
                } catch (RuntimeException e) {
                    auditor.note("a later change of state failed: " + e);
                }
            }
        }
    }

    private String newId(String prefix) {
        return prefix + "0" + HexFormat.of().toHexDigits(random.nextLong());
    }

    private String newMac() {
        byte[] bytes = new byte[6];
        random.nextBytes(bytes);
        bytes[0] = 2; // locally administered, unicast
        return HexFormat.ofDelimiter(":").formatHex(bytes);
    }
}
