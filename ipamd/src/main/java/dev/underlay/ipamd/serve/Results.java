package dev.underlay.ipamd.serve;

import dev.underlay.cni.netlink.IpPrefix;
import dev.underlay.cni.protocol.CniResult;
import dev.underlay.cni.wiring.PodSpec;
import dev.underlay.cni.wiring.PodWiring;
import dev.underlay.cni.wiring.WiredPod;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** The result of an ADD: the host's end first, then the pod's, to which every address belongs. */
final class Results {
    private static final int POD_INTERFACE = 1;

    private Results() {}

    static CniResult of(WiredPod pod, PodSpec spec, String netns) {
        List<CniResult.Ip> ips = new ArrayList<>();
        List<CniResult.Route> routes = new ArrayList<>();
        for (InetAddress address : spec.addresses()) {
            InetAddress gateway = PodWiring.gateway(address);
            ips.add(
                    new CniResult.Ip(
                            IpPrefix.host(address),
                            Optional.of(gateway),
                            OptionalInt.of(POD_INTERFACE)));
            boolean ipv6 = address instanceof Inet6Address;
            routes.add(CniResult.Route.via(IpPrefix.everything(ipv6), gateway));
        }
        return new CniResult(
                List.of(
                        CniResult.Interface.onHost(
                                pod.link().name(), pod.link().mac(), spec.mtuBytes()),
                        CniResult.Interface.inPod(
                                spec.attachment().interfaceName(),
                                pod.podMac(),
                                spec.mtuBytes(),
                                netns)),
                ips,
                routes,
                CniResult.Dns.NONE);
    }
}
