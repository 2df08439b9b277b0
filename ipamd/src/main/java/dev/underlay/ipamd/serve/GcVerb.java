package dev.underlay.ipamd.serve;

import dev.underlay.cni.protocol.CniError;
import dev.underlay.cni.protocol.CniRequest;
import dev.underlay.cni.protocol.CniRequest.ValidAttachment;
import dev.underlay.ipamd.observe.Events;
import dev.underlay.ipamd.owner.PoolOwner;
import dev.underlay.pool.AttachmentKey;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * GC: frees the attachments of one network that the runtime does not list, never one with a call
 * under way. Goes on past failures and reports them together. No list, no action.
 */
final class GcVerb {
    private final PoolOwner owner;
    private final DelVerb del;

    GcVerb(PoolOwner owner, DelVerb del) {
        this.owner = owner;
        this.del = del;
    }

    void run(CniRequest request) throws CniFailure {
        if (request.validAttachments().isEmpty()) {
            return;
        }
        Set<ValidAttachment> valid = new HashSet<>(request.validAttachments().get());
        List<String> failures = new ArrayList<>();
        for (AttachmentKey key : AddVerb.join(owner.idle())) {
            if (key.network().equals(request.network())
                    && !valid.contains(
                            new ValidAttachment(key.containerId(), key.interfaceName()))) {
                try {
                    del.run(key, Optional.empty(), OptionalLong.empty());
                    Events.info("gc.released", "container", key.containerId());
                } catch (IOException e) {
                    failures.add(key.containerId() + ": " + e.getMessage());
                }
            }
        }
        if (!failures.isEmpty()) {
            throw new CniFailure(
                    CniError.kernelRefused(
                            failures.size() + " attachments could not be freed; GC again",
                            String.join("; ", failures)));
        }
    }
}
