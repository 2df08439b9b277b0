package dev.underlay.localvpc.state;

import dev.underlay.localvpc.Dials;
import dev.underlay.localvpc.Lag;
import dev.underlay.localvpc.state.Eni.Attachment;
import dev.underlay.localvpc.state.Eni.Status;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An interface as the instance's metadata shows it, which follows the truth by several lags.
 *
 * @param mac the directory's name
 * @param deviceIndex of the attachment
 * @param cardIndex of the attachment
 * @param leaves what the leaves say, with addresses of some time ago; null while the directory
 *     stands without leaves
 */
public record MetadataEni(String mac, int deviceIndex, int cardIndex, @Nullable Eni leaves) {

    static List<MetadataEni> of(
            String instanceId, Collection<Timeline<Eni>> enis, Instant now, Dials dials) {
        List<MetadataEni> shown = new ArrayList<>();
        for (Timeline<Eni> timeline : enis) {
            MetadataEni one = of(instanceId, timeline, now, dials);
            if (one != null) {
                shown.add(one);
            }
        }
        shown.sort(
                Comparator.comparingInt(MetadataEni::cardIndex)
                        .thenComparingInt(MetadataEni::deviceIndex));
        return shown;
    }

    private static @Nullable MetadataEni of(
            String instanceId, Timeline<Eni> timeline, Instant now, Dials dials) {
        Instant appeared = now.minus(dials.lag(Lag.METADATA_INTERFACE));
        Instant filled = appeared.minus(dials.lag(Lag.METADATA_LEAVES));
        Eni latest = timeline.latest();
        Eni shown = latest;
        boolean full = true;
        if (latest != null && attached(latest, instanceId)) {
            if (!attachedSince(timeline, instanceId, appeared)) {
                return null;
            }
            full = attachedSince(timeline, instanceId, filled);
        } else {
            shown =
                    timeline.lastWith(
                            eni -> attached(eni, instanceId),
                            now.minus(dials.lag(Lag.METADATA_LINGER)));
        }
        if (shown == null || shown.attachment() == null) {
            return null;
        }
        Attachment attachment = shown.attachment();
        return new MetadataEni(
                shown.mac(),
                attachment.deviceIndex(),
                attachment.cardIndex(),
                full ? withOldAddresses(shown, timeline, now, dials) : null);
    }

    /** Addresses as they were a lag ago; for an interface younger than that, as it was made. */
    private static Eni withOldAddresses(Eni eni, Timeline<Eni> timeline, Instant now, Dials dials) {
        Eni old = timeline.at(now.minus(dials.lag(Lag.METADATA_ADDRESSES)));
        Eni source = old == null ? timeline.startOfRun(_ -> true) : old;
        return source == null ? eni : eni.withBlocks(source.blocks());
    }

    /** The primary interface is there from the start, others some time after their attach. */
    private static boolean attachedSince(Timeline<Eni> timeline, String instanceId, Instant when) {
        Eni latest = timeline.latest();
        Eni then = timeline.at(when);
        return (latest != null && latest.attachment() != null && latest.attachment().isPrimary())
                || (then != null && attached(then, instanceId));
    }

    private static boolean attached(Eni eni, String instanceId) {
        return eni.isAt(instanceId) && eni.status() == Status.IN_USE;
    }
}
