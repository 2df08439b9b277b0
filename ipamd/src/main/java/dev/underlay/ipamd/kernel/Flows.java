package dev.underlay.ipamd.kernel;

import dev.underlay.cni.netlink.Conntrack;
import dev.underlay.cni.netlink.IpPrefix;
import dev.underlay.ipamd.observe.Events;
import java.io.IOException;
import java.net.InetAddress;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The node's tracked connections, on a thread and a socket of their own: a large table takes a
 * while to list.
 */
final class Flows implements AutoCloseable {
    /** What waits goes on after this, whatever the kernel does; a million entries take 2 s. */
    private static final long LIMIT_SECONDS = 5;

    private final ExecutorService thread =
            Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().name("flows").daemon(true).factory());

    // On the thread only.
    private @Nullable Conntrack open;
    private boolean told;

    /** Never fails: a node that cannot do it says so once and goes on. */
    CompletionStage<Void> forget(List<IpPrefix> gone, List<InetAddress> living) {
        return CompletableFuture.runAsync(() -> tryForget(gone, living), thread)
                .completeOnTimeout(null, LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    private void tryForget(List<IpPrefix> gone, List<InetAddress> living) {
        try {
            Conntrack conntrack = open == null ? Conntrack.open() : open;
            open = conntrack;
            conntrack.forget(gone, living);
            told = false;
        } catch (IOException | RuntimeException e) {
            close(open);
            open = null;
            if (!told) {
                told = true;
                Events.warn(
                        "flows.remembered",
                        "error",
                        e.getMessage(),
                        "hint",
                        "a new pod may meet connections of the last one on its address; is the"
                                + " kernel module nf_conntrack_netlink there?");
            }
        }
    }

    private static void close(@Nullable Conntrack conntrack) {
        if (conntrack != null) {
            conntrack.close();
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
