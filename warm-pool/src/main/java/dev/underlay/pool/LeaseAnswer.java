package dev.underlay.pool;

/** What {@link Pool#lease} found. */
public sealed interface LeaseAnswer {
    /** A free address is now the caller's. */
    record Leased(Lease lease) implements LeaseAnswer {}

    /** The caller has had one already; nothing changed. */
    record AlreadyLeased(Lease lease) implements LeaseAnswer {}

    /** No address can be had at this instant; the planner says what is on its way. */
    record NoneFree() implements LeaseAnswer {}
}
