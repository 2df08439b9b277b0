/**
 * The daemon's core on a virtual clock: production's pool owner, planner, wait queue, journal and
 * recovery between a cloud, a kernel and a runtime that fail in every way that one seed draws.
 * {@code ./underlay simulate --seeds N} and the tests run the same code. Open {@link
 * dev.underlay.ipamd.simulation.Simulation} first.
 *
 * <p>A test or a command may run several simulations at once; none shares anything with another.
 */
@NullMarked
package dev.underlay.ipamd.simulation;

import org.jspecify.annotations.NullMarked;
