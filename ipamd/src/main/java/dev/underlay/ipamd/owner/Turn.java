package dev.underlay.ipamd.owner;

import dev.underlay.pool.AttachmentKey;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;

/** One call's turn at an attachment: calls about the same attachment never overlap. */
public sealed interface Turn {
    /** What it is about. */
    AttachmentKey key();

    /** An ADD. */
    record Add(Sandbox sandbox, CompletableFuture<AddAnswer> answer) implements Turn {
        @Override
        public AttachmentKey key() {
            return sandbox.key();
        }
    }

    /**
     * A DEL.
     *
     * @param beforeNanos it means only a lease that is older; empty means any
     */
    record Del(AttachmentKey key, OptionalLong beforeNanos, CompletableFuture<DelAnswer> answer)
            implements Turn {}
}
