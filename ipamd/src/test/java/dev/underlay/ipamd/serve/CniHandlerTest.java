package dev.underlay.ipamd.serve;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.underlay.cni.linux.Fd;
import dev.underlay.cni.linux.Linux;
import dev.underlay.cni.socket.DelIntents;
import dev.underlay.cni.socket.LauncherCall;
import dev.underlay.cni.socket.LauncherReply;
import dev.underlay.ipamd.observe.Metrics;
import dev.underlay.ipamd.owner.FakeCloud;
import dev.underlay.ipamd.owner.LiveOwner;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Calls as a launcher sends them, against a real owner on its own thread; the cloud and the pods'
 * part of the kernel are fakes. A file stands for a namespace: both are told apart by inode.
 */
class CniHandlerTest {
    private static final JsonMapper JSON = new JsonMapper();
    private static final LinkFacts FACTS =
            new LinkFacts() {
                @Override
                public int mtuBytes(String interfaceId) {
                    return 9001;
                }

                @Override
                public List<InetAddress> nodeAddresses() {
                    return List.of(InetAddress.ofLiteral("10.0.0.4"));
                }
            };

    @TempDir Path folder;
    private final FakePods pods = new FakePods();
    private LiveOwner live;
    private CniHandler handler;
    private PastDels past;

    @BeforeEach
    void start() throws IOException {
        live = new LiveOwner(folder.resolve("journal"), new FakeCloud(), Duration.ofMillis(1500));
        DelVerb del = new DelVerb(live.owner(), pods);
        past = new PastDels(new DelIntents(folder.resolve("intents")), live.owner(), del);
        handler =
                new CniHandler(
                        live.owner(),
                        new CniHandler.Kernel(pods, FACTS),
                        del,
                        past,
                        Files.getAttribute(namespace("host"), "unix:ino") instanceof Long inode
                                ? inode
                                : 0,
                        new Metrics(),
                        Linux::bootTimeNanos);
    }

    @AfterEach
    void stop() throws IOException {
        live.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"0.3.1", "0.4.0", "1.0.0", "1.1.0"})
    void an_add_is_answered_in_the_version_of_its_configuration(String version) throws IOException {
        live.start();
        JsonNode result = JSON.readTree(success(call("ADD", "c1", config(version, ""))));
        assertThat(result.path("cniVersion").asText()).isEqualTo(version);
        assertThat(result.at("/interfaces/0/sandbox").isMissingNode()).isTrue();
        assertThat(result.at("/interfaces/1/name").asText()).isEqualTo("eth0");
        assertThat(result.at("/interfaces/1/sandbox").asText()).isEqualTo(netns("c1"));
        assertThat(result.at("/ips/0/interface").asInt()).isEqualTo(1);
        assertThat(result.at("/ips/0/address").asText()).endsWith("/32");
        assertThat(result.at("/routes/0/dst").asText()).isEqualTo("0.0.0.0/0");
        assertThat(pods.wired()).singleElement().extracting("mtuBytes").isEqualTo(9001);
    }

    @Test
    void a_repeated_add_gives_the_same_and_wires_nothing() throws IOException {
        live.start();
        String first = success(call("ADD", "c1", config("1.1.0", "")));
        assertThat(success(call("ADD", "c1", config("1.1.0", "")))).isEqualTo(first);
        assertThat(
                        JSON.readTree(success(call("ADD", "c1", config("0.4.0", ""))))
                                .at("/ips/0/version")
                                .asText())
                .isEqualTo("4");
        assertThat(pods.wired()).hasSize(1);
    }

    @Test
    void what_the_kernel_refuses_holds_no_address() throws IOException {
        live.start();
        pods.refuse(true);
        assertThat(code(call("ADD", "c1", config("1.1.0", "")))).isEqualTo(11);
        assertThat(live.leases()).isZero();
        pods.refuse(false);
        success(call("ADD", "c1", config("1.1.0", "")));
    }

    @Test
    void an_add_into_the_nodes_own_namespace_or_none_is_refused() throws IOException {
        live.start();
        assertThat(code(call("ADD", "host", config("1.1.0", "")))).isEqualTo(8);
        LauncherCall without =
                new LauncherCall(environment("ADD", "c1"), config("1.1.0", ""), Map.of());
        assertThat(code(handler.handle(without, () -> false))).isEqualTo(8);
        assertThat(live.leases()).isZero();
    }

    @Test
    void a_container_id_too_long_for_a_link_is_refused_by_name() throws IOException {
        live.start();
        Map<String, String> environment = new HashMap<>(environment("ADD", "long"));
        environment.put("CNI_CONTAINERID", "c".repeat(250));
        LauncherReply reply = handle(environment, config("1.1.0", ""), "long");
        assertThat(code(reply)).isEqualTo(4);
        assertThat(reply.standardOutput()).contains("CNI_CONTAINERID");
    }

    @Test
    void a_full_node_makes_an_add_wait_and_then_says_why() throws IOException {
        live.start();
        for (int i = 0; i < 27; i++) {
            success(call("ADD", "c" + i, config("1.1.0", "")));
        }
        LauncherReply reply = call("ADD", "late", config("1.1.0", ""));
        assertThat(code(reply)).isEqualTo(11);
        assertThat(reply.standardOutput()).contains("no address came within 1 s");
        success(call("STATUS", "", config("1.1.0", "")));
    }

    @Test
    void a_caller_that_hangs_up_while_it_waits_leaves_its_place() throws IOException {
        live.start();
        for (int i = 0; i < 27; i++) {
            success(call("ADD", "c" + i, config("1.1.0", "")));
        }
        long start = System.nanoTime();
        assertThat(code(handle(environment("ADD", "late"), config("1.1.0", ""), "late", true)))
                .isEqualTo(11);
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(1));
        assertThat(live.owner().report().join().waiting()).isZero();
    }

    @Test
    void a_caller_that_hung_up_while_its_pod_was_wired_leaves_nothing() throws IOException {
        live.start();
        AtomicBoolean gone = new AtomicBoolean(true);
        LauncherCall call = launcherCall(environment("ADD", "c1"), config("1.1.0", ""), "c1");
        assertThat(code(handler.handle(call, gone::get))).isEqualTo(11);
        assertThat(pods.wired()).isEmpty();
        assertThat(live.leases()).isZero();
    }

    @Test
    void a_del_of_nothing_succeeds_and_so_does_one_that_is_repeated() throws IOException {
        live.start();
        success(call("DEL", "c1", config("1.1.0", "")));
        success(call("ADD", "c1", config("1.1.0", "")));
        success(call("DEL", "c1", config("1.1.0", "")));
        Map<String, String> second = new HashMap<>(environment("DEL", "c1"));
        second.put("CNI_NETNS", "");
        assertThat(
                        handler.handle(
                                        new LauncherCall(second, config("1.1.0", ""), Map.of()),
                                        () -> false)
                                .exitCode())
                .isZero();
        assertThat(pods.wired()).isEmpty();
        assertThat(live.leases()).isZero();
    }

    @Test
    void a_del_that_the_kernel_refuses_keeps_the_lease_and_can_be_repeated() throws IOException {
        live.start();
        success(call("ADD", "c1", config("1.1.0", "")));
        pods.refuse(true);
        LauncherReply refused = call("DEL", "c1", config("1.1.0", ""));
        assertThat(code(refused)).isEqualTo(101);
        assertThat(refused.standardOutput())
                .doesNotContainIgnoringCase("not found")
                .doesNotContainIgnoringCase("no such file");
        assertThat(live.leases()).isEqualTo(1);
        pods.refuse(false);
        success(call("DEL", "c1", config("1.1.0", "")));
        assertThat(live.leases()).isZero();
    }

    @Test
    void check_compares_journal_result_and_kernel() throws IOException {
        live.start();
        String result = success(call("ADD", "c1", config("1.1.0", "")));
        success(call("CHECK", "c1", config("1.1.0", ",\"prevResult\":" + result)));
        String other = result.replaceAll("\"10\\.[0-9.]+/32\"", "\"10.9.9.9/32\"");
        assertThat(code(call("CHECK", "c1", config("1.1.0", ",\"prevResult\":" + other))))
                .isEqualTo(102);
        assertThat(code(call("CHECK", "c2", config("1.1.0", ",\"prevResult\":" + result))))
                .isEqualTo(3);
        assertThat(code(call("CHECK", "c1", config("1.1.0", "")))).isEqualTo(7);
        success(call("DEL", "c1", config("1.1.0", "")));
        assertThat(code(call("CHECK", "c1", config("1.1.0", ",\"prevResult\":" + result))))
                .isEqualTo(3);
    }

    @Test
    void hazard_20_status_says_50_until_the_node_can_serve() throws IOException {
        assertThat(code(call("STATUS", "", config("1.1.0", "")))).isEqualTo(50);
        live.start();
        success(call("STATUS", "", config("1.1.0", "")));
    }

    @Test
    void gc_frees_what_its_network_does_not_list_and_without_a_list_nothing() throws IOException {
        live.start();
        success(call("ADD", "c1", config("1.1.0", "")));
        success(call("ADD", "c2", config("1.1.0", "")));
        success(call("ADD", "c3", config("1.1.0", "").replace("\"underlay\",", "\"other\",")));
        success(call("GC", "", config("1.1.0", "")));
        assertThat(live.leases()).isEqualTo(3);
        success(
                call(
                        "GC",
                        "",
                        config(
                                "1.1.0",
                                ",\"cni.dev/valid-attachments\":"
                                        + "[{\"containerID\":\"c2\",\"ifname\":\"eth0\"}]")));
        assertThat(pods.wired())
                .extracting(spec -> spec.attachment().containerId())
                .containsExactlyInAnyOrder("c2", "c3");
        success(call("GC", "", config("1.1.0", ",\"cni.dev/valid-attachments\":null")));
        assertThat(pods.wired())
                .extracting(spec -> spec.attachment().containerId())
                .containsExactly("c3");
    }

    /**
     * G65: without its daemon the VPC CNI takes rules down and leaves the address leased for ever;
     * here the launcher leaves an intent, and the address comes back.
     */
    @Test
    void hazard_10_a_del_from_the_past_is_carried_out_unless_the_lease_is_younger()
            throws IOException {
        live.start();
        success(call("ADD", "old", config("1.1.0", "")));
        long between = Linux.bootTimeNanos();
        success(call("ADD", "young", config("1.1.0", "")));
        intent("old", between);
        intent("young", between);
        past.sweep();
        assertThat(pods.wired())
                .extracting(spec -> spec.attachment().containerId())
                .containsExactly("young");
        assertThat(folder.resolve("intents")).isEmptyDirectory();
    }

    @Test
    void an_add_first_carries_out_the_del_of_its_own_key() throws IOException {
        live.start();
        success(call("ADD", "c1", config("1.1.0", "")));
        intent("c1", Linux.bootTimeNanos());
        Files.delete(namespace("c1"));
        String second = success(call("ADD", "c1", config("1.1.0", "")));
        assertThat(second).contains("10.0.0.");
        assertThat(pods.wired()).hasSize(1);
        assertThat(live.leases()).isEqualTo(1);
        past.sweep();
        assertThat(live.leases()).isEqualTo(1);
    }

    @Test
    void fifty_pods_that_come_and_go_at_once_never_share_an_address() throws Exception {
        live.start();
        try (ExecutorService runtime = Executors.newFixedThreadPool(27)) {
            for (int round = 0; round < 3; round++) {
                List<Future<String>> adds = new ArrayList<>();
                for (int i = 0; i < 9; i++) {
                    String id = "r" + round + "-" + i;
                    adds.add(runtime.submit(() -> success(call("ADD", id, config("1.1.0", "")))));
                }
                Set<String> addresses = new HashSet<>();
                for (Future<String> add : adds) {
                    addresses.add(JSON.readTree(add.get()).at("/ips/0/address").asText());
                }
                assertThat(addresses).hasSize(9);
            }
            assertThat(live.leases()).isEqualTo(27);
            List<Future<String>> dels = new ArrayList<>();
            for (int i = 0; i < 27; i++) {
                String id = "r" + i / 9 + "-" + i % 9;
                dels.add(runtime.submit(() -> success(call("DEL", id, config("1.1.0", "")))));
            }
            for (Future<String> del : dels) {
                del.get();
            }
        }
        assertThat(live.leases()).isZero();
        assertThat(pods.wired()).isEmpty();
    }

    private void intent(String container, long bootTimeNanos) throws IOException {
        Path intents = Files.createDirectories(folder.resolve("intents"));
        Files.writeString(
                intents.resolve("i-" + container),
                """
                network=underlay
                containerId=%s
                interfaceName=eth0
                namespaceInode=0
                bootTimeNanos=%d
                """
                        .formatted(container, bootTimeNanos));
    }

    private LauncherReply call(String verb, String container, String config) throws IOException {
        return handle(environment(verb, container), config, container);
    }

    private LauncherReply handle(Map<String, String> environment, String config, String container)
            throws IOException {
        return handle(environment, config, container, false);
    }

    private LauncherReply handle(
            Map<String, String> environment, String config, String container, boolean hungUp)
            throws IOException {
        return handler.handle(launcherCall(environment, config, container), () -> hungUp);
    }

    private LauncherCall launcherCall(
            Map<String, String> environment, String config, String container) throws IOException {
        if (container.isEmpty()) {
            return new LauncherCall(environment, config, Map.of());
        }
        Fd namespace = Linux.open(namespace(container).toString(), Linux.O_RDONLY);
        return new LauncherCall(
                environment,
                config,
                Map.of(LauncherCall.NETNS, namespace, LauncherCall.ROUTE_SOCKET, namespace));
    }

    private Map<String, String> environment(String verb, String container) {
        return container.isEmpty()
                ? Map.of("CNI_COMMAND", verb)
                : Map.of(
                        "CNI_COMMAND",
                        verb,
                        "CNI_CONTAINERID",
                        container,
                        "CNI_IFNAME",
                        "eth0",
                        "CNI_NETNS",
                        netns(container),
                        "CNI_ARGS",
                        "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=" + container);
    }

    private static String config(String version, String more) {
        return "{\"cniVersion\":\""
                + version
                + "\",\"name\":\"underlay\",\"type\":\"underlay\""
                + more
                + "}";
    }

    private static String netns(String container) {
        return "/run/netns/" + container;
    }

    private Path namespace(String container) throws IOException {
        Path file = folder.resolve("ns-" + container);
        if (!Files.exists(file)) {
            Files.createFile(file);
        }
        return file;
    }

    private static String success(LauncherReply reply) {
        assertThat(reply.exitCode()).as(reply.standardOutput()).isZero();
        return reply.standardOutput();
    }

    private static int code(LauncherReply reply) throws IOException {
        assertThat(reply.exitCode()).isEqualTo(1);
        return JSON.readTree(reply.standardOutput()).path("code").asInt();
    }
}
