package dev.underlay.cni.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Scanner;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LinuxTest {
    @Test
    void boot_time_advances_and_matches_proc_uptime() throws Exception {
        long before = Linux.bootTimeNanos();
        double uptimeSeconds = new Scanner(Files.readString(Path.of("/proc/uptime"))).nextDouble();
        long after = Linux.bootTimeNanos();
        assertThat(before).isLessThanOrEqualTo((long) (uptimeSeconds * 1e9) + 10_000_000L);
        assertThat(after).isGreaterThanOrEqualTo((long) (uptimeSeconds * 1e9) - 10_000_000L);
    }

    @Test
    void inode_is_the_files_own(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("a"), "x");
        try (Fd fd = Linux.open(file.toString(), Linux.O_RDONLY)) {
            assertThat(Linux.inode(fd)).isEqualTo(Files.getAttribute(file, "unix:ino"));
        }
    }

    @Test
    void failure_names_the_path_and_the_errno() {
        assertThatThrownBy(() -> Linux.open("/no/such/file", Linux.O_RDONLY))
                .isInstanceOfSatisfying(
                        LinuxException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT))
                .hasMessageContaining("/no/such/file");
    }
}
