package dev.underlay.cni.wiring;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A pod that could not be wired, or whose wiring is not what it should be: which, and why. */
public final class WiringException extends IOException {
    private static final long serialVersionUID = 1L;

    WiringException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
