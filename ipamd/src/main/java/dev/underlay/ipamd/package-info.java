/**
 * The node daemon. {@code owner} owns the pool, {@code journal} outlives the process, {@code serve}
 * answers the runtime, {@code kernel} is the data plane, {@code observe} what people see.
 *
 * <p>Open {@link dev.underlay.ipamd.Daemon} first: it puts the parts together, in the order in
 * which a start needs them. {@link dev.underlay.ipamd.Ipamd} is the program.
 */
@NullMarked
package dev.underlay.ipamd;

import org.jspecify.annotations.NullMarked;
