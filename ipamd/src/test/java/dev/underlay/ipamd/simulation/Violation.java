package dev.underlay.ipamd.simulation;

/** An invariant that did not hold. */
final class Violation extends AssertionError {
    private static final long serialVersionUID = 1;

    final Invariant invariant;

    Violation(Invariant invariant, String what) {
        super(invariant + " (" + invariant.means + "): " + what);
        this.invariant = invariant;
    }
}
