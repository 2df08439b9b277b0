package dev.underlay.ipamd.serve;

import dev.underlay.cni.socket.DelIntents;
import dev.underlay.cni.socket.DelIntents.DelIntent;
import dev.underlay.ipamd.observe.Events;
import dev.underlay.ipamd.owner.PoolOwner;
import dev.underlay.pool.AttachmentKey;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Carries out the DELs that launchers left as files because no daemon answered them. */
public final class PastDels {
    private final DelIntents intents;
    private final PoolOwner owner;
    private final DelVerb del;

    /** Looks for files through {@code intents}. */
    public PastDels(DelIntents intents, PoolOwner owner, DelVerb del) {
        this.intents = intents;
        this.owner = owner;
        this.del = del;
    }

    /** Carries out all that are there. One that fails stays for the next time. */
    public void sweep() {
        try {
            for (DelIntent intent : intents.list()) {
                carryOut(intent);
            }
        } catch (IOException e) {
            Events.warn("intents.failed", "error", e.getMessage());
        }
    }

    /** Carries out those about one attachment, before an ADD of the same key begins. */
    void before(AttachmentKey key) throws IOException {
        for (DelIntent intent : intents.list()) {
            if (means(intent, key)) {
                carryOut(intent);
            }
        }
    }

    private void carryOut(DelIntent intent) {
        try {
            List<AttachmentKey> meant =
                    owner.idle().join().stream().filter(key -> means(intent, key)).toList();
            for (AttachmentKey key : meant) {
                boolean done =
                        del.run(key, Optional.empty(), OptionalLong.of(intent.bootTimeNanos()));
                Events.info("intent.done", "container", key.containerId(), "released", done);
            }
            intents.consume(intent);
        } catch (IOException e) {
            Events.warn(
                    "intent.failed", "container", intent.containerId(), "error", e.getMessage());
        }
    }

    private static boolean means(DelIntent intent, AttachmentKey key) {
        return (intent.network().isEmpty() || intent.network().equals(key.network()))
                && intent.containerId().equals(key.containerId())
                && intent.interfaceName().equals(key.interfaceName());
    }
}
