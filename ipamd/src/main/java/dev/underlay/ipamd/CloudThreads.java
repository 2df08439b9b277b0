package dev.underlay.ipamd;

import dev.underlay.ipamd.observe.Events;
import dev.underlay.ipamd.observe.Metrics;
import dev.underlay.ipamd.owner.CloudCalls;
import dev.underlay.pool.CloudAction;
import dev.underlay.pool.CloudAnswer;
import dev.underlay.pool.CloudNetwork;
import dev.underlay.pool.Refusal;
import java.util.function.Consumer;

/** Each call to the cloud on a virtual thread of its own. */
record CloudThreads(CloudNetwork network, Metrics metrics) implements CloudCalls {
    @Override
    public void start(CloudAction action, Consumer<CloudAnswer<?>> answer) {
        String name = action.getClass().getSimpleName();
        Thread.ofVirtual().name("cloud-" + name).start(() -> answer.accept(call(action)));
    }

    /** An exception is a bug in the cloud's module; what it did is unknown. */
    private CloudAnswer<?> call(CloudAction action) {
        try {
            return action.call(network);
        } catch (RuntimeException e) {
            metrics.fault("cloud");
            Events.error("cloud.bug", e, "action", action);
            return new CloudAnswer.Refused<>(
                    Refusal.UNKNOWN_OUTCOME, "internal error: " + e + "; please report it");
        }
    }
}
