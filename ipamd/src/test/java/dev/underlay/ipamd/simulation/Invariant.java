package dev.underlay.ipamd.simulation;

/** What holds after every step. */
enum Invariant {
    ADDRESS_IN_USE_ONCE("no address is in use twice"),
    IN_USE_STAYS_ASSIGNED("nothing in use is released"),
    COOLED_BEFORE_LEASED("nothing is leased while it cools"),
    FLOWS_FORGOTTEN("no pod meets the flows of its address's last one"),
    ROUTED_BEFORE_LEASED("what is leased is routed"),
    FIRST_COME("who waits longest is served first"),
    LIVING_POD_HAS_LEASE("a living pod has its lease"),
    POOL_AND_JOURNAL_AGREE("pool and journal name the same leases"),
    ADD_ANSWERED_IN_TIME("an ADD is answered within its patience"),
    DEL_FINDS_LEASE("a DEL finds what there is to take down"),
    CALLS_BOUNDED("calls to the cloud keep to their bound"),
    INTERFACES_BOUNDED("no more interfaces than the node may have"),
    NETWORK_KNOWN("the network's CIDRs are never forgotten"),
    NO_BUG("no message to the owner fails"),
    NO_SPIN("the owner never wakes without a reason"),
    CONVERGED("without faults everything comes to rest"),
    AT_REST("at rest nothing is asked of the cloud"),
    NOTHING_LEFT("nothing is left behind");

    final String means;

    Invariant(String means) {
        this.means = means;
    }
}
