package dev.underlay.ipamd.simulation;

/** What can go wrong; each is drawn by the seed and counted. */
enum Fault {
    /** An answer takes up to 40 s. */
    SLOW_CALL,
    /** Refused for its rate. */
    THROTTLED,
    /** Refused for a reason that does not hold. */
    WRONG_REFUSAL,
    /** Nothing was done, and nobody knows. */
    OUTCOME_UNKNOWN,
    /** Done, and nobody knows. */
    ANSWER_LOST,
    /** Given up on, and done up to ten seconds after that. */
    DONE_LATE,
    /** Done, then an error that says it was not; only for calls that give. */
    DONE_THEN_ERROR,
    /** Carried out two times; the second answer arrives. */
    DONE_TWICE,
    /** One answer arrives two times. */
    ANSWERED_TWICE,
    /** Fewer blocks granted or taken than asked. */
    DONE_IN_PART,
    /** Each interface but the primary as it was up to 20 s ago, or not there yet. */
    LAGGING_DESCRIPTION,
    /** No description: the primary interface is not in it yet. */
    NO_DESCRIPTION,
    /** The API cannot be reached for minutes. */
    CUT_OFF,
    /** The subnet is full for minutes. */
    SUBNET_FULL,
    /** Metadata names no network, or half of it. */
    METADATA_LAGS,
    /** The kernel refuses to configure an interface or to route a block. */
    ROUTING_REFUSED,
    /** The kernel takes too long to forget flows. */
    FLOWS_REMAIN,
    /** An interface's link vanishes and comes back. */
    LINK_VANISHED,
    /** The kernel refuses to wire or to unwire a pod. */
    WIRING_REFUSED,
    /** A pod's namespace goes without a DEL. */
    NAMESPACE_VANISHED,
    /** The caller of an ADD goes away. */
    CALLER_GONE,
    /** The daemon is killed. */
    KILLED,
    /** Killed within a write to the journal. */
    JOURNAL_TORN,
    /** The journal is lost with the daemon. */
    JOURNAL_LOST
}
