package dev.underlay.ipamd.serve;

import dev.underlay.cni.linux.Fd;
import dev.underlay.cni.wiring.PodLink;
import dev.underlay.cni.wiring.PodSpec;
import dev.underlay.cni.wiring.WiredPod;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** The pods' part of a kernel, which may refuse. */
final class FakePods implements PodNetwork {
    private final Map<Integer, PodSpec> wired = new ConcurrentHashMap<>();
    private final AtomicInteger index = new AtomicInteger(10);
    private volatile boolean refusing;

    void refuse(boolean on) {
        refusing = on;
    }

    List<PodSpec> wired() {
        return new ArrayList<>(wired.values());
    }

    @Override
    public WiredPod wire(Fd routeSocket, Fd namespace, Map<String, Fd> descriptors, PodSpec spec)
            throws IOException {
        refuseIfAsked();
        int own = index.getAndIncrement();
        wired.put(own, spec);
        return new WiredPod(
                new PodLink(
                        own,
                        "ul" + own,
                        "0e:58:00:00:00:01",
                        2,
                        Optional.of(spec.attachment()),
                        spec.addresses()),
                "0a:58:00:00:00:01");
    }

    @Override
    public void unwire(Optional<Fd> routeSocket, PodLink link) throws IOException {
        refuseIfAsked();
        wired.remove(link.index());
    }

    @Override
    public void check(Fd routeSocket, PodLink link, PodSpec spec) throws IOException {
        if (!spec.equals(wired.get(link.index()))) {
            throw new IOException("the link of " + spec.attachment() + " is gone");
        }
    }

    private void refuseIfAsked() throws IOException {
        if (refusing) {
            throw new IOException("the kernel refuses");
        }
    }
}
