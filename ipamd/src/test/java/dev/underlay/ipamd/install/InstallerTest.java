package dev.underlay.ipamd.install;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InstallerTest {
    @TempDir Path folder;
    private Path bin;
    private Path conf;
    private Path launcher;

    @BeforeEach
    void prepare() throws IOException {
        bin = folder.resolve("bin");
        conf = folder.resolve("conf");
        launcher = Files.writeString(folder.resolve("launcher"), "v1");
    }

    @Test
    void the_first_time_everything_is_written_the_list_last() throws IOException {
        Installer installer = new Installer(bin, conf, launcher, Path.of("/run/x/ipamd.sock"));
        assertThat(installer.install())
                .containsExactly(
                        bin.resolve("underlay"),
                        bin.resolve("underlay.socket"),
                        conf.resolve("05-underlay.conflist"));
        assertThat(bin.resolve("underlay")).hasContent("v1").isExecutable();
        assertThat(bin.resolve("underlay.socket")).hasContent("/run/x/ipamd.sock");
        JsonNode list =
                new JsonMapper().readTree(Files.readString(conf.resolve("05-underlay.conflist")));
        assertThat(list.path("cniVersion").asText()).isEqualTo("1.0.0");
        assertThat(list.at("/plugins/0/type").asText()).isEqualTo("underlay");
        try (Stream<Path> files = Files.list(conf)) {
            assertThat(files).hasSize(1);
        }
    }

    @Test
    void what_is_right_is_left_alone_and_a_new_launcher_is_renamed_over_the_old_one()
            throws IOException {
        Installer installer = new Installer(bin, conf, launcher, Installer.DEFAULT_SOCKET);
        installer.install();
        Object inode = Files.getAttribute(bin.resolve("underlay"), "unix:ino");
        assertThat(installer.install()).isEmpty();
        assertThat(Files.getAttribute(bin.resolve("underlay"), "unix:ino")).isEqualTo(inode);
        Files.writeString(launcher, "v2");
        assertThat(installer.install()).containsExactly(bin.resolve("underlay"));
        assertThat(Files.getAttribute(bin.resolve("underlay"), "unix:ino")).isNotEqualTo(inode);
        assertThat(Set.of(bin.resolve("underlay.socket"))).noneMatch(Files::exists);
    }

    @Test
    void a_socket_file_of_an_earlier_run_goes_when_the_socket_is_where_it_is_expected()
            throws IOException {
        new Installer(bin, conf, launcher, Path.of("/run/x/ipamd.sock")).install();
        new Installer(bin, conf, launcher, Installer.DEFAULT_SOCKET).install();
        assertThat(bin.resolve("underlay.socket")).doesNotExist();
    }
}
