package dev.underlay.ipamd.serve;

import dev.underlay.cni.linux.Fd;
import dev.underlay.cni.linux.Linux;
import dev.underlay.cni.protocol.CniError;
import dev.underlay.cni.protocol.CniRequest;
import dev.underlay.cni.protocol.CniResult;
import dev.underlay.cni.socket.LauncherCall;
import dev.underlay.cni.wiring.Attachment;
import dev.underlay.ipamd.journal.JournalRecord.Leased;
import dev.underlay.ipamd.owner.PoolOwner;
import dev.underlay.ipamd.owner.StandingLease;
import dev.underlay.pool.IpAddress;
import java.io.IOException;
import java.net.InetAddress;

/** CHECK: journal, the result that the runtime kept, and kernel must tell the same story. */
final class CheckVerb {
    private final PoolOwner owner;
    private final PodNetwork pods;
    private final AddVerb add;

    CheckVerb(PoolOwner owner, PodNetwork pods, AddVerb add) {
        this.owner = owner;
        this.pods = pods;
        this.add = add;
    }

    void run(CniRequest request, LauncherCall call) throws CniFailure {
        StandingLease standing =
                AddVerb.join(owner.standing(CniHandler.key(request)))
                        .orElseThrow(() ->
                                new CniFailure(
                                        CniError.unknownContainer(
                                                request.containerId(), request.interfaceName())));
        Leased lease = standing.lease();
        for (IpAddress address : lease.addresses()) {
            requireInResult(request, AddVerb.inet(address));
        }
        if (standing.link().isEmpty()) {
            throw broken("the pod's link on the node is gone");
        }
        try {
            requireSameNamespace(lease, call, request);
            Attachment attachment =
                    new Attachment(
                            request.network(),
                            request.containerId(),
                            request.interfaceName(),
                            lease.namespaceInode(),
                            lease.podNamespace(),
                            lease.podName());
            Fd routeSocket =
                    call.descriptor(LauncherCall.ROUTE_SOCKET)
                            .orElseThrow(() -> broken("the pod's namespace cannot be entered"));
            pods.check(
                    routeSocket,
                    standing.link().get(),
                    add.spec(attachment, lease, request.mtuBytes()));
        } catch (IOException e) {
            throw new CniFailure(CniError.broken(String.valueOf(e.getMessage()), ""));
        }
    }

    private static void requireSameNamespace(Leased lease, LauncherCall call, CniRequest request)
            throws CniFailure, IOException {
        Fd namespace =
                call.descriptor(LauncherCall.NETNS)
                        .orElseThrow(() ->
                                new CniFailure(
                                        CniError.badNamespace(
                                                request.netns(), "it cannot be opened")));
        if (Linux.inode(namespace) != lease.namespaceInode()) {
            throw broken("the pod was set up in another network namespace");
        }
    }

    /** Later plugins may have added entries; the address itself must be there. */
    private static void requireInResult(CniRequest request, InetAddress address) throws CniFailure {
        boolean there =
                request.previous().map(CniResult::ips).stream()
                        .flatMap(java.util.List::stream)
                        .anyMatch(ip -> ip.address().address().equals(address));
        if (!there) {
            throw broken(
                    "the pod holds "
                            + address.getHostAddress()
                            + " but prevResult does not name it");
        }
    }

    private static CniFailure broken(String what) {
        return new CniFailure(
                CniError.broken(what + "; delete the pod so that it is set up again", ""));
    }
}
