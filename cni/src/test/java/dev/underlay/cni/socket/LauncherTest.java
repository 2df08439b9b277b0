package dev.underlay.cni.socket;

import static dev.underlay.cni.socket.LauncherProcess.attachment;
import static dev.underlay.cni.socket.LauncherProcess.node;
import static dev.underlay.cni.socket.LauncherProcess.with;
import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.cni.linux.Fd;
import dev.underlay.cni.linux.Linux;
import dev.underlay.cni.linux.UnixSocket;
import dev.underlay.cni.netlink.IpPrefix;
import dev.underlay.cni.netlink.Link;
import dev.underlay.cni.netlink.RouteSocket;
import dev.underlay.cni.protocol.CniError;
import dev.underlay.cni.protocol.CniRequest;
import dev.underlay.cni.protocol.CniResult;
import dev.underlay.cni.protocol.ParseResult;
import dev.underlay.cni.protocol.SpecVersion;
import dev.underlay.cni.socket.DelIntents.DelIntent;
import dev.underlay.cni.socket.LauncherProcess.Run;
import dev.underlay.cni.testing.Netns;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The real launcher as a process, against a daemon in this process that really uses the descriptors
 * it gets, against sockets that misbehave, and against nothing.
 */
@Tag("kernel")
class LauncherTest {
    private static final String CONFIG =
            "{\"cniVersion\":\"1.0.0\",\"name\":\"underlay\",\"type\":\"underlay\"}";
    private static final Path HOST_SYSCTL = Path.of("/proc/sys/net/ipv6/conf/default/accept_dad");
    private static final String OWN_NAMESPACE =
            "/proc/" + ProcessHandle.current().pid() + "/ns/net";
    private static final String SUCCESS_WORDS = "not found|no such file or directory";

    @TempDir Path folder;
    private LauncherProcess launcher;

    @BeforeEach
    void install_the_launcher() throws Exception {
        launcher = LauncherProcess.install(folder);
    }

    // ---- alone

    @Test
    void it_is_one_small_file_that_needs_no_other() throws Exception {
        ByteBuffer elf =
                ByteBuffer.wrap(Files.readAllBytes(launcher.binary()))
                        .order(ByteOrder.nativeOrder());
        assertThat(elf.capacity()).isLessThan(1 << 20);
        assertThat(elf.getInt(0)).isEqualTo(0x464c457f); // 0x7f "ELF"
        assertThat(elf.getShort(16)).as("position-independent").isEqualTo((short) 3); // ET_DYN
        int headers = (int) elf.getLong(32); // e_phoff
        for (int i = 0; i < elf.getShort(56); i++) { // e_phnum
            int type = elf.getInt(headers + i * elf.getShort(54)); // e_phentsize
            assertThat(type).as("no interpreter (PT_INTERP)").isNotEqualTo(3);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"0.3.1", "0.4.0", "1.0.0", "1.1.0", "0.2.0"})
    void version_is_answered_without_a_daemon_in_the_version_asked(String version)
            throws Exception {
        // As libcni sends it.
        Map<String, String> environment =
                with(attachment("VERSION", "dummy"), "CNI_CONTAINERID", "", "CNI_IFNAME", "dummy");
        Run run = launcher.run(environment, "{\"cniVersion\":\"" + version + "\"}");
        assertThat(run.output())
                .isEqualTo(
                        "{\"cniVersion\":\""
                                + version
                                + "\",\"supportedVersions\":[\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]}\n");
        assertThat(run.status()).isZero();
        assertThat(SpecVersion.texts()).containsExactly("0.3.1", "0.4.0", "1.0.0", "1.1.0");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "null",
                "{\"cniVersion\":7}",
                "{\"x\":{\"cniVersion\":\"9\"}}",
                "[\"cniVersion\",\"9\"]",
                "{\"cniVersion\":\"1\\u002e0\"}",
                "{\"cniVersion\":\"a-long-text-that-is-none\"}",
                "{\"a\":\"cniVersion\",\"b\":\"9\"}"
            })
    void version_without_a_readable_configuration_is_answered_in_the_newest(String input)
            throws Exception {
        Run run = launcher.run(node("VERSION"), input);
        assertThat(run.json().path("cniVersion").asText()).isEqualTo("1.1.0");
        assertThat(run.status()).isZero();
    }

    @Test
    void of_a_version_given_twice_the_last_counts() throws Exception {
        Run run =
                launcher.run(
                        node("VERSION"),
                        "{\"cniVersion\":\"0.4.0\",\"a\":[{\"b\":\"}\\\"\"}],\"cniVersion\" : \"1.0.0\"}");
        assertThat(run.json().path("cniVersion").asText()).isEqualTo("1.0.0");
    }

    @Test
    void without_a_command_it_says_what_it_is() throws Exception {
        Run run = launcher.run(Map.of(), "");
        assertThat(run.status()).isZero();
        assertThat(run.output()).isEmpty();
        assertThat(run.log()).contains("CNI plugin").contains("1.1.0");
    }

    static Stream<Arguments> wrong_calls() {
        Map<String, String> add = attachment("ADD", "/run/netns/gone");
        return Stream.of(
                Arguments.of(with(add, "CNI_COMMAND", "FOO"), 4, "\"FOO\""),
                Arguments.of(with(add, "CNI_COMMAND", ""), 4, "ADD, DEL, CHECK, STATUS, GC"),
                Arguments.of(with(add, "CNI_COMMAND", "add"), 4, "CNI_COMMAND"),
                Arguments.of(node("ADD"), 4, "CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME"),
                Arguments.of(node("CHECK"), 4, "CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME"),
                Arguments.of(node("DEL"), 4, "empty: CNI_CONTAINERID, CNI_IFNAME;"),
                Arguments.of(with(add, "CNI_IFNAME", ""), 4, "empty: CNI_IFNAME;"),
                Arguments.of(with(add, "CNI_IFNAME", "abcdefghijklmnop"), 4, "CNI_IFNAME"),
                Arguments.of(with(add, "CNI_IFNAME", "."), 4, "CNI_IFNAME"),
                Arguments.of(with(add, "CNI_IFNAME", ".."), 4, "CNI_IFNAME"),
                Arguments.of(with(add, "CNI_IFNAME", "a/b"), 4, "CNI_IFNAME"),
                Arguments.of(with(add, "CNI_IFNAME", "a:b"), 4, "CNI_IFNAME"),
                Arguments.of(with(add, "CNI_IFNAME", "a b"), 4, "CNI_IFNAME"),
                Arguments.of(with(add, "CNI_IFNAME", "eth%d"), 4, "CNI_IFNAME"),
                Arguments.of(with(add, "CNI_IFNAME", "eth\"\n\u0001ä"), 4, "CNI_IFNAME"),
                Arguments.of(with(add, "CNI_CONTAINERID", "../x"), 4, "CNI_CONTAINERID"),
                Arguments.of(with(add, "CNI_CONTAINERID", "-x"), 4, "CNI_CONTAINERID"),
                Arguments.of(with(add, "CNI_CONTAINERID", "a b"), 4, "CNI_CONTAINERID"),
                Arguments.of(with(add, "CNI_ARGS", "A=" + "b".repeat(17_000)), 4, "CNI_ARGS"),
                Arguments.of(with(add, "CNI_NETNS", "netns/a"), 4, "absolute path"),
                Arguments.of(add, 8, "/run/netns/gone: it does not exist"),
                Arguments.of(with(add, "CNI_COMMAND", "CHECK"), 8, "/run/netns/gone"),
                Arguments.of(with(add, "CNI_NETNS", "/etc/hostname"), 8, "not a network namespace"),
                Arguments.of(with(add, "CNI_NETNS", "/proc/self/ns/mnt"), 8, "not a network"),
                Arguments.of(with(add, "CNI_NETNS", "/proc/self/ns/net"), 8, "node's own"),
                Arguments.of(with(add, "CNI_NETNS", OWN_NAMESPACE), 8, "node's own"));
    }

    @ParameterizedTest
    @MethodSource("wrong_calls")
    void a_wrong_call_has_its_code_and_names_the_thing_with_or_without_a_daemon(
            Map<String, String> environment, int code, String words) throws Exception {
        Run down = launcher.run(environment, CONFIG);
        assertThat(down.code()).isEqualTo(code);
        assertThat(down.message()).contains(words).contains(";");
        assertThat(down.status()).isEqualTo(1);
        List<LauncherCall> calls = new ArrayList<>();
        try (LauncherServer _ =
                serve((call, hangUp) -> {
                    calls.add(call);
                    return LauncherReply.success();
                })) {
            assertThat(launcher.run(environment, CONFIG).output()).isEqualTo(down.output());
            assertThat(calls).isEmpty();
        }
    }

    static Stream<Arguments> verbs_without_a_daemon() {
        return Stream.of(
                Arguments.of("ADD", 11),
                Arguments.of("CHECK", 11),
                Arguments.of("STATUS", 50),
                Arguments.of("GC", 11));
    }

    @ParameterizedTest
    @MethodSource("verbs_without_a_daemon")
    void no_daemon_has_its_code_and_says_what_to_start(String verb, int code) throws Exception {
        try (Netns pod = Netns.create("down")) {
            String config = CONFIG.replace("1.0.0", "1.1.0");
            Run run = launcher.run(attachment(verb, pod.path().toString()), config);
            assertThat(run.code()).isEqualTo(code);
            assertThat(run.json().path("cniVersion").asText()).isEqualTo("1.1.0");
            assertThat(run.message())
                    .contains(launcher.socket().toString())
                    .contains("start ipamd");
            assertThat(run.status()).isEqualTo(1);
            // A socket that is left over is the same as none.
            Files.createDirectories(launcher.socket().getParent());
            UnixSocket.bind(launcher.socket().toString()).close();
            assertThat(launcher.run(attachment(verb, pod.path().toString()), config).output())
                    .isEqualTo(run.output());
        }
    }

    @Test
    void the_socket_is_where_the_file_beside_the_binary_says() throws Exception {
        Path file = launcher.binary().resolveSibling("underlay.socket");
        Files.delete(file);
        // Without the file it is the default; an ipamd that really runs here would answer.
        if (!Files.exists(Path.of("/run/underlay/ipamd.sock"))) {
            assertThat(launcher.run(node("STATUS"), CONFIG).message())
                    .contains("/run/underlay/ipamd.sock");
        }
        for (String bad : List.of("", "\n", "run/ipamd.sock\n", "/" + "a".repeat(107) + "\n")) {
            Files.writeString(file, bad);
            Run run = launcher.run(node("STATUS"), CONFIG);
            assertThat(run.code()).isEqualTo(7);
            assertThat(run.message()).contains("underlay.socket").contains("restart ipamd");
        }
        Files.writeString(file, "/" + "a".repeat(106) + "\nsecond line\n");
        assertThat(launcher.run(node("STATUS"), CONFIG).message()).contains("/aaaa");
    }

    // ---- with a daemon that does what it is asked

    @ParameterizedTest
    @EnumSource(SpecVersion.class)
    void an_add_brings_descriptors_that_work_and_prints_the_result(SpecVersion version)
            throws Exception {
        try (Netns pod = Netns.create("add")) {
            pod.shell("ip link add ul-mark type veth peer name ul-peer");
            String onHost = Files.readString(HOST_SYSCTL);
            Queue<Object> seen = new ConcurrentLinkedQueue<>();
            LauncherHandler daemon =
                    (call, hangUp) -> {
                        CniRequest request = accepted(call);
                        try (RouteSocket route =
                                RouteSocket.over(
                                        call.descriptor(LauncherCall.ROUTE_SOCKET).orElseThrow())) {
                            seen.add(route.links().stream().map(Link::name).sorted().toList());
                            seen.add(
                                    Linux.inode(call.descriptor(LauncherCall.NETNS).orElseThrow()));
                            seen.add(call.descriptors().keySet().stream().sorted().toList());
                            Fd dad =
                                    call.descriptor("net/ipv6/conf/default/accept_dad")
                                            .orElseThrow();
                            ByteBuffer zero = Linux.buffer(1).put(0, (byte) '0');
                            Linux.check("write", c -> c.write(dad.number(), zero, 1));
                            seen.add(route.link("lo").orElseThrow().mtuBytes());
                        } catch (IOException e) {
                            throw new IllegalStateException(e);
                        }
                        return LauncherReply.success(result(request.netns()), request.version());
                    };
            try (LauncherServer _ = serve(daemon)) {
                String config = CONFIG.replace("1.0.0", version.text());
                List<String> open = namespacesAndSockets(pod);
                Run run = launcher.run(attachment("ADD", pod.path().toString()), config);
                assertThat(run.output()).isEqualTo(result(pod.path().toString()).json(version));
                assertThat(run.status()).isZero();
                assertThat(run.log()).isEmpty();
                List<String> names = new ArrayList<>(LauncherCall.SYSCTLS);
                names.addAll(List.of("netns", "route"));
                names.sort(null);
                assertThat(seen)
                        .containsExactly(
                                List.of("lo", "ul-mark", "ul-peer"),
                                Linux.inode(pod.fd()),
                                names,
                                65536);
                assertThat(pod.exec("sysctl", "-n", "net.ipv6.conf.default.accept_dad").strip())
                        .isEqualTo("0");
                assertThat(Files.readString(HOST_SYSCTL)).isEqualTo(onHost);
                assertNothingLeftOpen(pod, open);
            }
        }
    }

    @Test
    void only_the_calls_own_variables_are_forwarded() throws Exception {
        Queue<LauncherCall> calls = new ConcurrentLinkedQueue<>();
        try (LauncherServer _ =
                serve((call, hangUp) -> {
                    calls.add(call);
                    return LauncherReply.success();
                })) {
            Map<String, String> environment =
                    with(
                            attachment("DEL", ""),
                            "AWS_SECRET_ACCESS_KEY",
                            "s",
                            "CNI_ARGS",
                            "K8S_POD_NAME=ä=b;",
                            "PATH",
                            "/bin");
            assertThat(launcher.run(environment, CONFIG).status()).isZero();
        }
        assertThat(calls)
                .containsExactly(
                        new LauncherCall(
                                Map.of(
                                        "CNI_COMMAND", "DEL",
                                        "CNI_CONTAINERID", "c-1",
                                        "CNI_IFNAME", "eth0",
                                        "CNI_NETNS", "",
                                        "CNI_ARGS", "K8S_POD_NAME=ä=b;"),
                                CONFIG,
                                Map.of()));
    }

    @Test
    void each_verb_brings_what_it_needs_from_the_pod_and_no_more() throws Exception {
        Queue<String> seen = new ConcurrentLinkedQueue<>();
        try (Netns pod = Netns.create("verbs");
                LauncherServer _ =
                        serve((call, hangUp) -> {
                            seen.add(
                                    call.environment().get("CNI_COMMAND")
                                            + call.descriptors().keySet().stream()
                                                    .sorted()
                                                    .toList());
                            return LauncherReply.success();
                        })) {
            List<String> open = namespacesAndSockets(pod);
            for (String verb : List.of("CHECK", "DEL", "DEL", "STATUS", "GC")) {
                Run run = launcher.run(attachment(verb, pod.path().toString()), CONFIG);
                assertThat(run).isEqualTo(new Run(0, "", "", run.millis()));
            }
            // A DEL never fails for its namespace: gone, not given, not one, or the node's own.
            for (String gone :
                    List.of("", "/run/netns/gone", "/etc/hostname", "netns", OWN_NAMESPACE)) {
                assertThat(launcher.run(attachment("DEL", gone), CONFIG).status()).isZero();
            }
            assertNothingLeftOpen(pod, open);
        }
        assertThat(seen)
                .containsExactly(
                        "CHECK[netns, route]",
                        "DEL[netns, route]",
                        "DEL[netns, route]",
                        "STATUS[]",
                        "GC[]",
                        "DEL[]",
                        "DEL[]",
                        "DEL[]",
                        "DEL[]",
                        "DEL[]");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "null", "[1]", "\u0001\u0002", "{\"cniVersion\":\"1.0.0\"} x"})
    void a_broken_configuration_comes_back_as_the_daemons_error(String input) throws Exception {
        try (LauncherServer _ = serve(LauncherTest::refusing)) {
            for (String verb : List.of("DEL", "STATUS", "GC")) {
                Run run = launcher.run(attachment(verb, ""), input);
                assertThat(run.code()).isEqualTo(6);
                assertThat(run.status()).isEqualTo(1);
            }
        }
    }

    @Test
    void an_input_of_one_mebibyte_arrives_and_a_larger_one_has_code_7() throws Exception {
        try (LauncherServer _ =
                serve((call, hangUp) ->
                        new LauncherReply(0, "{\"n\":" + call.standardInput().length() + "}"))) {
            byte[] most = new byte[LauncherProtocol.MAX_INPUT_BYTES];
            java.util.Arrays.fill(most, (byte) ' ');
            assertThat(launcher.run(node("STATUS"), most, true).output())
                    .isEqualTo("{\"n\":1048576}");
            for (int size : new int[] {most.length + 1, 10_000_000}) {
                byte[] more = new byte[size];
                java.util.Arrays.fill(more, (byte) ' ');
                Run run = launcher.run(node("STATUS"), more, true);
                assertThat(run.code()).isEqualTo(7);
                assertThat(run.message()).contains("1048576");
            }
        }
    }

    @Test
    void an_answer_as_large_as_the_frame_allows_is_printed_whole() throws Exception {
        String large = "{\"a\":\"" + "x".repeat(1_000_000) + "\"}";
        try (LauncherServer _ = serve((call, hangUp) -> new LauncherReply(3, large))) {
            Run run = launcher.run(node("STATUS"), CONFIG);
            assertThat(run.output().equals(large)).isTrue();
            assertThat(run.status()).isEqualTo(3);
        }
    }

    @Test
    void closed_standard_streams_do_no_harm() throws Exception {
        Queue<String> inputs = new ConcurrentLinkedQueue<>();
        try (LauncherServer _ =
                serve((call, hangUp) -> {
                    inputs.add(call.standardInput());
                    return new LauncherReply(0, "{}");
                })) {
            for (String closing : List.of("<&-", ">&-", "2>&-", "<&- >&- 2>&-")) {
                Run run =
                        launcher.runBehind(
                                node("STATUS"), CONFIG, "sh", "-c", "exec \"$0\" " + closing);
                assertThat(run.status()).as(closing).isZero();
                assertThat(run.output())
                        .isEqualTo(closing.contains(">&-") && !closing.equals("2>&-") ? "" : "{}");
            }
        }
        assertThat(inputs).containsExactly("", CONFIG, CONFIG, "");
    }

    @Test
    void another_user_cannot_connect_and_a_socket_opened_to_all_still_refuses() throws Exception {
        Path reachable = Files.createTempDirectory(Path.of("/tmp"), "ul-launcher-");
        try {
            Files.setPosixFilePermissions(reachable, PosixFilePermissions.fromString("rwxr-xr-x"));
            LauncherProcess theirs = LauncherProcess.install(reachable);
            String[] nobody = {
                "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"
            };
            Queue<String> calls = new ConcurrentLinkedQueue<>();
            try (LauncherServer _ =
                    LauncherServer.start(
                            theirs.socket(),
                            (call, hangUp) -> {
                                calls.add(call.standardInput());
                                return LauncherReply.success();
                            },
                            LauncherServer.Limits.DEFAULT)) {
                Run closed = theirs.runBehind(node("STATUS"), CONFIG, nobody);
                assertThat(closed.code()).isEqualTo(103);
                assertThat(closed.message()).contains("as root");

                Files.setPosixFilePermissions(
                        theirs.socket(), PosixFilePermissions.fromString("rwxrwxrwx"));
                Files.setPosixFilePermissions(
                        reachable.resolve("run"), PosixFilePermissions.fromString("rwxr-xr-x"));
                Run open = theirs.runBehind(node("STATUS"), CONFIG, nobody);
                assertThat(open.code()).isEqualTo(50);
                assertThat(calls).isEmpty();
                assertThat(theirs.run(node("STATUS"), CONFIG).status()).isZero();
            }
        } finally {
            try (Stream<Path> files = Files.walk(reachable)) {
                for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
    }

    // ---- DEL without a daemon

    @Test
    void a_del_without_a_daemon_is_stored_at_once_and_succeeds() throws Exception {
        try (Netns pod = Netns.create("del")) {
            long before = Linux.bootTimeNanos();
            Run first = launcher.run(attachment("DEL", pod.path().toString()), CONFIG);
            Run second = launcher.run(attachment("DEL", ""), "{");
            long after = Linux.bootTimeNanos();
            for (Run run : List.of(first, second)) {
                assertThat(run.status()).isZero();
                assertThat(run.output()).isEmpty();
                assertThat(run.millis()).isLessThan(1000);
                assertThat(run.log()).contains("stored");
            }
            List<DelIntent> intents = launcher.intents().list();
            assertThat(intents).extracting(DelIntent::network).containsExactly("underlay", "");
            assertThat(intents)
                    .extracting(DelIntent::namespaceInode)
                    .containsExactly(Linux.inode(pod.fd()), 0L);
            assertThat(intents)
                    .allSatisfy(i -> {
                        assertThat(i.containerId()).isEqualTo("c-1");
                        assertThat(i.interfaceName()).isEqualTo("eth0");
                        assertThat(i.bootTimeNanos()).isBetween(before, after);
                    });
            assertThat(
                            PosixFilePermissions.toString(
                                    Files.getPosixFilePermissions(
                                            launcher.socket().resolveSibling("intents"))))
                    .isEqualTo("rwx------");
        }
    }

    @Test
    void a_del_that_cannot_be_stored_fails_in_words_that_make_the_runtime_repeat_it()
            throws Exception {
        Files.writeString(launcher.socket().getParent(), "a file where the folder should be");
        Run run = launcher.run(attachment("DEL", ""), CONFIG);
        assertThat(run.code()).isEqualTo(11);
        assertThat(run.message()).contains("could not be stored").contains("start ipamd");
        Files.writeString(
                launcher.binary().resolveSibling("underlay.socket"), "/proc/none/ipamd.sock\n");
        Run nowhere = launcher.run(attachment("DEL", ""), CONFIG);
        assertThat(nowhere.code()).isEqualTo(11);
        assertThat((run.output() + nowhere.output()).toLowerCase(Locale.ROOT))
                .doesNotContainPattern(SUCCESS_WORDS);
    }

    @Test
    void a_del_that_nobody_answers_is_stored_after_two_seconds() throws Exception {
        try (Fd _ = mute(5)) {
            for (int i = 1; i <= 2; i++) {
                Run run = launcher.run(attachment("DEL", ""), CONFIG);
                assertThat(run.status()).isZero();
                assertThat(run.output()).isEmpty();
                assertThat(run.millis()).isBetween(2000L, 6000L);
                assertThat(launcher.intents().list()).hasSize(i);
            }
        }
    }

    @Test
    void a_del_whose_daemon_dies_is_stored_and_tried_once_more() throws Exception {
        byte[] answer = bytes(LauncherProtocol.encode(LauncherReply.success()));
        // The first connection is cut off, the second is answered by the restarted daemon.
        try (Scripted _ = scripted(new byte[0], answer)) {
            Run run = launcher.run(attachment("DEL", ""), CONFIG);
            assertThat(run).isEqualTo(new Run(0, "", "", run.millis()));
            assertThat(launcher.intents().list()).isEmpty();
        }
    }

    // ---- daemons that misbehave

    @Test
    void an_answer_cut_off_anywhere_is_a_clean_error() throws Exception {
        byte[] answer =
                bytes(LauncherProtocol.encode(new LauncherReply(0, "{\"cniVersion\":\"1.0.0\"}")));
        for (int length = 0; length < answer.length; length++) {
            byte[] part = java.util.Arrays.copyOf(answer, length);
            try (Scripted _ = scripted(part)) {
                Run run = launcher.run(node("GC"), CONFIG);
                assertThat(run.code()).as("after %d bytes", length).isEqualTo(11);
                assertThat(run.message()).contains("before its answer was complete");
                assertThat(run.status()).isEqualTo(1);
            }
        }
        try (Scripted _ = scripted(answer)) {
            assertThat(launcher.run(node("GC"), CONFIG).output())
                    .isEqualTo("{\"cniVersion\":\"1.0.0\"}");
        }
    }

    static Stream<Arguments> answers() {
        ByteBuffer good = LauncherProtocol.encode(new LauncherReply(0, "{}"));
        return Stream.of(
                Arguments.of(
                        "text",
                        "HTTP/1.1 400 Bad Request\r\n\r\n"
                                .getBytes(java.nio.charset.StandardCharsets.US_ASCII),
                        104),
                Arguments.of("major", bytes(copy(good).putShort(4, (short) 2)), 104),
                Arguments.of("short", bytes(copy(good).putInt(8, 11)), 104),
                Arguments.of("long", bytes(copy(good).putInt(8, 1 << 30)), 104),
                Arguments.of("field too long", bytes(copy(good).putInt(28, 3)), 104),
                Arguments.of("exit code 256", bytes(copy(good).putInt(20, 256)), 104),
                Arguments.of("no exit code", bytes(copy(good).putShort(12, (short) 0x77)), 104),
                Arguments.of("critical", bytes(copy(good).putShort(24, (short) 0x8077)), 104),
                Arguments.of("unknown", bytes(copy(good).putShort(24, (short) 0x77)), -1));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("answers")
    void an_answer_that_is_none_is_a_clean_error(String name, byte[] answer, int code)
            throws Exception {
        try (Scripted _ = scripted(answer)) {
            Run run = launcher.run(node("STATUS"), CONFIG);
            if (code < 0) { // a field of the future is skipped
                assertThat(run).isEqualTo(new Run(0, "", "", run.millis()));
            } else {
                assertThat(run.code()).isEqualTo(code);
                assertThat(run.message()).contains("restart ipamd");
            }
        }
    }

    @Test
    void a_status_that_nobody_answers_fails_within_its_two_seconds() throws Exception {
        try (Fd _ = mute(5)) {
            Run run = launcher.run(node("STATUS"), CONFIG);
            assertThat(run.code()).isEqualTo(50);
            assertThat(run.message()).contains("2000 ms");
            assertThat(run.millis()).isBetween(2000L, 6000L);
        }
    }

    @Test
    void every_verb_ends_at_its_own_deadline() throws Exception {
        LauncherProcess hasty = LauncherProcess.installHasty(folder.resolve("hasty"));
        Files.createDirectories(hasty.socket().getParent());
        try (Netns pod = Netns.create("slow");
                Fd listener = UnixSocket.bind(hasty.socket().toString())) {
            UnixSocket.listen(listener, 100);
            String netns = pod.path().toString();
            assertDeadline(hasty.run(attachment("ADD", netns), CONFIG), 11, 400);
            assertDeadline(hasty.run(attachment("CHECK", netns), CONFIG), 11, 300);
            assertDeadline(hasty.run(node("STATUS"), CONFIG), 50, 200);
            assertDeadline(hasty.run(node("GC"), CONFIG), 11, 300);
            // More than the socket's buffer holds: it hangs while it sends.
            String large = " ".repeat(1_000_000);
            assertDeadline(hasty.run(node("GC"), large), 11, 300);
            Run del = hasty.run(attachment("DEL", netns), large);
            assertThat(del.status()).isZero();
            assertThat(del.millis()).isGreaterThanOrEqualTo(500);
            assertThat(hasty.intents().list()).hasSize(1);
        }
        // Input that is never closed.
        for (String verb : List.of("ADD", "CHECK", "STATUS", "GC", "DEL")) {
            Run run =
                    hasty.run(
                            attachment(verb, "/run/netns/a"),
                            CONFIG.getBytes(java.nio.charset.StandardCharsets.UTF_8),
                            false);
            assertThat(run.code()).as(verb).isEqualTo(5);
            assertThat(run.message()).contains("close");
            assertThat(run.output().toLowerCase(Locale.ROOT)).doesNotContainPattern(SUCCESS_WORDS);
        }
        Run version = hasty.run(node("VERSION"), new byte[0], false);
        assertThat(version.json().path("cniVersion").asText()).isEqualTo("1.1.0");
    }

    @Test
    void what_hangs_outside_every_deadline_is_ended_also_where_the_signal_was_blocked()
            throws Exception {
        LauncherProcess hasty = LauncherProcess.installHasty(folder.resolve("hasty"));
        Path file = hasty.binary().resolveSibling("underlay.socket");
        Files.delete(file);
        LauncherProcess.execute(
                List.of("mkfifo", file.toString()),
                Map.of("PATH", System.getenv("PATH")),
                new byte[0],
                true);
        Run run = hasty.runBehind(node("STATUS"), CONFIG, "/usr/bin/env", "--block-signal=ALRM");
        assertThat(run.status()).as("SIGALRM").isEqualTo(128 + 14);
        assertThat(run.output()).isEmpty();
    }

    @Test
    void a_full_queue_before_the_daemon_ends_at_the_deadline_too() throws Exception {
        LauncherProcess hasty = LauncherProcess.installHasty(folder.resolve("hasty"));
        Files.createDirectories(hasty.socket().getParent());
        try (Fd listener = UnixSocket.bind(hasty.socket().toString())) {
            UnixSocket.listen(listener, 0);
            try (Fd _ = UnixSocket.connect(hasty.socket().toString())) {
                assertDeadline(hasty.run(node("STATUS"), CONFIG), 50, 200);
                Run del = hasty.run(attachment("DEL", ""), CONFIG);
                assertThat(del.status()).isZero();
                assertThat(hasty.intents().list()).hasSize(1);
            }
        }
    }

    private static void assertDeadline(Run run, int code, long millis) throws IOException {
        assertThat(run.code()).isEqualTo(code);
        assertThat(run.message()).contains("did not answer within " + millis + " ms");
        assertThat(run.millis()).isBetween(millis, millis + 4000);
    }

    // ---- the other end

    private LauncherServer serve(LauncherHandler handler) throws IOException {
        return LauncherServer.start(launcher.socket(), handler, LauncherServer.Limits.DEFAULT);
    }

    /** A listener that never accepts. */
    private Fd mute(int backlog) throws IOException {
        Files.createDirectories(launcher.socket().getParent());
        Fd listener = UnixSocket.bind(launcher.socket().toString());
        UnixSocket.listen(listener, backlog);
        return listener;
    }

    /** Takes each connection's request, writes the next of these bytes and closes it. */
    private Scripted scripted(byte[]... answers) throws IOException {
        Fd listener = mute(5);
        Thread thread =
                Thread.ofPlatform()
                        .daemon(true)
                        .start(() -> {
                            UnixSocket.Receiver receiver = new UnixSocket.Receiver(1 << 16);
                            for (byte[] answer : answers) {
                                List<Fd> descriptors = new ArrayList<>();
                                try (Fd caller = UnixSocket.accept(listener)) {
                                    receiver.receive(caller, 1 << 16, descriptors);
                                    ByteBuffer bytes =
                                            Linux.buffer(answer.length).put(answer).flip();
                                    if (bytes.hasRemaining()) {
                                        UnixSocket.send(caller, bytes);
                                    }
                                } catch (IOException e) {
                                    return;
                                } finally {
                                    descriptors.forEach(Fd::close);
                                }
                            }
                        });
        return new Scripted(listener, thread, launcher.socket());
    }

    private record Scripted(Fd listener, Thread thread, Path socket) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            UnixSocket.shutdown(listener);
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            listener.close();
            Files.deleteIfExists(socket);
        }
    }

    private static ByteBuffer copy(ByteBuffer frame) {
        return Linux.buffer(frame.remaining()).put(frame.duplicate()).flip();
    }

    private static byte[] bytes(ByteBuffer frame) {
        byte[] bytes = new byte[frame.remaining()];
        frame.duplicate().get(bytes);
        return bytes;
    }

    private static LauncherReply refusing(LauncherCall call, LauncherHandler.HangUp hangUp) {
        return switch (CniRequest.parse(call.environment(), call.standardInput())) {
            case ParseResult.Refused(CniError error, SpecVersion version) ->
                    LauncherReply.failure(error, version);
            case CniRequest _ -> LauncherReply.success();
        };
    }

    private static CniRequest accepted(LauncherCall call) {
        return switch (CniRequest.parse(call.environment(), call.standardInput())) {
            case CniRequest request -> request;
            case ParseResult.Refused refused -> throw new IllegalStateException(refused.toString());
        };
    }

    private static CniResult result(String sandbox) {
        return new CniResult(
                List.of(
                        CniResult.Interface.onHost("eni1", "02:00:00:00:00:01", 9001),
                        CniResult.Interface.inPod("eth0", "02:00:00:00:00:02", 9001, sandbox)),
                List.of(
                        new CniResult.Ip(
                                IpPrefix.parse("10.0.3.17/32"),
                                Optional.of(IpPrefix.literal("169.254.1.1")),
                                OptionalInt.of(1))),
                List.of(
                        CniResult.Route.via(
                                IpPrefix.parse("0.0.0.0/0"), IpPrefix.literal("169.254.1.1"))),
                CniResult.Dns.NONE);
    }

    /** The server closes the connection itself just after the launcher has its answer. */
    private static void assertNothingLeftOpen(Netns pod, List<String> before) throws IOException {
        long endNanos = System.nanoTime() + 5_000_000_000L;
        while (!namespacesAndSockets(pod).equals(before) && System.nanoTime() < endNanos) {
            LockSupport.parkNanos(1_000_000);
        }
        assertThat(namespacesAndSockets(pod)).isEqualTo(before);
    }

    /** This process's descriptors that are a socket or the pod's namespace, by what they are. */
    private static List<String> namespacesAndSockets(Netns pod) throws IOException {
        List<String> found = new ArrayList<>();
        try (var descriptors = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
            for (Path descriptor : descriptors) {
                try {
                    String link = Files.readSymbolicLink(descriptor).toString();
                    if (link.startsWith("socket:") || link.equals(pod.path().toString())) {
                        found.add(link);
                    }
                } catch (java.nio.file.NoSuchFileException e) {
                    // Closed between the listing and the look.
                }
            }
        }
        found.sort(null);
        return found;
    }
}
