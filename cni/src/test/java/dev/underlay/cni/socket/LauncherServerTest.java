package dev.underlay.cni.socket;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.underlay.cni.linux.Errno;
import dev.underlay.cni.linux.Fd;
import dev.underlay.cni.linux.Linux;
import dev.underlay.cni.linux.LinuxException;
import dev.underlay.cni.linux.UnixSocket;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The server against hostile, slow and dying callers on a real socket. Descriptors that it must not
 * keep are those of one marker file, counted in {@code /proc/self/fd}.
 */
@Tag("kernel")
class LauncherServerTest {
    private static final LauncherServer.Limits SMALL =
            new LauncherServer.Limits(3, 2, 1, Duration.ofMillis(300), Duration.ofMillis(300));
    private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(10);

    @TempDir Path folder;
    private final Queue<String> notes = new ConcurrentLinkedQueue<>();
    private final ExecutorService callers = Executors.newCachedThreadPool();
    private Path runFolder;
    private Path socket;
    private Path marker;

    @BeforeEach
    void need_root() throws Exception {
        boolean root = Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0);
        if (!root) {
            System.err.println("SKIPPED: the server's tests need root, it serves root only");
        }
        assumeTrue(root, "the server serves root only");
        runFolder = folder.resolve("run");
        socket = runFolder.resolve("ipamd.sock");
        marker = Files.writeString(folder.resolve("marker"), "");
    }

    @AfterEach
    void stop_callers() {
        callers.shutdownNow();
    }

    @Test
    void the_socket_is_roots_alone_and_replaces_a_stale_one() throws Exception {
        try (LauncherServer _ = start(SMALL, (call, hangUp) -> LauncherReply.success())) {
            assertThat(mode(socket)).isEqualTo("rw-------");
            assertThat(mode(runFolder)).isEqualTo("rwx------");
            assertThatThrownBy(() -> start(SMALL, (call, hangUp) -> LauncherReply.success()))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(socket.toString())
                    .hasMessageContaining("another daemon");
        }
        assertThat(socket).exists();
        try (LauncherServer _ = start(SMALL, (call, hangUp) -> LauncherReply.success())) {
            assertThat(call("STATUS", List.of()).exitCode()).isZero();
        }
        try (var files = Files.list(runFolder)) {
            assertThat(files).containsExactly(socket);
        }
    }

    @Test
    void what_a_daemon_left_that_was_killed_before_it_listened_goes() throws Exception {
        Files.createDirectories(runFolder);
        UnixSocket.bind(runFolder.resolve(".ipamd.sock.new").toString()).close();
        try (LauncherServer _ = start(SMALL, (call, hangUp) -> LauncherReply.success());
                var files = Files.list(runFolder)) {
            assertThat(files).containsExactly(socket);
        }
    }

    @Test
    void a_folder_that_others_can_write_is_refused() throws Exception {
        Files.createDirectories(runFolder);
        Files.setPosixFilePermissions(runFolder, PosixFilePermissions.fromString("rwxrwx---"));
        assertThatThrownBy(() -> start(SMALL, (call, hangUp) -> LauncherReply.success()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("writable for root only");
    }

    @Test
    void descriptors_reach_the_handler_and_are_closed_before_the_answer() throws Exception {
        List<Long> seen = new ArrayList<>();
        LauncherHandler handler =
                (call, hangUp) -> {
                    try {
                        seen.add(Linux.inode(call.descriptor("a").orElseThrow()));
                        call.descriptor("b").orElseThrow().close();
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    }
                    return new LauncherReply(1, "{\"answer\":\"ä\"}");
                };
        try (LauncherServer _ = start(SMALL, handler)) {
            for (int i = 0; i < 3; i++) {
                assertThat(call("ADD", List.of("a", "b", "c")))
                        .isEqualTo(new LauncherReply(1, "{\"answer\":\"ä\"}"));
                assertThat(markersOpen()).isZero();
            }
            assertThat(seen).containsOnly((Long) Files.getAttribute(marker, "unix:ino")).hasSize(3);
        }
    }

    @Test
    void a_request_that_cannot_be_read_is_answered_with_104_and_keeps_no_descriptor()
            throws Exception {
        try (LauncherServer _ = start(SMALL, (call, hangUp) -> LauncherReply.success())) {
            ByteBuffer unnamed = LauncherProtocol.encode(request("ADD", Map.of()));
            assertThat(exchange(unnamed, 2).standardOutput()).contains("\"code\":104");
            assertThat(markersOpen()).isZero();

            ByteBuffer older = LauncherProtocol.encode(request("ADD", Map.of()));
            older.putShort(4, (short) 9);
            assertThat(exchange(older, 1).standardOutput()).contains("protocol 9 came");
            assertThat(markersOpen()).isZero();
            assertThat(notes).allSatisfy(n -> assertThat(n).startsWith("launcher.malformed"));
        }
    }

    @Test
    void more_descriptors_than_a_message_may_carry_are_an_error_and_all_closed() throws Exception {
        try (LauncherServer _ = start(SMALL, (call, hangUp) -> LauncherReply.success())) {
            ByteBuffer frame = LauncherProtocol.encode(request("ADD", Map.of()));
            try (Fd caller = UnixSocket.connect(socket.toString())) {
                sendWithMarkers(caller, frame, UnixSocket.MAX_DESCRIPTORS + 5);
                assertThat(readAll(caller)).isEmpty();
            }
            await("closed", () -> markersOpen() == 0);
            await(
                    "note",
                    () -> notes.stream().anyMatch(n -> n.contains("descriptors in a message")));
        }
    }

    @Test
    void a_caller_that_stops_in_the_middle_loses_its_thread_and_its_descriptors() throws Exception {
        try (LauncherServer _ = start(SMALL, (call, hangUp) -> LauncherReply.success())) {
            List<Fd> silent = new ArrayList<>();
            for (int i = 0; i < 20; i++) { // four times as many as there are threads
                Fd caller = UnixSocket.connect(socket.toString());
                silent.add(caller);
                ByteBuffer half = LauncherProtocol.encode(request("ADD", Map.of()));
                sendWithMarkers(caller, half.limit(i), 1);
            }
            assertThat(call("STATUS", List.of()).exitCode()).isZero();
            silent.forEach(Fd::close);
            await("closed", () -> markersOpen() == 0);
        }
    }

    @Test
    void an_exception_is_answered_as_999_and_ends_nothing() throws Exception {
        LauncherHandler handler =
                (call, hangUp) -> {
                    String verb = call.environment().get("CNI_COMMAND");
                    if ("ADD".equals(verb)) {
                        throw new IllegalStateException("slot 7 is odd");
                    }
                    if ("DEL".equals(verb)) {
                        throw new StackOverflowError();
                    }
                    return LauncherReply.success();
                };
        try (LauncherServer _ = start(SMALL, handler)) {
            assertThat(call("ADD", List.of("a")).standardOutput())
                    .contains("\"code\":999")
                    .contains("\"cniVersion\":\"1.0.0\"")
                    .contains("slot 7 is odd");
            assertThat(call("DEL", List.of("a")).standardOutput()).contains("\"code\":999");
            assertThat(call("STATUS", List.of())).isEqualTo(LauncherReply.success());
            assertThat(markersOpen()).isZero();
            assertThat(notes).anySatisfy(n -> assertThat(n).startsWith("launcher.bug"));
        }
    }

    @Test
    void waiting_adds_never_keep_a_del_or_status_out() throws Exception {
        CountDownLatch address = new CountDownLatch(1);
        CountDownLatch waiting = new CountDownLatch(SMALL.adds());
        LauncherHandler handler =
                (call, hangUp) -> {
                    if ("ADD".equals(call.environment().get("CNI_COMMAND"))) {
                        waiting.countDown();
                        waitFor(address);
                    }
                    return LauncherReply.success();
                };
        try (LauncherServer _ = start(SMALL, handler)) {
            List<Future<LauncherReply>> adds = new ArrayList<>();
            for (int i = 0; i < SMALL.adds(); i++) {
                adds.add(callers.submit(() -> call("ADD", List.of("a"))));
            }
            waitFor(waiting);
            for (int i = 0; i < 10; i++) {
                assertThat(call("ADD", List.of("a")).standardOutput())
                        .contains("\"code\":11")
                        .contains("\"cniVersion\":\"1.0.0\"")
                        .contains("3 ADDs already wait");
                assertThat(call("DEL", List.of("a"))).isEqualTo(LauncherReply.success());
                assertThat(call("STATUS", List.of())).isEqualTo(LauncherReply.success());
            }
            address.countDown();
            for (Future<LauncherReply> add : adds) {
                assertThat(add.get(10, TimeUnit.SECONDS)).isEqualTo(LauncherReply.success());
            }
            assertThat(call("ADD", List.of())).isEqualTo(LauncherReply.success());
            assertThat(markersOpen()).isZero();
        }
    }

    @Test
    void fifty_adds_wait_at_once_with_the_usual_limits() throws Exception {
        CountDownLatch waiting = new CountDownLatch(50);
        LauncherHandler handler =
                (call, hangUp) -> {
                    waiting.countDown();
                    waitFor(waiting);
                    return LauncherReply.success();
                };
        try (LauncherServer _ = start(LauncherServer.Limits.DEFAULT, handler)) {
            List<Future<LauncherReply>> adds = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                adds.add(callers.submit(() -> call("ADD", List.of())));
            }
            for (Future<LauncherReply> add : adds) {
                assertThat(add.get(10, TimeUnit.SECONDS)).isEqualTo(LauncherReply.success());
            }
        }
    }

    @Test
    void the_handler_sees_that_the_launcher_was_killed() throws Exception {
        CountDownLatch started = new CountDownLatch(1);
        CountDownLatch seen = new CountDownLatch(1);
        LauncherHandler handler =
                (call, hangUp) -> {
                    assertThat(hangUp.happened()).isFalse();
                    started.countDown();
                    try {
                        await("hang-up", hangUp::happened);
                    } catch (Exception e) {
                        throw new IllegalStateException(e);
                    }
                    seen.countDown();
                    return LauncherReply.success();
                };
        try (LauncherServer _ = start(SMALL, handler)) {
            try (Fd caller = UnixSocket.connect(socket.toString())) {
                UnixSocket.send(caller, LauncherProtocol.encode(request("ADD", Map.of())));
                waitFor(started);
            }
            waitFor(seen);
            await("note", () -> notes.stream().anyMatch(n -> n.startsWith("launcher.lost")));
        }
    }

    @Test
    void closing_interrupts_what_waits_and_still_delivers_its_answer() throws Exception {
        CountDownLatch started = new CountDownLatch(1);
        LauncherHandler handler =
                (call, hangUp) -> {
                    started.countDown();
                    try {
                        new CountDownLatch(1).await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                    return new LauncherReply(1, "{\"code\":11}");
                };
        Future<LauncherReply> add;
        try (LauncherServer _ = start(SMALL, handler)) {
            add = callers.submit(() -> call("ADD", List.of("a")));
            waitFor(started);
        }
        assertThat(add.get(10, TimeUnit.SECONDS)).isEqualTo(new LauncherReply(1, "{\"code\":11}"));
        assertThatThrownBy(() -> UnixSocket.connect(socket.toString()))
                .hasMessageContaining("refused");
        assertThat(markersOpen()).isZero();
        await(
                "threads",
                () ->
                        Thread.getAllStackTraces().keySet().stream()
                                .noneMatch(t -> t.getName().startsWith("cni-")));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 20261125})
    void random_bytes_with_descriptors_leak_nothing_and_stop_nobody(long seed) throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        try (LauncherServer _ = start(SMALL, (call, hangUp) -> LauncherReply.success())) {
            for (int step = 0; step < 400; step++) {
                ByteBuffer frame = LauncherProtocol.encode(request("ADD", Map.of()));
                for (int i = random.nextInt(4); i > 0; i--) {
                    frame.put(random.nextInt(frame.limit()), (byte) random.nextInt());
                }
                try (Fd caller = UnixSocket.connect(socket.toString())) {
                    sendWithMarkers(
                            caller,
                            frame.limit(1 + random.nextInt(frame.limit())),
                            random.nextInt(4));
                }
            }
            assertThat(call("STATUS", List.of()))
                    .as("seed %d", seed)
                    .isEqualTo(LauncherReply.success());
            await("descriptors closed, seed " + seed, () -> markersOpen() == 0);
        }
    }

    @Test
    void many_callers_each_get_their_own_answer() throws Exception {
        LauncherHandler handler = (call, hangUp) -> new LauncherReply(0, call.standardInput());
        try (LauncherServer _ = start(LauncherServer.Limits.DEFAULT, handler)) {
            List<Future<?>> all = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                int caller = i;
                all.add(
                        callers.submit(() -> {
                            for (int n = 0; n < 50; n++) {
                                // Some do not fit into the socket's buffer at once.
                                String text = (caller + "-" + n).repeat(n * 400);
                                LauncherCall call =
                                        new LauncherCall(
                                                Map.of("CNI_COMMAND", "CHECK"), text, Map.of());
                                assertThat(
                                                exchange(LauncherProtocol.encode(call), 0)
                                                        .standardOutput()
                                                        .equals(text))
                                        .isTrue();
                            }
                            return null;
                        }));
            }
            for (Future<?> one : all) {
                one.get(60, TimeUnit.SECONDS);
            }
        }
    }

    // ---- a caller in this process

    private LauncherServer start(LauncherServer.Limits limits, LauncherHandler handler)
            throws IOException {
        return LauncherServer.start(
                socket,
                new LauncherHandler() {
                    @Override
                    public LauncherReply handle(LauncherCall call, HangUp hangUp) {
                        return handler.handle(call, hangUp);
                    }

                    @Override
                    public void note(String event, String reason) {
                        notes.add(event + " " + reason);
                    }
                },
                limits);
    }

    private static LauncherCall request(String verb, Map<String, Fd> descriptors) {
        return new LauncherCall(
                Map.of("CNI_COMMAND", verb), "{\"cniVersion\":\"1.0.0\"}", descriptors);
    }

    /** Sends a verb with the marker file under each name. */
    private LauncherReply call(String verb, List<String> names) throws IOException {
        try (Fd any = Linux.open("/dev/null", Linux.O_RDONLY)) {
            Map<String, Fd> named = new java.util.HashMap<>();
            names.forEach(name -> named.put(name, any));
            return exchange(LauncherProtocol.encode(request(verb, named)), names.size());
        }
    }

    private LauncherReply exchange(ByteBuffer frame, int markers) throws IOException {
        try (Fd caller = UnixSocket.connect(socket.toString())) {
            sendWithMarkers(caller, frame, markers);
            while (frame.hasRemaining()) {
                UnixSocket.awaitWritable(caller, LIMIT_NANOS);
                UnixSocket.send(caller, frame);
            }
            return reply(readAll(caller));
        }
    }

    private void sendWithMarkers(Fd caller, ByteBuffer frame, int count) throws IOException {
        List<Fd> markers = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                markers.add(Linux.open(marker.toString(), Linux.O_RDONLY));
            }
            UnixSocket.send(caller, frame, markers);
        } finally {
            markers.forEach(Fd::close);
        }
    }

    private static byte[] readAll(Fd caller) throws IOException {
        UnixSocket.Receiver receiver = new UnixSocket.Receiver(1 << 16);
        var bytes = new java.io.ByteArrayOutputStream();
        while (UnixSocket.awaitReadable(caller, LIMIT_NANOS)) {
            ByteBuffer part;
            try {
                part = receiver.receive(caller, 1 << 16, new ArrayList<>());
            } catch (LinuxException e) {
                // The server closed without having read everything; what it said came before.
                assertThat(e.errno()).isEqualTo(Errno.ECONNRESET);
                return bytes.toByteArray();
            }
            if (!part.hasRemaining()) {
                return bytes.toByteArray();
            }
            byte[] copy = new byte[part.remaining()];
            part.get(copy);
            bytes.writeBytes(copy);
        }
        throw new IOException("no end of the answer");
    }

    private static LauncherReply reply(byte[] frame) throws IOException {
        ByteBuffer fields = ByteBuffer.wrap(frame).order(ByteOrder.nativeOrder());
        assertThat(LauncherProtocol.length(fields)).isEqualTo(frame.length);
        assertThat(fields.getShort(12)).isEqualTo((short) LauncherProtocol.EXIT_CODE);
        assertThat(fields.getShort(24)).isEqualTo((short) LauncherProtocol.STANDARD_OUTPUT);
        return new LauncherReply(
                fields.getInt(20),
                new String(frame, 32, fields.getInt(28), StandardCharsets.UTF_8));
    }

    private long markersOpen() throws IOException {
        long count = 0;
        try (var descriptors = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path descriptor : descriptors) {
                try {
                    if (Files.readSymbolicLink(descriptor).equals(marker)) {
                        count++;
                    }
                } catch (java.nio.file.NoSuchFileException e) {
                    // Closed between the listing and the look.
                }
            }
        }
        return count;
    }

    private static String mode(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    private static void await(String what, Callable<Boolean> condition) throws Exception {
        long endNanos = System.nanoTime() + LIMIT_NANOS;
        while (!condition.call()) {
            assertThat(System.nanoTime()).as("waiting for: " + what).isLessThan(endNanos);
            LockSupport.parkNanos(1_000_000);
        }
    }

    private static void waitFor(CountDownLatch latch) {
        try {
            if (!latch.await(10, TimeUnit.SECONDS)) {
                throw new IllegalStateException("nothing happened for 10 s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
