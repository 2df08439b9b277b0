package dev.underlay.ipamd.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class EndpointsTest {
    private static final InetAddress LOOPBACK = InetAddress.ofLiteral("127.0.0.1");

    @Test
    void ready_is_told_with_its_reason() throws Exception {
        AtomicReference<Optional<String>> reason =
                new AtomicReference<>(Optional.of("the cloud is silent"));
        try (HealthServer server =
                HealthServer.start(
                        new InetSocketAddress(LOOPBACK, 0), reason::get, () -> "{\"a\":1}")) {
            int port = server.address().getPort();
            assertThat(get(port, "/healthz").statusCode()).isEqualTo(200);
            assertThat(get(port, "/readyz").statusCode()).isEqualTo(503);
            assertThat(get(port, "/readyz").body()).contains("the cloud is silent");
            reason.set(Optional.empty());
            assertThat(get(port, "/readyz").statusCode()).isEqualTo(200);
            assertThat(get(port, "/status").body()).isEqualTo("{\"a\":1}\n");
            assertThat(get(port, "/nothing").statusCode()).isEqualTo(404);
        }
    }

    @Test
    void the_numbers_are_there_from_the_first_look() throws Exception {
        Metrics metrics = new Metrics();
        metrics.now(new Metrics.Gauges(4, 3, 2, 1, 2, 5), 777);
        metrics.called("ADD", 11, 2_000_000);
        int port = freePort();
        try (var _ = metrics.serve(new InetSocketAddress(LOOPBACK, port))) {
            assertThat(get(port, "/metrics").body())
                    .contains("underlay_pool_slots{state=\"free\"} 4.0")
                    .contains("underlay_pool_slots{state=\"cooling\"} 2.0")
                    .contains("underlay_adds_waiting 5.0")
                    .contains("underlay_journal_size_bytes 777.0")
                    .contains("underlay_cni_calls_total{code=\"11\",verb=\"ADD\"} 1.0");
        }
    }

    @Test
    void a_port_that_is_taken_is_an_error_that_names_it() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, LOOPBACK)) {
            InetSocketAddress address = new InetSocketAddress(LOOPBACK, taken.getLocalPort());
            assertThatThrownBy(() -> HealthServer.start(address, Optional::empty, () -> "").close())
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(String.valueOf(address.getPort()))
                    .hasMessageContaining("--health-address");
            assertThatThrownBy(() -> new Metrics().serve(address).close())
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(String.valueOf(address.getPort()))
                    .hasMessageContaining("--metrics-address");
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, LOOPBACK)) {
            return socket.getLocalPort();
        }
    }

    private static HttpResponse<String> get(int port, String path) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).build(),
                    HttpResponse.BodyHandlers.ofString());
        }
    }
}
