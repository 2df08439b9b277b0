package dev.underlay.localvpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.underlay.localvpc.VpcSpec.SubnetSpec;
import dev.underlay.localvpc.state.Eni;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import software.amazon.awssdk.services.ec2.Ec2Client;

/** The front: real time, real concurrency, wrong specifications. */
class LocalVpcTest {
    /** With the system's clock a device appears by itself; nobody has to ask. */
    @Test
    @Timeout(10)
    void a_device_appears_by_itself_when_its_lag_has_passed() throws Exception {
        RecordingFabric fabric = new RecordingFabric();
        try (LocalVpc vpc = LocalVpc.start(VpcSpec.loopback(fabric))) {
            vpc.dials().lag(Lag.DEVICE, Duration.ofMillis(50));
            String subnet = vpc.subnets().get(0).id();
            String instance = vpc.launchInstance("m5.large", subnet).id();
            Eni eni = vpc.console().attachInterface(instance, subnet, 1);
            assertThat(fabric.has(eni.id())).isFalse();
            while (!fabric.has(eni.id())) {
                Thread.onSpinWait();
            }
        }
    }

    @Test
    @Timeout(10)
    void a_change_that_was_pinned_happens_by_itself_once_it_is_let_go() throws Exception {
        RecordingFabric fabric = new RecordingFabric();
        try (LocalVpc vpc = LocalVpc.start(VpcSpec.loopback(fabric))) {
            vpc.dials().pin(Lag.DEVICE);
            String subnet = vpc.subnets().get(0).id();
            String instance = vpc.launchInstance("m5.large", subnet).id();
            Eni eni = vpc.console().attachInterface(instance, subnet, 1);
            vpc.dials().unpin(Lag.DEVICE);
            while (!fabric.has(eni.id())) {
                Thread.onSpinWait();
            }
        }
    }

    @Test
    @Timeout(10)
    void a_change_that_is_happening_has_happened_when_the_vpc_is_closed() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch mayEnd = new CountDownLatch(1);
        AtomicBoolean ended = new AtomicBoolean();
        RecordingFabric fabric =
                new RecordingFabric() {
                    @Override
                    public synchronized void plug(String instanceId, Port port) {
                        begun.countDown();
                        try {
                            mayEnd.await();
                        } catch (InterruptedException e) {
                            throw new IllegalStateException(e);
                        }
                        super.plug(instanceId, port);
                        ended.set(true);
                    }
                };
        LocalVpc vpc = LocalVpc.start(VpcSpec.loopback(fabric));
        vpc.dials().lag(Lag.DEVICE, Duration.ofMillis(50));
        String subnet = vpc.subnets().get(0).id();
        String instance = vpc.launchInstance("m5.large", subnet).id();
        vpc.console().attachInterface(instance, subnet, 1);
        begun.await();
        Thread closer = Thread.ofPlatform().start(vpc::close);
        while (closer.getState() != Thread.State.WAITING && closer.isAlive()) {
            Thread.onSpinWait();
        }
        assertThat(closer.isAlive()).as("waits for the change").isTrue();
        mayEnd.countDown();
        closer.join();
        assertThat(ended).isTrue();
    }

    /** Eight callers at once: every address still has one owner, here and in the fabric. */
    @Test
    void callers_at_the_same_time_get_different_addresses() throws Exception {
        try (Rig rig = new Rig();
                ExecutorService callers = Executors.newFixedThreadPool(8)) {
            List<Callable<List<String>>> work = new ArrayList<>();
            for (int i = 0; i < 24; i++) {
                work.add(() -> rig.blocks(rig.create(7)));
            }
            Set<String> seen = new HashSet<>();
            for (Future<List<String>> blocks : callers.invokeAll(work, 30, TimeUnit.SECONDS)) {
                for (String block : blocks.get()) {
                    assertThat(seen.add(block)).as(block).isTrue();
                }
            }
            assertThat(seen).hasSize(24 * 7);
            assertThat(rig.vpc.freeAddresses(rig.subnetA)).isEqualTo(251 - 1 - 24 * 8);
        }
    }

    @Test
    void a_fabric_that_fails_is_an_internal_error_and_a_finding() {
        RecordingFabric fabric =
                new RecordingFabric() {
                    @Override
                    public synchronized void unplug(String portId) {
                        throw new IllegalStateException("the kernel said no");
                    }
                };
        try (Rig rig = new Rig(fabric, spec -> spec)) {
            String attachmentId = rig.attach(rig.create(0), 1);
            assertThat(
                            Rig.codeOf(() ->
                                    rig.ec2.detachNetworkInterface(
                                            r -> r.attachmentId(attachmentId))))
                    .isEqualTo("InternalError");
            assertThat(rig.vpc.findings())
                    .singleElement()
                    .asString()
                    .contains("DetachNetworkInterface", "the kernel said no");
        }
    }

    @Test
    void two_listeners_do_not_share_an_address() throws Exception {
        try (LocalVpc first = LocalVpc.start(VpcSpec.loopback(new RecordingFabric()))) {
            InetSocketAddress taken =
                    new InetSocketAddress(
                            VpcSpec.loopback(new RecordingFabric()).ec2Address().getAddress(),
                            first.metadataEndpoint().getPort());
            VpcSpec spec = VpcSpec.loopback(new RecordingFabric());
            assertThatThrownBy(() -> LocalVpc.start(spec.withAddresses(spec.ec2Address(), taken)))
                    .isInstanceOf(IOException.class);
        }
    }

    @Test
    void a_specification_that_no_vpc_can_have_is_refused() {
        VpcSpec good = VpcSpec.loopback(new RecordingFabric());
        for (String cidr :
                List.of("10.1.0.0/24", "10.0.0.0/15", "10.0.0.0/29", "10.0.0.1/24", "x")) {
            VpcSpec bad = good.withSubnets(List.of(new SubnetSpec(cidr, "us-east-1a")));
            assertThatThrownBy(() -> LocalVpc.start(bad))
                    .as(cidr)
                    .isInstanceOf(IllegalArgumentException.class);
        }
        VpcSpec overlapping =
                good.withSubnets(
                        List.of(
                                new SubnetSpec("10.0.0.0/24", "us-east-1a"),
                                new SubnetSpec("10.0.0.128/25", "us-east-1b")));
        assertThatThrownBy(() -> LocalVpc.start(overlapping)).hasMessageContaining("overlaps");
    }

    @Test
    void a_closed_vpc_answers_nobody() {
        Rig rig = new Rig();
        try (Ec2Client late = rig.client("us-east-1", Duration.ofSeconds(1), 1)) {
            late.describeVpcs();
            rig.close();
            assertThatThrownBy(late::describeVpcs).isInstanceOf(RuntimeException.class);
        }
    }
}
