package dev.underlay.localvpc.fabric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.underlay.cni.linux.Fd;
import dev.underlay.cni.linux.Linux;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("kernel")
class NetnsTest {
    private static final String PREFIX = Kernel.prefix("netns");

    private Netns netns = new Netns(PREFIX + "a");

    @BeforeEach
    void make() throws IOException {
        Kernel.required();
        netns = Netns.create(PREFIX + "a");
    }

    @AfterEach
    void remove() throws IOException {
        Netns.deleteAll(PREFIX);
    }

    @Test
    void it_is_another_namespace_than_the_callers_and_has_a_file() throws Exception {
        try (Fd own = Linux.open("/proc/self/ns/net", Linux.O_RDONLY);
                Fd other = netns.open()) {
            assertThat(Linux.inode(other)).isNotEqualTo(Linux.inode(own));
        }
        assertThat(Netns.startingWith(PREFIX)).containsExactly(netns);
        assertThat(netns.exists()).isTrue();
    }

    @Test
    void a_taken_name_and_a_failing_command_are_refused_in_the_programs_words() {
        assertThatThrownBy(() -> Netns.create(netns.name()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("File exists");
        assertThatThrownBy(() -> netns.ip("link set lo up", "link set nothere up"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("nothere")
                .hasMessageContaining(netns.name());
        assertThatThrownBy(() -> new Netns("../mnt")).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void sockets_opened_inside_stay_inside() throws Exception {
        try (ServerSocket inside =
                netns.call(() -> new ServerSocket(0, 1, InetAddress.getLoopbackAddress()))) {
            String listening = netns.run("ss", "-Hltn");
            assertThat(listening).contains(":" + inside.getLocalPort());
            // The same address and port are free outside, so the socket cannot be there.
            try (ServerSocket outside =
                    new ServerSocket(inside.getLocalPort(), 1, InetAddress.getLoopbackAddress())) {
                assertThat(outside.getLocalPort()).isEqualTo(inside.getLocalPort());
            }
        }
    }

    @Test
    void sysctls_are_set_inside_only() throws Exception {
        // readAllLines, not readString: that one reads a file without a size byte by byte, and the
        // kernel answers only the first read of a parameter.
        Path forward = Path.of("/proc/sys/net/ipv4/ip_forward");
        List<String> before = Files.readAllLines(forward);
        netns.sysctl("net/ipv4/ip_forward=1");
        assertThat(netns.call(() -> Files.readAllLines(forward))).containsExactly("1");
        netns.sysctl("net/ipv4/ip_forward=0");
        assertThat(netns.call(() -> Files.readAllLines(forward))).containsExactly("0");
        assertThat(Files.readAllLines(forward)).isEqualTo(before);
    }

    @Test
    void deleting_ends_what_runs_inside_and_may_be_repeated() throws Exception {
        Process sleeper = netns.process(List.of("sleep", "1000")).start();
        try {
            // "ip netns exec" enters first and becomes the program then.
            while (!netns.run("ip", "netns", "pids", netns.name())
                    .contains(Long.toString(sleeper.pid()))) {
                assertThat(sleeper.isAlive()).isTrue();
            }
            netns.delete();
            assertThat(sleeper.isAlive()).isFalse();
            netns.delete();
            assertThat(Netns.startingWith(PREFIX)).isEmpty();
        } finally {
            sleeper.destroyForcibly();
        }
    }
}
