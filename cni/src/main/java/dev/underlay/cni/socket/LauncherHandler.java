package dev.underlay.cni.socket;

/** Answers calls. Called on one of the server's platform threads, several at once; may block. */
@FunctionalInterface
public interface LauncherHandler {
    /**
     * Answers one call. An exception is answered as a CNI error 999 by the server and does not end
     * it. The thread is interrupted when the server closes.
     *
     * @param hangUp tells whether the launcher is still there; a runtime kills it at its own limit
     */
    LauncherReply handle(LauncherCall call, HangUp hangUp);

    /**
     * Hears of what the server itself refused or could not deliver, for log and counters; called on
     * any of its threads, must not block.
     *
     * @param event a stable name such as {@code launcher.refused}
     * @param reason one line
     */
    default void note(String event, String reason) {}

    /** Whether the caller has gone. */
    @FunctionalInterface
    interface HangUp {
        /** True once the launcher's end of the connection is closed; does not block. */
        boolean happened();
    }
}
