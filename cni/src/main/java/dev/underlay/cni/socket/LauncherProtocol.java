package dev.underlay.cni.socket;

/**
 * Numbers of the wire protocol between the launcher ({@code src/main/c/underlay.c}) and the daemon.
 * A change here is a change there.
 */
public final class LauncherProtocol {
    /** The largest network configuration; the launcher refuses a larger one with CNI error 7. */
    public static final int MAX_INPUT_BYTES = 1 << 20;

    private LauncherProtocol() {}
}
