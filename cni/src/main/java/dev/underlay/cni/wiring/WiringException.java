package dev.underlay.cni.wiring;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A pod that could not be wired, or whose wiring is not what it should be: which, and why. */
public final class WiringException extends IOException {
    private static final long serialVersionUID = 1L;

    private final boolean linkRemains;

    WiringException(String message, @Nullable Throwable cause) {
        this(message, cause, false);
    }

    WiringException(String message, @Nullable Throwable cause, boolean linkRemains) {
        super(message, cause);
        this.linkRemains = linkRemains;
    }

    /**
     * Whether a link of the failed attempt may still stand and draw its addresses' packets: they
     * are not another pod's yet.
     */
    public boolean linkRemains() {
        return linkRemains;
    }
}
