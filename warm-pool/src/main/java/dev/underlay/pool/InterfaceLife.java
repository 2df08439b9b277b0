package dev.underlay.pool;

/**
 * The life of an interface on this node.
 *
 * <pre>
 *   REQUESTED -> ATTACHED   the cloud attached it
 *   ATTACHED  -> DRAINING   no pod uses it, it is not needed: a detach began
 *   DRAINING  -> DETACHED   the cloud detached it; then it is deleted and leaves the pool
 *   DRAINING  -> ATTACHED   the cloud refused the detach
 *   ATTACHED  -> REQUESTED  someone else detached it; it is attached again
 * </pre>
 *
 * <p>Only addresses of ATTACHED ones are leased, and only once the daemon has configured the link.
 */
public enum InterfaceLife {
    REQUESTED,
    ATTACHED,
    DRAINING,
    DETACHED
}
