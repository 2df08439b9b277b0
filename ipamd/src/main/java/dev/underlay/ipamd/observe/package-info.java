/**
 * What people and machines see of the daemon: log lines, metrics, health and the status document.
 * Reads, never decides.
 *
 * <p>Open {@link dev.underlay.ipamd.observe.Events} for log lines, {@code Metrics} for the numbers,
 * {@code HealthServer} for the endpoints.
 */
@NullMarked
package dev.underlay.ipamd.observe;

import org.jspecify.annotations.NullMarked;
