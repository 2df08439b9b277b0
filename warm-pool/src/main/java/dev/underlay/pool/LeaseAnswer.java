package dev.underlay.pool;

import java.util.List;

/** What {@link Pool#lease} found. */
public sealed interface LeaseAnswer {
    /** Free addresses are now the caller's, one of each family, IPv4 first. */
    record Leased(List<Lease> leases) implements LeaseAnswer {
        /** Keeps its own copy of the leases. */
        public Leased {
            leases = List.copyOf(leases);
        }
    }

    /** The caller has had some already; nothing changed. */
    record AlreadyLeased(List<Lease> leases) implements LeaseAnswer {
        /** Keeps its own copy of the leases. */
        public AlreadyLeased {
            leases = List.copyOf(leases);
        }
    }

    /** No address can be had at this instant; the planner says what is on its way. */
    record NoneFree() implements LeaseAnswer {}
}
