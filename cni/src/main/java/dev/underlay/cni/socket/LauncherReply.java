package dev.underlay.cni.socket;

import dev.underlay.cni.protocol.CniError;
import dev.underlay.cni.protocol.CniResult;
import dev.underlay.cni.protocol.SpecVersion;

/**
 * What the launcher prints and exits with.
 *
 * @param exitCode 0 for success, otherwise 1
 * @param standardOutput one JSON document or nothing; it travels as UTF-8
 */
public record LauncherReply(int exitCode, String standardOutput) {
    public LauncherReply {
        if (exitCode < 0 || exitCode > 255) {
            throw new IllegalArgumentException("exit code " + exitCode + " is not in 0..255");
        }
    }

    /** Success of a verb without a result: DEL, CHECK, STATUS, GC. */
    public static LauncherReply success() {
        return new LauncherReply(0, "");
    }

    /** Success of an ADD. */
    public static LauncherReply success(CniResult result, SpecVersion version) {
        return new LauncherReply(0, result.json(version));
    }

    /** Failure of any verb. */
    public static LauncherReply failure(CniError error, SpecVersion version) {
        return new LauncherReply(1, error.json(version));
    }
}
