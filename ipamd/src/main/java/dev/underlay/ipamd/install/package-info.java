/**
 * Puts the launcher, the file that names our socket and the network configuration where container
 * runtimes look for them. Writes only what differs, always as a temporary file and a rename.
 */
@NullMarked
package dev.underlay.ipamd.install;

import org.jspecify.annotations.NullMarked;
