package dev.underlay.ipamd.observe;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.Closeable;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.function.Supplier;

/**
 * {@code GET /healthz} (the process answers), {@code /readyz} (200, or 503 with the reason) and
 * {@code /status} (one JSON document), and pages of others. Loopback unless set otherwise.
 */
public final class HealthServer implements Closeable {
    private final HttpServer server;

    private HealthServer(HttpServer server) {
        this.server = server;
    }

    /**
     * Starts to answer.
     *
     * @param notReady why the node cannot serve yet; empty when it can; must not block
     * @param status the status document; called on a virtual thread, may block shortly
     * @throws IOException when the address cannot be had; the message names it
     */
    public static HealthServer start(
            InetSocketAddress address, Supplier<Optional<String>> notReady, Supplier<String> status)
            throws IOException {
        HttpServer server = bind(address);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext(
                "/", exchange -> answer(exchange, 404, "text/plain", "no such page\n"));
        server.createContext("/healthz", exchange -> answer(exchange, 200, "text/plain", "ok\n"));
        server.createContext(
                "/readyz",
                exchange -> {
                    Optional<String> reason = notReady.get();
                    answer(
                            exchange,
                            reason.isPresent() ? 503 : 200,
                            "text/plain",
                            reason.orElse("ready") + "\n");
                });
        server.createContext(
                "/status",
                exchange -> answer(exchange, 200, "application/json", status.get() + "\n"));
        server.start();
        return new HealthServer(server);
    }

    /** What a page says: one JSON document. */
    @FunctionalInterface
    public interface Document {
        /**
         * Called on a virtual thread, may block.
         *
         * @throws IOException when there is none; its message becomes the answer
         */
        String text() throws IOException;
    }

    /**
     * Adds a page.
     *
     * @param method {@code GET} for one that only tells, {@code POST} for one that acts
     */
    public void addPage(String method, String path, Document document) {
        server.createContext(
                path,
                exchange -> {
                    if (!exchange.getRequestMethod().equals(method)) {
                        answer(exchange, 405, "text/plain", "only " + method + "\n");
                        return;
                    }
                    try {
                        answer(exchange, 200, "application/json", document.text() + "\n");
                    } catch (IOException e) {
                        answer(exchange, 500, "text/plain", e.getMessage() + "\n");
                    }
                });
    }

    private static HttpServer bind(InetSocketAddress address) throws IOException {
        try {
            return HttpServer.create(address, 0);
        } catch (IOException e) {
            throw new IOException(
                    "cannot listen on the health address "
                            + address
                            + ": "
                            + e.getMessage()
                            + "; end what holds it or choose another with --health-address",
                    e);
        }
    }

    /** The address it listens on; its port is the real one where 0 was asked for. */
    public InetSocketAddress address() {
        return server.getAddress();
    }

    @Override
    public void close() {
        server.stop(0);
    }

    private static void answer(HttpExchange exchange, int code, String type, String text)
            throws IOException {
        try (exchange) {
            byte[] body = text.getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", type + "; charset=utf-8");
            exchange.sendResponseHeaders(code, body.length);
            exchange.getResponseBody().write(body);
        }
    }
}
