package dev.underlay.ipamd.owner;

import dev.underlay.pool.CloudAction;
import dev.underlay.pool.CloudAnswer;
import java.util.function.Consumer;

/** Makes calls to the cloud somewhere else than on the owner's thread. */
@FunctionalInterface
public interface CloudCalls {
    /** Starts the call and returns at once; {@code answer} is called once, on any thread. */
    void start(CloudAction action, Consumer<CloudAnswer<?>> answer);
}
