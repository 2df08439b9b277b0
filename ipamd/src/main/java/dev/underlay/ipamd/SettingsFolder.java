package dev.underlay.ipamd;

import dev.underlay.ipamd.observe.Events;
import dev.underlay.ipamd.observe.GuardedLoop;
import dev.underlay.ipamd.observe.Metrics;
import dev.underlay.pool.PoolSettings;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The pool's settings that can change while the daemon runs: a folder with a file for each, named
 * as the environment variable that it stands before, with the value as its text. A Kubernetes
 * ConfigMap that is mounted looks like that; a folder that is not there says nothing.
 *
 * @param environment what holds where the folder has no file
 */
record SettingsFolder(Path folder, Map<String, String> environment) {
    /** A kubelet takes up to a minute to bring a changed ConfigMap. */
    private static final Duration PERIOD = Duration.ofSeconds(5);

    /** Far more than any setting is long; the rest of a larger file is not read. */
    private static final int MAX_VALUE_BYTES = 4 << 10;

    /**
     * What the folder says.
     *
     * @param settings with the environment's; or all that is wrong with them
     * @param unknown names that are no setting's; they say nothing
     */
    record Reading(PoolSettings.Parsed settings, List<String> unknown) {}

    /**
     * The settings to start with. What is wrong in the environment alone is an error: a folder
     * reaches every node at once, and no daemon would start again. It is told by the {@link Watch}.
     */
    PoolSettings.Parsed atStart() {
        PoolSettings.Parsed alone = PoolSettings.fromEnvironment(environment);
        return alone instanceof PoolSettings.Parsed.Good
                        && read().settings() instanceof PoolSettings.Parsed.Good both
                ? both
                : alone;
    }

    Reading read() {
        Map<String, String> texts = new TreeMap<>(environment);
        List<String> errors = new ArrayList<>();
        List<String> unknown = new ArrayList<>();
        for (Path file : files(errors)) {
            String name = file.getFileName().toString();
            if (PoolSettings.NAMES.contains(name)) {
                text(file, errors).ifPresent(text -> texts.put(name, text));
            } else {
                unknown.add(name);
            }
        }
        PoolSettings.Parsed parsed = PoolSettings.fromEnvironment(texts);
        if (parsed instanceof PoolSettings.Parsed.Bad(var bad)) {
            errors.addAll(bad);
        }
        return new Reading(
                errors.isEmpty() ? parsed : new PoolSettings.Parsed.Bad(errors), unknown);
    }

    private List<Path> files(List<String> errors) {
        if (!Files.exists(folder)) {
            return List.of();
        }
        try (Stream<Path> all = Files.list(folder)) {
            return visible(all);
        } catch (IOException e) {
            errors.add(
                    "--settings-dir %s cannot be read: %s; make it a folder of text files"
                            .formatted(folder, e));
            return List.of();
        }
    }

    /** The kubelet keeps the files behind names that begin with two dots. */
    static List<Path> visible(Stream<Path> all) throws IOException {
        try {
            return all.filter(file -> !file.getFileName().toString().startsWith("."))
                    .sorted()
                    .toList();
        } catch (UncheckedIOException e) { // from the middle of a listing
            throw new IOException(e.getCause());
        }
    }

    private static Optional<String> text(Path file, List<String> errors) {
        if (!Files.isRegularFile(file)) {
            errors.add(file + " is no regular file; make it a text file or remove it");
            return Optional.empty();
        }
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MAX_VALUE_BYTES + 1);
            if (bytes.length <= MAX_VALUE_BYTES) {
                return Optional.of(new String(bytes, StandardCharsets.UTF_8));
            }
            errors.add(
                    "%s is longer than %d bytes; write the setting's value alone"
                            .formatted(file, MAX_VALUE_BYTES));
        } catch (IOException e) {
            errors.add("%s cannot be read: %s; make it a text file".formatted(file, e));
        }
        return Optional.empty();
    }

    /**
     * Tells of each change, on a thread of its own; one that is wrong is told to people alone.
     *
     * @param first what is known
     */
    GuardedLoop watch(PoolSettings first, Consumer<PoolSettings> to, Metrics metrics) {
        Watch watch = new Watch(this, first, to);
        return GuardedLoop.start(Thread.ofVirtual(), "settings", PERIOD, metrics, watch::look);
    }

    /** What was read last. */
    static final class Watch {
        private final SettingsFolder folder;
        private final Consumer<PoolSettings> to;
        private Reading last;

        Watch(SettingsFolder folder, PoolSettings first, Consumer<PoolSettings> to) {
            this.folder = folder;
            this.to = to;
            this.last = new Reading(new PoolSettings.Parsed.Good(first), List.of());
        }

        void look() {
            Reading before = last;
            Reading now = folder.read();
            last = now;
            if (!now.unknown().isEmpty() && !now.unknown().equals(before.unknown())) {
                Events.warn(
                        "settings.unknown",
                        "names",
                        String.join(",", now.unknown()),
                        "next",
                        "they say nothing; remove them, or correct them to one of "
                                + String.join(", ", PoolSettings.NAMES));
            }
            if (now.settings().equals(before.settings())) {
                return;
            }
            switch (now.settings()) {
                case PoolSettings.Parsed.Good(var settings) -> {
                    Events.info("settings.changed", "settings", settings);
                    to.accept(settings);
                }
                case PoolSettings.Parsed.Bad(var errors) ->
                        errors.forEach(error -> Events.warn("settings.refused", "error", error));
            }
        }
    }
}
