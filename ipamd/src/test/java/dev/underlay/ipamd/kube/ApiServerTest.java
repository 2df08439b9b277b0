package dev.underlay.ipamd.kube;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.ipamd.observe.Metrics;
import dev.underlay.pool.Cordon;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.server.mock.KubernetesCrudDispatcher;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.mockwebserver.Context;
import io.fabric8.mockwebserver.MockWebServer;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Against fabric8's own double of an API server, which keeps what it is given and watches. */
@Timeout(60)
final class ApiServerTest {
    private static final Duration LIMIT = Duration.ofSeconds(20);
    private static final Leadership.Times FAST =
            new Leadership.Times(
                    Duration.ofSeconds(3), Duration.ofSeconds(2), Duration.ofMillis(200));

    private KubernetesMockServer server;
    private KubernetesClient admin;
    private final List<ApiServer> daemons = new ArrayList<>();
    private final BlockingQueue<Cordon> heard = new LinkedBlockingQueue<>();
    private final BlockingQueue<Integer> capacities = new LinkedBlockingQueue<>();

    @BeforeEach
    void start() {
        server = server();
        server.init(InetAddress.getLoopbackAddress(), 0);
        admin = client(server.getPort());
    }

    @AfterEach
    void stop() {
        daemons.forEach(ApiServer::close);
        admin.close();
        server.destroy();
    }

    private static KubernetesMockServer server() {
        return new KubernetesMockServer(
                new Context(),
                new MockWebServer(),
                new HashMap<>(),
                new KubernetesCrudDispatcher(),
                false);
    }

    private static KubernetesClient client(int port) {
        Config config =
                new ConfigBuilder(Config.empty())
                        .withMasterUrl("http://127.0.0.1:" + port)
                        .withNamespace("kube-system")
                        .withRequestRetryBackoffLimit(0)
                        .build();
        return new KubernetesClientBuilder().withConfig(config).build();
    }

    private ApiServer daemon(String node) {
        return daemon(node, server.getPort());
    }

    private ApiServer daemon(String node, int port) {
        ApiServer daemon =
                ApiServer.start(
                        client(port),
                        new KubeSettings(node, "kube-system"),
                        FAST,
                        listener(),
                        new Metrics());
        daemons.add(daemon);
        return daemon;
    }

    private NodeListener listener() {
        return new NodeListener() {
            @Override
            public void cordon(Cordon cordon) {
                heard.add(cordon);
            }

            @Override
            public void podCapacity(int pods) {
                capacities.add(pods);
            }
        };
    }

    private void node(String name, boolean unschedulable) {
        node(name, unschedulable, "29");
    }

    private void node(String name, boolean unschedulable, String pods) {
        Resource<Node> node =
                admin.nodes()
                        .resource(
                                new NodeBuilder()
                                        .withNewMetadata()
                                        .withName(name)
                                        .endMetadata()
                                        .withNewSpec()
                                        .withUnschedulable(unschedulable)
                                        .endSpec()
                                        .withNewStatus()
                                        .withCapacity(Map.of("pods", new Quantity(pods)))
                                        .endStatus()
                                        .build());
        if (admin.nodes().withName(name).get() == null) {
            node.create();
        } else {
            node.update();
        }
    }

    private Cordon next() throws InterruptedException {
        Cordon next = heard.poll(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
        assertThat(next).describedAs("a change within %s", LIMIT).isNotNull();
        return next;
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        long limit = System.nanoTime() + LIMIT.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).describedAs("within %s", LIMIT).isLessThan(limit);
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    @Test
    void how_many_pods_a_node_may_run_is_heard_once() throws InterruptedException {
        node("node-1", false, "29");
        daemon("node-1");
        assertThat(capacities.poll(LIMIT.toMillis(), TimeUnit.MILLISECONDS)).isEqualTo(29);
        node("node-1", true, "29");
        node("node-1", true, "110");
        assertThat(capacities.poll(LIMIT.toMillis(), TimeUnit.MILLISECONDS)).isEqualTo(110);
    }

    @Test
    void the_nodes_own_cordon_is_heard_of_and_others_are_not() throws Exception {
        node("one", false);
        node("other", true);
        daemon("one");
        assertThat(next()).isEqualTo(Cordon.OPEN);
        node("other", false);
        node("one", true);
        assertThat(next()).isEqualTo(Cordon.CORDONED);
        node("one", false);
        assertThat(next()).isEqualTo(Cordon.OPEN);
        admin.nodes().withName("one").delete();
        assertThat(next()).isEqualTo(Cordon.UNKNOWN);
    }

    @Test
    void hazard_17_a_cordon_that_cannot_be_read_is_unknown() throws Exception {
        node("one", false);
        daemon("one");
        assertThat(next()).isEqualTo(Cordon.OPEN);
        server.destroy();
        assertThat(next()).isEqualTo(Cordon.UNKNOWN);
    }

    @Test
    void an_api_server_that_comes_late_is_heard_all_the_same() throws Exception {
        int port = server.getPort();
        server.destroy();
        ApiServer daemon;
        try (ServerSocket deaf = new ServerSocket(port, 0, InetAddress.getLoopbackAddress())) {
            daemon = daemon("one", port);
            deaf.accept().close();
            deaf.accept().close();
        }
        server = server();
        server.init(InetAddress.getLoopbackAddress(), port);
        node("one", true);
        assertThat(next()).isEqualTo(Cordon.CORDONED);
        await(daemon.stand()::leading);
    }

    @Test
    void one_daemon_leads_and_another_one_follows_it() throws Exception {
        ApiServer one = daemon("one");
        Leadership first = one.stand();
        await(first::leading);
        Leadership second = daemon("two").stand();
        int before = server.getRequestCount();
        await(() -> server.getRequestCount() > before + 10); // both try at the same pace
        assertThat(admin.leases().inNamespace("kube-system").list().getItems()).hasSize(1);
        assertThat(second.leading()).isFalse();

        one.close();

        assertThat(first.leading()).isFalse();
        await(second::leading);
    }

    @Test
    void a_leader_that_lost_the_api_server_leads_no_more() throws Exception {
        Leadership one = daemon("one").stand();
        await(one::leading);
        server.destroy();
        await(() -> !one.leading());
    }
}
