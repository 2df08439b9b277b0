/**
 * Demo, lab and end-to-end runs: a local VPC with one {@code ipamd} process in each node, and
 * everything that looks at it from outside as a container runtime, a peer and a wire would.
 *
 * <p>Open {@link dev.underlay.lab.Lab} for the command line and {@link dev.underlay.lab.Demo} for
 * the checks. The daemon's classes are never loaded here: its jars are a path that is handed in.
 */
@NullMarked
package dev.underlay.lab;

import org.jspecify.annotations.NullMarked;
