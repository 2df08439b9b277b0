package dev.underlay.lab;

import dev.underlay.localvpc.fabric.NamespaceFabric;

/** The family of an address, and how its packets look. */
enum Family {
    /** IPv4. */
    IPV4(32, 1, NamespaceFabric.INTERNET_ADDRESS, "127.0.0.1"),
    /** IPv6. */
    IPV6(128, 58, NamespaceFabric.INTERNET_ADDRESS_V6, "::1");

    private final int bits;
    private final int icmp;
    private final String internet;
    private final String loopback;

    Family(int bits, int icmp, String internet, String loopback) {
        this.bits = bits;
        this.icmp = icmp;
        this.internet = internet;
        this.loopback = loopback;
    }

    /** The family of an address in its usual text form. */
    static Family of(String address) {
        return address.contains(":") ? IPV6 : IPV4;
    }

    /** The prefix length of a single address. */
    int bits() {
        return bits;
    }

    /** The protocol number of its ICMP. */
    int icmp() {
        return icmp;
    }

    /** The address of the one host outside the VPC. */
    String internet() {
        return internet;
    }

    /** A host's address for itself. */
    String loopback() {
        return loopback;
    }
}
