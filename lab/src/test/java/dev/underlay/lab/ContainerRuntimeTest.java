package dev.underlay.lab;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.underlay.localvpc.fabric.Netns;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The plugin is called as libcni calls it; a script in its place writes down what it got. */
@Tag("kernel")
final class ContainerRuntimeTest {
    private static final String RESULT =
            "{\"cniVersion\":\"1.1.0\",\"ips\":[{\"address\":\"10.0.0.7/32\"}]}";

    private LabRun run;
    private NodeFolders folders;
    private ContainerRuntime runtime;
    private Sandbox sandbox;

    @BeforeEach
    void a_node_with_a_recording_plugin() throws IOException {
        Kernel.required();
        run = LabRun.start();
        folders = new NodeFolders(run.folder().resolve("node")).create();
        Netns node = Netns.create(run.prefix() + "node");
        Path plugin = folders.binaries().resolve("recorder");
        Files.writeString(
                plugin,
                """
                #!/bin/sh
                cd %s
                env | grep ^CNI_ | sort > environment
                cat > input
                readlink /proc/self/ns/net > namespace
                [ $CNI_COMMAND != ADD ] || echo '%s'
                """
                        .formatted(folders.run(), RESULT));
        Files.setPosixFilePermissions(plugin, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.writeString(
                folders.configurations().resolve("05-a.conflist"),
                """
                {"name":"net","cniVersion":"1.0.0","cniVersions":["0.3.1","1.0.0","1.1.0","7.0.0"],
                 "plugins":[{"type":"recorder","own":1}]}
                """);
        Files.writeString(folders.configurations().resolve("10-b.conflist"), "{}");
        runtime =
                new ContainerRuntime(
                        node, run.prefix() + "p-", folders.binaries(), folders.configurations(), 7);
        sandbox = runtime.sandbox("web");
    }

    @AfterEach
    void remove() throws IOException {
        if (run != null) {
            run.close();
        }
    }

    @Test
    void an_add_has_the_attachment_in_its_environment_and_the_newest_common_version()
            throws IOException {
        CniReply reply = runtime.add(sandbox);

        assertThat(reply.address()).isEqualTo("10.0.0.7");
        assertThat(sandbox.containerId()).matches("[0-9a-f]{64}");
        assertThat(environment())
                .containsExactly(
                        "CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAMESPACE=lab;K8S_POD_NAME=web;"
                                + "K8S_POD_INFRA_CONTAINER_ID="
                                + sandbox.containerId(),
                        "CNI_COMMAND=ADD",
                        "CNI_CONTAINERID=" + sandbox.containerId(),
                        "CNI_IFNAME=eth0",
                        "CNI_NETNS=" + sandbox.netnsPath(),
                        "CNI_PATH=" + folders.binaries());
        assertThat(input().toString())
                .isEqualTo(
                        "{\"type\":\"recorder\",\"own\":1,\"name\":\"net\",\"cniVersion\":\"1.1.0\"}");
        assertThat(Files.readString(folders.run().resolve("namespace")).strip())
                .isEqualTo(
                        "net:["
                                + Files.getAttribute(
                                        new Netns(run.prefix() + "node").path(), "unix:ino")
                                + "]");
    }

    @Test
    void a_del_hands_the_result_back_and_the_second_one_has_neither_result_nor_namespace()
            throws IOException {
        assertThat(runtime.add(sandbox).ok()).isTrue();

        assertThat(runtime.delete(sandbox).ok()).isTrue();
        assertThat(input().path("prevResult").toString()).isEqualTo(RESULT);
        assertThat(environment()).contains("CNI_NETNS=" + sandbox.netnsPath());

        assertThat(runtime.deleteAgain(sandbox).ok()).isTrue();
        assertThat(input().has("prevResult")).isFalse();
        assertThat(environment()).contains("CNI_NETNS=", "CNI_COMMAND=DEL");
    }

    private List<String> environment() throws IOException {
        return Files.readAllLines(folders.run().resolve("environment"));
    }

    private JsonNode input() throws IOException {
        return new ObjectMapper().readTree(folders.run().resolve("input").toFile());
    }
}
