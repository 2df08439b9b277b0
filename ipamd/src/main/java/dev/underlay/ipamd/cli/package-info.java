/** What people type at a node: small programs that read the running daemon's status document. */
@NullMarked
package dev.underlay.ipamd.cli;

import org.jspecify.annotations.NullMarked;
