package dev.underlay.cni.protocol;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** What a runtime asks for. VERSION is missing: the launcher answers it. */
public enum CniVerb {
    ADD(SpecVersion.V0_3_1),
    DEL(SpecVersion.V0_3_1),
    CHECK(SpecVersion.V0_4_0),
    STATUS(SpecVersion.V1_1_0),
    GC(SpecVersion.V1_1_0);

    private final SpecVersion since;

    CniVerb(SpecVersion since) {
        this.since = since;
    }

    /** The first version of the specification that has this verb. */
    public SpecVersion since() {
        return since;
    }

    /** Variables that must be set and not empty (SPEC, "CNI operations"). */
    List<String> required() {
        return switch (this) {
            case ADD, CHECK -> List.of("CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME");
            case DEL -> List.of("CNI_CONTAINERID", "CNI_IFNAME");
            case STATUS, GC -> List.of();
        };
    }

    static Optional<CniVerb> of(String text) {
        return Arrays.stream(values()).filter(v -> v.name().equals(text)).findFirst();
    }
}
