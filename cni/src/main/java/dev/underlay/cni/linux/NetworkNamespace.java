package dev.underlay.cni.linux;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;

/**
 * Runs code inside a network namespace on a thread that is thrown away afterwards. For tests and
 * the local VPC only: the daemon never changes its namespace, its callers send descriptors instead.
 */
public final class NetworkNamespace {
    private NetworkNamespace() {}

    /**
     * Calls {@code body} on a new platform thread whose network namespace is {@code namespace}.
     * Sockets that the body opens stay in that namespace whatever thread uses them later.
     *
     * @param namespace an open namespace file, such as {@code /run/netns/a}
     * @throws IOException when the namespace cannot be entered, or when the body throws one
     */
    public static <T> T call(Fd namespace, Callable<T> body) throws IOException {
        FutureTask<T> task =
                new FutureTask<>(() -> {
                    Linux.check("setns", c -> c.setns(namespace.number(), Linux.CLONE_NEWNET));
                    return body.call();
                });
        Thread.ofPlatform().name("netns").daemon(true).start(task);
        return OtherThread.result(task, "a network namespace");
    }
}
