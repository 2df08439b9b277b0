package dev.underlay.ipamd.serve;

import dev.underlay.cni.linux.Fd;
import dev.underlay.cni.protocol.CniError;
import dev.underlay.ipamd.observe.Events;
import dev.underlay.ipamd.owner.DelAnswer;
import dev.underlay.ipamd.owner.PoolOwner;
import dev.underlay.ipamd.owner.StandingLease;
import dev.underlay.ipamd.owner.Turn;
import dev.underlay.pool.AttachmentKey;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * DEL, also on behalf of GC and of intents: the pod becomes unreachable, its addresses cool, its
 * link goes to the trash. Nothing to do is success.
 */
public final class DelVerb {
    /** How long a DEL waits for an ADD of the same sandbox that is being wired. */
    private static final long TURN_SECONDS = 8;

    private final PoolOwner owner;
    private final PodNetwork pods;

    /** Takes pods of this owner down. */
    public DelVerb(PoolOwner owner, PodNetwork pods) {
        this.owner = owner;
        this.pods = pods;
    }

    /**
     * Takes one attachment down.
     *
     * @param routeSocket a route socket in the pod's namespace, if that still lives
     * @param beforeNanos for a DEL from the past: it means only an older lease
     * @return whether there was anything to take down
     * @throws IOException when the kernel refuses; the lease stays and the DEL can be repeated
     */
    public boolean run(AttachmentKey key, Optional<Fd> routeSocket, OptionalLong beforeNanos)
            throws IOException {
        Turn.Del turn = owner.del(key, beforeNanos);
        return switch (await(turn)) {
            case DelAnswer.Nothing _ -> false;
            case DelAnswer.Unwire(var what) -> {
                unwire(turn, what, routeSocket);
                yield true;
            }
        };
    }

    private void unwire(Turn.Del turn, StandingLease what, Optional<Fd> routeSocket)
            throws IOException {
        boolean down = false;
        try {
            if (what.link().isPresent()) {
                pods.unwire(routeSocket, what.link().get());
            }
            down = true;
        } finally {
            if (!down) {
                owner.kept(turn);
            }
        }
        owner.released(turn).join();
        Events.info(
                "address.released",
                "pod",
                what.lease().podName().isEmpty()
                        ? "-"
                        : what.lease().podNamespace() + "/" + what.lease().podName(),
                "container",
                turn.key().containerId(),
                "ip",
                AddVerb.ips(what.lease()),
                "eni",
                AddVerb.enis(what.lease()));
    }

    private DelAnswer await(Turn.Del turn) throws IOException {
        try {
            return turn.answer().get(TURN_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            owner.kept(turn);
            throw new IOException("another call about the same sandbox is still running", e);
        } catch (InterruptedException e) {
            owner.kept(turn);
            Thread.currentThread().interrupt();
            throw new IOException("ipamd is ending", e);
        } catch (ExecutionException e) {
            throw new IOException(e.getCause());
        }
    }

    static CniError error(AttachmentKey key, IOException cause) {
        return CniError.kernelRefused(
                "the pod interface "
                        + key.interfaceName()
                        + " of container "
                        + key.containerId()
                        + " could not be taken down: "
                        + cause.getMessage()
                        + "; the runtime repeats the DEL",
                "");
    }
}
