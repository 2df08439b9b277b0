package dev.underlay.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.underlay.lab.Report.Broken;
import dev.underlay.localvpc.fabric.Netns;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The probes tell what happened to packets: that they arrived, and that they did not. */
@Tag("kernel")
final class TrafficTest {
    private static final String NOBODY = "192.168.7.9";

    private LabRun run;
    private Place a;
    private Place b;

    @BeforeEach
    void two_hosts_on_one_cable() throws IOException {
        Kernel.required();
        run = LabRun.start();
        a = new Place("a", Netns.create(run.prefix() + "a"), "192.168.7.1");
        b = new Place("b", Netns.create(run.prefix() + "b"), "192.168.7.2");
        a.namespace()
                .ip(
                        "link add eth0 type veth peer name eth0 netns " + b.namespace().name(),
                        "address add 192.168.7.1/24 dev eth0",
                        "address add fd00:7::1/64 dev eth0 nodad",
                        "link set eth0 up");
        b.namespace()
                .ip(
                        "address add 192.168.7.2/24 dev eth0",
                        "address add fd00:7::2/64 dev eth0 nodad",
                        "link set eth0 up");
    }

    @AfterEach
    void remove() throws IOException {
        if (run != null) {
            run.close();
        }
    }

    @Test
    void an_answered_echo_is_told_from_one_without_an_answer() throws Exception {
        assertThat(Traffic.answers(a, b)).isEqualTo("a (192.168.7.1) -> b (192.168.7.2)");
        assertThatThrownBy(() -> Traffic.answers(a, new Place("nobody", b.namespace(), NOBODY)))
                .isInstanceOf(Broken.class)
                .hasMessageContaining("nobody (192.168.7.9)");
    }

    @Test
    void the_callee_tells_the_callers_address_and_a_wrong_one_is_noticed() throws Exception {
        try (EchoServer _ = new EchoServer(b.namespace())) {
            Traffic.isSeenAs(a, b.address(), EchoServer.WHO_PORT, a.address());
            assertThatThrownBy(() -> Traffic.isSeenAs(a, b.address(), EchoServer.WHO_PORT, NOBODY))
                    .isInstanceOf(Broken.class)
                    .hasMessageContaining("seen as 192.168.7.1 instead of 192.168.7.9");
        }
        assertThatThrownBy(() -> Traffic.isSeenAs(a, b.address(), EchoServer.WHO_PORT, NOBODY))
                .isInstanceOf(Broken.class)
                .hasMessageContaining("refused");
    }

    @Test
    void a_capture_holds_the_stream_with_its_addresses_and_ports() throws Exception {
        try (EchoServer _ = new EchoServer(b.namespace())) {
            Capture capture = Capture.start(run, b.namespace(), Family.IPV4);
            Traffic.streams(a, b, 1 << 20);
            Traffic.answers(a, b);
            List<Capture.Packet> packets = capture.stop();

            assertThat(packets)
                    .contains(
                            new Capture.Packet(Family.IPV4.icmp(), a.address(), b.address(), 0, 0),
                            new Capture.Packet(Family.IPV4.icmp(), b.address(), a.address(), 0, 0));
            assertThat(packets)
                    .filteredOn(packet -> packet.port(EchoServer.STREAM_PORT))
                    .hasSizeGreaterThan(10)
                    .allMatch(packet -> packet.protocol() == Capture.TCP);
        }
    }

    @Test
    void ipv6_is_probed_and_captured_likewise() throws Exception {
        Place a6 = new Place("a", a.namespace(), "fd00:7::1");
        Place b6 = new Place("b", b.namespace(), "fd00:7::2");
        Await.until(
                Duration.ofSeconds(10),
                () -> Traffic.ping(a6.namespace(), b6.address()).ok(),
                answered -> answered);
        try (EchoServer _ = new EchoServer(b.namespace())) {
            Capture capture = Capture.start(run, b.namespace(), Family.IPV6);
            Traffic.streams(a6, b6, 1 << 20);
            Traffic.answers(a6, b6);
            Traffic.answers(a, b);
            Traffic.isSeenAs(a6, b6.address(), EchoServer.WHO_PORT, a6.address());
            List<Capture.Packet> packets = capture.stop();

            int icmp = Family.IPV6.icmp();
            assertThat(packets)
                    .contains(
                            new Capture.Packet(icmp, a6.address(), b6.address(), 0, 0),
                            new Capture.Packet(icmp, b6.address(), a6.address(), 0, 0))
                    .allMatch(
                            packet -> packet.protocol() == icmp || packet.protocol() == Capture.TCP)
                    .allMatch(packet -> Family.of(packet.source()) == Family.IPV6);
            assertThat(packets)
                    .filteredOn(packet -> packet.port(EchoServer.STREAM_PORT))
                    .hasSizeGreaterThan(10)
                    .allMatch(packet -> packet.protocol() == Capture.TCP);
        }
    }
}
