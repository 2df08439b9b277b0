package dev.underlay.lab;

import java.io.IOException;

/**
 * Services on one node as kube-proxy writes them: DNAT at prerouting and output, 0x4000 for what
 * must be masqueraded, masquerade at postrouting. Addresses that nobody answers for without them.
 *
 * @param node where the rules stand; itself behind {@link #HOST_NODE_PORT}
 * @param remote a pod elsewhere behind {@link #REMOTE_SERVICE}
 * @param local a pod of this node behind {@link #LOCAL_SERVICE} and both node ports
 */
record ServiceRules(Place node, Place remote, Place local) {
    static final String REMOTE_SERVICE = "172.20.0.10";
    static final String LOCAL_SERVICE = "172.20.0.11";
    static final int SERVICE_PORT = 80;

    /** A node port of a Service with {@code externalTrafficPolicy: Cluster}. */
    static final int NODE_PORT = 30080;

    /** A node port of a Service with {@code externalTrafficPolicy: Local}. */
    static final int LOCAL_NODE_PORT = 30081;

    /** A node port of a pod in the host's network, with the Local policy. */
    static final int HOST_NODE_PORT = 30082;

    void write() throws IOException {
        node.namespace()
                .nft(
                        """
                        table ip lab-proxy {
                          chain mark-for-masquerade { meta mark set meta mark | 0x4000; }
                          chain remote { meta l4proto tcp dnat to %1$s:%3$d; }
                          chain local {
                            ip saddr %2$s jump mark-for-masquerade
                            meta l4proto tcp dnat to %2$s:%3$d
                          }
                          chain services {
                            ip daddr %4$s tcp dport %6$d goto remote
                            ip daddr %5$s tcp dport %6$d goto local
                            fib daddr type local ip daddr != 127.0.0.0/8 jump node-ports
                          }
                          chain node-ports {
                            tcp dport %7$d jump mark-for-masquerade
                            tcp dport { %7$d, %8$d } goto local
                            tcp dport %9$d meta l4proto tcp dnat to %10$s:%3$d
                          }
                          chain prerouting {
                            type nat hook prerouting priority dstnat;
                            jump services
                          }
                          chain output {
                            type nat hook output priority -100;
                            jump services
                          }
                          chain postrouting {
                            type nat hook postrouting priority srcnat;
                            meta mark & 0x4000 == 0 return
                            meta mark set meta mark ^ 0x4000
                            masquerade fully-random
                          }
                        }
                        """
                                .formatted(
                                        remote.address(),
                                        local.address(),
                                        EchoServer.WHO_PORT,
                                        REMOTE_SERVICE,
                                        LOCAL_SERVICE,
                                        SERVICE_PORT,
                                        NODE_PORT,
                                        LOCAL_NODE_PORT,
                                        HOST_NODE_PORT,
                                        node.address()));
    }

    void remove() throws IOException {
        node.namespace().nft("delete table ip lab-proxy\n");
    }
}
