package dev.underlay.pool;

/**
 * The life of a block on an interface. Before, it is requested: a number in an action in flight.
 * Afterwards it is released and leaves the pool.
 *
 * <pre>
 *   ASSIGNED -> DRAINING   not needed, no address of it leased or cooling: an unassign began
 *   DRAINING -> ASSIGNED   the cloud refused the unassign
 * </pre>
 */
public enum BlockLife {
    ASSIGNED,
    DRAINING
}
