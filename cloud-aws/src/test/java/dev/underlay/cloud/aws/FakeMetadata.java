package dev.underlay.cloud.aws;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** A metadata service of version 2: no read without a token it knows; nothing is a 404. */
final class FakeMetadata implements AutoCloseable {
    static final String MAC = "0a:00:00:00:00:01";

    final Map<String, String> leaves = new ConcurrentHashMap<>();
    final AtomicInteger puts = new AtomicInteger();
    final AtomicInteger gets = new AtomicInteger();

    /** Answers so many requests with 503 first. */
    final AtomicInteger failures = new AtomicInteger();

    volatile boolean disabled;
    private volatile String token = "none yet";
    private final HttpServer server;

    FakeMetadata() throws IOException {
        String macs = "network/interfaces/macs/" + MAC + "/";
        leaves.put("mac", MAC);
        leaves.put("instance-id", FakeEc2.INSTANCE);
        leaves.put("instance-type", "m5.large");
        leaves.put("local-ipv4", "10.0.0.10");
        leaves.put("placement/availability-zone", "eu-west-1a");
        leaves.put("placement/region", "eu-west-1");
        leaves.put(macs + "interface-id", "eni-primary");
        leaves.put(macs + "vpc-ipv4-cidr-blocks", "10.0.0.0/16\n100.64.0.0/16");
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::handle);
        server.start();
    }

    URI endpoint() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    /** As a host that was restarted. */
    void forgetTokens() {
        token = "forgotten";
    }

    @Override
    public void close() {
        server.stop(0);
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            if (disabled) {
                exchange.sendResponseHeaders(403, -1);
            } else if (failures.getAndUpdate(n -> Math.max(0, n - 1)) > 0) {
                exchange.sendResponseHeaders(503, -1);
            } else if (exchange.getRequestMethod().equals("PUT")) {
                String ttl =
                        exchange.getRequestHeaders()
                                .getFirst("X-aws-ec2-metadata-token-ttl-seconds");
                boolean good =
                        path.equals("/latest/api/token")
                                && ttl != null
                                && Integer.parseInt(ttl) >= 1
                                && Integer.parseInt(ttl) <= 21_600;
                token = "token-" + puts.incrementAndGet();
                answer(exchange, good ? 200 : 400, token);
            } else if (!token.equals(
                    exchange.getRequestHeaders().getFirst("X-aws-ec2-metadata-token"))) {
                exchange.sendResponseHeaders(401, -1);
            } else {
                gets.incrementAndGet();
                String leaf = leaves.get(path.substring("/latest/meta-data/".length()));
                answer(exchange, leaf == null ? 404 : 200, leaf == null ? "not found" : leaf);
            }
        }
    }

    private static void answer(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }
}
