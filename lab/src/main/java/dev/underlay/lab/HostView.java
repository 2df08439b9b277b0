package dev.underlay.lab;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The configuration of this process's own network namespace, which a run must leave as it was:
 * links, addresses, routes, rules and nftables, without what ticks by itself.
 */
final class HostView {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Map<String, List<String>> VIEWS = new LinkedHashMap<>();

    static {
        VIEWS.put("link", List.of("ip", "-json", "link", "show"));
        VIEWS.put("address", List.of("ip", "-json", "address", "show"));
        VIEWS.put("route", List.of("ip", "-json", "route", "show", "table", "all"));
        VIEWS.put("IPv6 route", List.of("ip", "-json", "-6", "route", "show", "table", "all"));
        VIEWS.put("rule", List.of("ip", "-json", "rule", "show"));
        VIEWS.put("IPv6 rule", List.of("ip", "-json", "-6", "rule", "show"));
        VIEWS.put("nftables", List.of("nft", "--stateless", "--json", "list", "ruleset"));
    }

    /** Members that change while nobody touches anything. */
    private static final Set<String> TICKING =
            Set.of("expires", "valid_life_time", "preferred_life_time", "used", "cache", "age");

    private final Map<String, Set<String>> seen;

    private HostView(Map<String, Set<String>> seen) {
        this.seen = seen;
    }

    static HostView take() throws IOException {
        Map<String, Set<String>> seen = new LinkedHashMap<>();
        for (Map.Entry<String, List<String>> view : VIEWS.entrySet()) {
            seen.put(view.getKey(), entries(view.getValue()));
        }
        return new HostView(seen);
    }

    /** What is in {@code later} and not here, or here and not there; empty when nothing changed. */
    List<String> changesTo(HostView later) {
        List<String> changes = new ArrayList<>();
        for (String view : seen.keySet()) {
            Set<String> before = seen.getOrDefault(view, Set.of());
            Set<String> after = later.seen.getOrDefault(view, Set.of());
            for (String entry : after) {
                if (!before.contains(entry)) {
                    changes.add("new " + view + ": " + entry);
                }
            }
            for (String entry : before) {
                if (!after.contains(entry)) {
                    changes.add("lost " + view + ": " + entry);
                }
            }
        }
        return changes;
    }

    /** How many entries were seen, by kind. */
    String summary() {
        List<String> parts = new ArrayList<>();
        seen.forEach((view, entries) -> parts.add(entries.size() + " " + view));
        return String.join(", ", parts);
    }

    private static Set<String> entries(List<String> command) throws IOException {
        Output output =
                Output.of(
                        new ProcessBuilder(command).start(),
                        "".getBytes(StandardCharsets.UTF_8),
                        Duration.ofSeconds(20));
        if (!output.ok()) {
            throw new IOException(String.join(" ", command) + ": " + output.lastLine());
        }
        Set<String> entries = new TreeSet<>();
        JsonNode list = JSON.readTree(output.out().isBlank() ? "[]" : output.out());
        for (JsonNode entry : list.isObject() ? list.path("nftables") : list) {
            entries.add(withoutTicking(entry).toString());
        }
        return entries;
    }

    private static JsonNode withoutTicking(JsonNode node) {
        if (node instanceof ObjectNode object) {
            object.remove(TICKING);
        }
        node.forEach(HostView::withoutTicking);
        return node;
    }
}
