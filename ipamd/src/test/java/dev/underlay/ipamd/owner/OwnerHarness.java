package dev.underlay.ipamd.owner;

import dev.underlay.cni.wiring.Attachment;
import dev.underlay.cni.wiring.PodLink;
import dev.underlay.ipamd.journal.Journal;
import dev.underlay.ipamd.observe.Metrics;
import dev.underlay.pool.AttachmentKey;
import dev.underlay.pool.IpAddress;
import dev.underlay.pool.NodeIdentity;
import dev.underlay.pool.PoolSettings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;

/** A pool's owner with a cloud, a kernel and a clock that are the test's. */
final class OwnerHarness implements AutoCloseable {
    static final String BOOT = "boot-1";
    static final int MAX_WAITING = 100;
    static final long WAIT_NANOS = TimeUnit.SECONDS.toNanos(60);

    final ManualMailbox mailbox = new ManualMailbox();
    final FakeCloud cloud;
    final FakeNode node;
    final Journal journal;
    final PoolOwner owner;
    final Metrics metrics = new Metrics();
    private int tokens;

    OwnerHarness(Path journalPath, FakeCloud cloud, FakeNode node, PoolSettings settings)
            throws IOException {
        this(journalPath, cloud, node, settings, 0);
    }

    /**
     * @param incarnation how many daemons there were before on this node; tokens never repeat
     */
    OwnerHarness(
            Path journalPath,
            FakeCloud cloud,
            FakeNode node,
            PoolSettings settings,
            int incarnation)
            throws IOException {
        this.cloud = cloud;
        this.node = node;
        this.journal = Journal.open(journalPath, BOOT, mailbox.nowNanos()).journal();
        this.owner =
                new PoolOwner(
                        mailbox,
                        mailbox::nowNanos,
                        journal,
                        new PoolOwner.Config(
                                settings,
                                WAIT_NANOS,
                                MAX_WAITING,
                                () -> "token-" + incarnation + "-" + tokens++),
                        new PoolOwner.Ports(cloud, node, metrics));
    }

    static OwnerHarness fresh(Path folder) throws IOException {
        return new OwnerHarness(
                folder.resolve("journal"),
                new FakeCloud(),
                new FakeNode(),
                PoolSettings.defaults());
    }

    /** What a start does with the journal and these links of the kernel. */
    void recover(List<PodLink> links) {
        owner.recover(
                Recovery.of(
                                journal.state(),
                                links,
                                mailbox.nowNanos(),
                                PoolSettings.defaults().cooldownNanos())
                        .state());
        run();
    }

    /** Identified, described, and every answer delivered. */
    OwnerHarness ready() {
        return ready(FakeCloud.NODE);
    }

    OwnerHarness ready(NodeIdentity identity) {
        owner.identified(identity);
        calm();
        return this;
    }

    OptionalLong run() {
        return mailbox.run(owner::settle);
    }

    /** Runs until no answer is on its way. */
    void calm() {
        run();
        for (int i = 0; cloud.answerOne(); i++) {
            run();
            if (i > 500) {
                throw new IllegalStateException("the planner never rests");
            }
        }
    }

    void advance(long amount, TimeUnit unit) {
        mailbox.advance(unit.toNanos(amount));
        run();
    }

    Turn.Add add(String container) {
        return add(container, 1000 + container.hashCode());
    }

    Turn.Add add(String container, long inode) {
        Turn.Add turn = owner.add(new Sandbox(key(container), inode, "shop", container));
        run();
        return turn;
    }

    Turn.Del del(String container) {
        Turn.Del turn = owner.del(key(container), OptionalLong.empty());
        run();
        return turn;
    }

    /** The address of an ADD that was granted. */
    IpAddress granted(Turn.Add add) {
        return addresses(add).getFirst();
    }

    /** All its addresses. */
    List<IpAddress> addresses(Turn.Add add) {
        return ((AddAnswer.Granted) add.answer().getNow(null)).lease().addresses();
    }

    PodLink wire(Turn.Add add, int index) {
        PodLink link = link(add.sandbox(), addresses(add), index);
        var _ = owner.wired(add, "{\"address\":\"" + granted(add) + "\"}", link);
        run();
        return link;
    }

    static PodLink link(Sandbox sandbox, IpAddress address, int index) {
        return link(sandbox, List.of(address), index);
    }

    private static PodLink link(Sandbox sandbox, List<IpAddress> addresses, int index) {
        Attachment attachment =
                new Attachment(
                        sandbox.key().network(),
                        sandbox.key().containerId(),
                        sandbox.key().interfaceName(),
                        sandbox.namespaceInode(),
                        sandbox.podNamespace(),
                        sandbox.podName());
        return new PodLink(
                index,
                "ul" + index,
                "",
                2,
                Optional.of(attachment),
                addresses.stream().map(OwnerHarness::inet).toList());
    }

    static InetAddress inet(IpAddress address) {
        try {
            return InetAddress.getByAddress(address.toBytes());
        } catch (UnknownHostException e) {
            throw new IllegalStateException(e);
        }
    }

    static AttachmentKey key(String container) {
        return new AttachmentKey("underlay", container, "eth0");
    }

    @Override
    public void close() throws IOException {
        journal.close();
    }
}
