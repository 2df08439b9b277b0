package dev.underlay.ipamd;

import dev.underlay.ipamd.observe.Events;
import dev.underlay.pool.PoolSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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

    /** The settings, or all that is wrong with them. */
    PoolSettings.Parsed read() {
        try {
            return parse(files());
        } catch (IOException e) {
            return new PoolSettings.Parsed.Bad(List.of(unreadable(e)));
        }
    }

    private String unreadable(IOException e) {
        return "--settings-dir %s cannot be read: %s; make it a folder of text files"
                .formatted(folder, e);
    }

    private Map<String, String> files() throws IOException {
        Map<String, String> texts = new TreeMap<>();
        if (Files.exists(folder)) {
            try (Stream<Path> all = Files.list(folder)) {
                for (Path file : all.toList()) {
                    // The kubelet keeps the files behind names that begin with two dots.
                    if (!file.getFileName().toString().startsWith(".")) {
                        texts.put(file.getFileName().toString(), Files.readString(file));
                    }
                }
            }
        }
        return texts;
    }

    private PoolSettings.Parsed parse(Map<String, String> files) {
        Map<String, String> all = new TreeMap<>(environment);
        all.putAll(files);
        List<String> errors = new ArrayList<>();
        for (String name : files.keySet()) {
            if (!PoolSettings.NAMES.contains(name)) {
                errors.add(
                        "%s is none of the settings that can change (%s); correct its name, or set"
                                        .formatted(
                                                folder.resolve(name),
                                                String.join(", ", PoolSettings.NAMES))
                                + " it in the environment");
            }
        }
        PoolSettings.Parsed parsed = PoolSettings.fromEnvironment(all);
        if (parsed instanceof PoolSettings.Parsed.Bad(var bad)) {
            errors.addAll(bad);
        }
        return errors.isEmpty() ? parsed : new PoolSettings.Parsed.Bad(errors);
    }

    /**
     * Tells of each change, on a thread of its own; one that is wrong is told to people alone.
     *
     * @param first what is known
     */
    void watch(PoolSettings first, Consumer<PoolSettings> to) {
        Watch watch = new Watch(this, first, to);
        Thread.ofVirtual()
                .name("settings")
                .start(() -> {
                    try {
                        while (true) {
                            watch.look();
                            Thread.sleep(PERIOD);
                        }
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                });
    }

    /** What was read last. */
    static final class Watch {
        private final SettingsFolder folder;
        private final Consumer<PoolSettings> to;
        private PoolSettings.Parsed last;

        Watch(SettingsFolder folder, PoolSettings first, Consumer<PoolSettings> to) {
            this.folder = folder;
            this.to = to;
            this.last = new PoolSettings.Parsed.Good(first);
        }

        void look() {
            PoolSettings.Parsed now = folder.read();
            if (now.equals(last)) {
                return;
            }
            last = now;
            switch (now) {
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
