package dev.underlay.ipamd.serve;

import java.net.InetAddress;
import java.util.List;

/** What wiring must know of the node's interfaces. May be asked from any thread; never blocks. */
public interface LinkFacts {
    /** The MTU of the link of that interface, in bytes. */
    int mtuBytes(String interfaceId);

    /** The node's own addresses, at most one per family. */
    List<InetAddress> nodeAddresses();
}
