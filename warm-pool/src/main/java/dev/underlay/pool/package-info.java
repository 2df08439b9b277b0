/**
 * The domain: what the cloud hands out (interfaces and address blocks), the node's pool of pod
 * addresses, the planner that decides what to ask the cloud for, and the port to it.
 *
 * <p>Pure: no I/O, thread, clock, log or random source. Time comes in as nanoseconds since boot.
 */
@NullMarked
package dev.underlay.pool;

import org.jspecify.annotations.NullMarked;
