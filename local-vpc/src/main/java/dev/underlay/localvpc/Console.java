package dev.underlay.localvpc;

import dev.underlay.localvpc.state.BlockRequest;
import dev.underlay.localvpc.state.Cidr;
import dev.underlay.localvpc.state.Eni;
import dev.underlay.localvpc.state.Vpc;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Somebody else at work in the same account: what they make is theirs, and a caller under test that
 * changes it is a finding. Same rules as the API, no latency, no faults.
 */
public final class Console {
    /** Fits an interface that is attached to nothing yet. */
    private static final int ADDRESSES_PER_INTERFACE = 49;

    private final Vpc vpc;

    Console(Vpc vpc) {
        this.vpc = vpc;
    }

    /** Fills a subnet by so many addresses. */
    public List<Eni> takeAddresses(String subnetId, int count) {
        List<Eni> made = new ArrayList<>();
        for (int left = count; left > 0; ) {
            int now = Math.min(left, ADDRESSES_PER_INTERFACE + 1);
            made.add(create(subnetId, null, now - 1));
            left -= now;
        }
        return made;
    }

    /** Takes one address by name, to fragment a subnet or to be in the way. */
    public Eni takeAddress(String subnetId, String address) {
        return create(subnetId, Cidr.parse(address), 0);
    }

    /** Attaches an interface of somebody else's to an instance. */
    public Eni attachInterface(String instanceId, String subnetId, int deviceIndex) {
        return vpc.attach(create(subnetId, null, 0).id(), instanceId, deviceIndex, 0);
    }

    /** Detaches an interface, whosever it is. */
    public void detach(Eni eni) {
        if (eni.attachment() == null) {
            throw new IllegalArgumentException(eni.id() + " is attached to nothing");
        }
        vpc.detach(eni.attachment().id());
    }

    /** Deletes an interface, whosever it is. */
    public void delete(Eni eni) {
        vpc.delete(eni.id());
    }

    /** Assigns so many more addresses. */
    public List<Cidr> assign(Eni eni, int count) {
        return vpc.assign(eni.id(), BlockRequest.addresses(count), false);
    }

    /** Takes blocks away. */
    public void unassign(Eni eni, List<Cidr> blocks) {
        vpc.unassign(eni.id(), blocks);
    }

    /** Reserves a range of a subnet, for prefixes or for addresses asked for by name. */
    public void reserve(String subnetId, String range, boolean forPrefixes) {
        vpc.reserve(subnetId, Cidr.parse(range), forPrefixes);
    }

    /** Sets tags on anything that has an identifier. */
    public void tag(String resourceId, Map<String, String> tags) {
        vpc.tag(List.of(resourceId), tags);
    }

    private Eni create(String subnetId, @Nullable Cidr primary, int more) {
        return vpc.create(
                new Vpc.NewEni(
                        subnetId,
                        primary,
                        more == 0 ? BlockRequest.NOTHING : BlockRequest.addresses(more),
                        BlockRequest.NOTHING,
                        List.of(),
                        "somebody else's",
                        Map.of(),
                        null,
                        "",
                        true));
    }
}
