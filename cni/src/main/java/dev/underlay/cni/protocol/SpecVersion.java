package dev.underlay.cni.protocol;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The versions of the CNI specification that this plugin speaks, oldest first. Versions match by
 * equality of their text, there are no ranges. The launcher answers VERSION with the same list.
 */
public enum SpecVersion {
    V0_3_1("0.3.1"),
    V0_4_0("0.4.0"),
    V1_0_0("1.0.0"),
    V1_1_0("1.1.0");

    /** The newest version; errors about a request of unknown version are written in it. */
    public static final SpecVersion NEWEST = V1_1_0;

    private final String text;

    SpecVersion(String text) {
        this.text = text;
    }

    /** As {@code cniVersion} has it. */
    public String text() {
        return text;
    }

    /** Whether what came with {@code version} exists in this one. */
    public boolean atLeast(SpecVersion version) {
        return compareTo(version) >= 0;
    }

    /** The version with this text, if it is spoken. */
    public static Optional<SpecVersion> of(String text) {
        return Arrays.stream(values()).filter(v -> v.text.equals(text)).findFirst();
    }

    /** All texts, oldest first. */
    public static List<String> texts() {
        return Arrays.stream(values()).map(SpecVersion::text).toList();
    }
}
