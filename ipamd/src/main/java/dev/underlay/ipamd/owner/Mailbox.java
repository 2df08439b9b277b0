package dev.underlay.ipamd.owner;

/** Where messages for the owner's thread go; bounded. */
@FunctionalInterface
public interface Mailbox {
    /**
     * Runs the task on the owner's thread, after all that came before. May be called from any
     * thread; does not block.
     *
     * @throws java.util.concurrent.RejectedExecutionException when the mailbox is full or closed
     */
    void post(Runnable task);
}
