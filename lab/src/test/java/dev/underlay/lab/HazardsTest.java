package dev.underlay.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * What pools of pod addresses were seen to do wrong in the field, and that each has a test: one
 * whose name begins with {@code hazard_} and the number, in any module.
 */
final class HazardsTest {
    private static final SortedMap<Integer, String> HAZARDS =
            new TreeMap<>(
                    Map.ofEntries(
                            Map.entry(1, "a spare interface's addresses lie idle, beyond max pods"),
                            Map.entry(2, "addresses that cool count as available"),
                            Map.entry(3, "an empty pool fails the ADD instead of letting it wait"),
                            Map.entry(4, "growth goes one step a period, whoever waits"),
                            Map.entry(5, "one slow call stops everything else"),
                            Map.entry(6, "metadata is waited for though the API has answered"),
                            Map.entry(7, "a stale list disowns an interface with its pods"),
                            Map.entry(8, "a stale list takes an address from its pod"),
                            Map.entry(9, "a short list at the start erases leases"),
                            Map.entry(10, "a DEL without a daemon is forgotten"),
                            Map.entry(12, "a restart forgets which addresses cool"),
                            Map.entry(13, "addresses that cool go back to the cloud"),
                            Map.entry(14, "a throttled call is repeated at once"),
                            Map.entry(15, "a restart changes a cloud that is as it should be"),
                            Map.entry(
                                    16, "interfaces of nodes that died stay, or all look for them"),
                            Map.entry(17, "an unknown cordon counts as none"),
                            Map.entry(
                                    18,
                                    "pods lie scattered, prefixes come never free or to be had"),
                            Map.entry(19, "a full subnet is not known by its words"),
                            Map.entry(20, "a node is ready without an address"),
                            Map.entry(
                                    33, "an interface fuller than known is filled again and again"),
                            Map.entry(36, "connections of the last pod meet the next one"),
                            Map.entry(39, "counts drift from what is there"),
                            Map.entry(41, "each ADD writes all pods and waits for the disk"),
                            Map.entry(43, "a date that cannot be read counts as long ago"),
                            Map.entry(44, "one full subnet stops all")));

    private static final Pattern NAME = Pattern.compile("void hazard_(\\d\\d)_\\w+\\(");

    @Test
    void every_hazard_has_a_test_and_no_test_an_unknown_one() throws IOException {
        SortedMap<Integer, String> found = new TreeMap<>();
        for (Path source : sources()) {
            Matcher names = NAME.matcher(Files.readString(source));
            while (names.find()) {
                found.merge(
                        Integer.parseInt(names.group(1)),
                        source.getFileName().toString(),
                        (a, b) -> a + ", " + b);
            }
        }
        TreeMap<Integer, String> missing = new TreeMap<>(HAZARDS);
        missing.keySet().removeAll(found.keySet());
        assertThat(missing).as("hazards without a test; there are %s", found).isEmpty();
        TreeSet<Integer> unknown = new TreeSet<>(found.keySet());
        unknown.removeAll(HAZARDS.keySet());
        assertThat(unknown).as("add them to the list").isEmpty();
    }

    private static List<Path> sources() throws IOException {
        try (Stream<Path> modules = Files.list(Path.of(".."))) {
            List<Path> tests =
                    modules.map(module -> module.resolve("src/test/java"))
                            .filter(Files::isDirectory)
                            .toList();
            assertThat(tests).as("modules with tests").hasSizeGreaterThan(4);
            List<Path> sources = new ArrayList<>();
            for (Path folder : tests) {
                try (Stream<Path> files = Files.walk(folder)) {
                    files.filter(file -> file.toString().endsWith("Test.java"))
                            .forEach(sources::add);
                }
            }
            return sources;
        }
    }
}
