package dev.underlay.cni.socket;

/**
 * What the launcher prints and exits with.
 *
 * @param exitCode 0 for success, otherwise 1
 * @param standardOutput one JSON document or nothing; it travels as UTF-8
 */
public record LauncherReply(int exitCode, String standardOutput) {}
