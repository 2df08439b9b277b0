package dev.underlay.localvpc.http;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.underlay.localvpc.Dials.Reach;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * An HTTP server that can also be silent or broken. One virtual thread serves one request. Its
 * socket is opened on the constructing thread, so in that thread's network namespace.
 */
public final class HttpListener implements AutoCloseable {
    /** More than any request of an EC2 or metadata client. */
    private static final int MAX_BODY_BYTES = 1 << 20;

    /** What happens to one request. */
    public sealed interface Outcome {
        /** An answer. */
        record Answer(int status, String contentType, String body) implements Outcome {}

        /** An answer with one more header. */
        record Headed(Answer answer, String header, String value) implements Outcome {}

        /** An answer that ends in the middle of its body. */
        record Truncated(Answer answer) implements Outcome {}

        /** The connection closes without an answer. */
        record Drop() implements Outcome {}

        /** Nothing, until the listener closes. */
        record Silence() implements Outcome {}
    }

    /**
     * A request, read to its end.
     *
     * @param exchange for method, path, headers and the caller's address
     * @param body decoded as UTF-8
     */
    public record Request(HttpExchange exchange, String body) {
        /** The first value of a header. */
        public Optional<String> header(String name) {
            return Optional.ofNullable(exchange.getRequestHeaders().getFirst(name));
        }
    }

    /** Decides what happens. */
    @FunctionalInterface
    public interface Handler {
        /** Any exception but an interrupt is the handler's bug; the connection is dropped. */
        Outcome handle(Request request) throws InterruptedException;
    }

    static {
        // Without it every answer waits 40 ms for the client's delayed acknowledgement.
        System.setProperty("sun.net.httpserver.nodelay", "true");
    }

    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Supplier<Reach> reach;
    private final Handler handler;

    /** Listens from here on. */
    public HttpListener(InetSocketAddress address, Supplier<Reach> reach, Handler handler)
            throws IOException {
        this.reach = reach;
        this.handler = handler;
        server = HttpServer.create(address, 128);
        server.setExecutor(threads);
        server.createContext("/", this::serve);
        server.start();
    }

    /** Where it listens, without a slash at the end. */
    public URI uri() {
        InetSocketAddress at = server.getAddress();
        return URI.create("http://" + at.getAddress().getHostAddress() + ":" + at.getPort());
    }

    /**
     * Waits, but not beyond the listener's close.
     *
     * @return whether the time passed
     */
    public boolean pause(Duration time) throws InterruptedException {
        return time.isZero() || !closed.await(time.toNanos(), TimeUnit.NANOSECONDS);
    }

    @Override
    public void close() {
        closed.countDown();
        server.stop(0);
        threads.shutdownNow();
    }

    private void serve(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readNBytes(MAX_BODY_BYTES);
            Request request = new Request(exchange, new String(body, StandardCharsets.UTF_8));
            Outcome outcome =
                    switch (reach.get()) {
                        case UP -> handler.handle(request);
                        case RESET -> new Outcome.Drop();
                        case SILENT -> new Outcome.Silence();
                    };
            send(exchange, outcome);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void send(HttpExchange exchange, Outcome outcome)
            throws IOException, InterruptedException {
        switch (outcome) {
            case Outcome.Answer answer -> write(exchange, answer, false);
            case Outcome.Headed(var answer, var header, var value) -> {
                exchange.getResponseHeaders().set(header, value);
                write(exchange, answer, false);
            }
            case Outcome.Truncated(var answer) -> write(exchange, answer, true);
            case Outcome.Drop _ -> {
                // Closing an exchange that has no answer closes the connection.
            }
            case Outcome.Silence _ -> closed.await();
        }
    }

    private static void write(HttpExchange exchange, Outcome.Answer answer, boolean half)
            throws IOException {
        byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", answer.contentType());
        exchange.sendResponseHeaders(answer.status(), body.length == 0 ? -1 : body.length);
        try (OutputStream out = exchange.getResponseBody()) {
            out.write(body, 0, half ? body.length / 2 : body.length);
            if (half) {
                out.flush();
            }
        }
    }
}
