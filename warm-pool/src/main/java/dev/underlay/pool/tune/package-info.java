/**
 * What a pool setting costs: a trace of pods that came and went is replayed on virtual time, once
 * against this project's own pool, planner and queue, once against a model of the AWS VPC CNI. Open
 * {@link dev.underlay.pool.tune.Replay} first.
 *
 * <p>Pure like the rest of the module: a caller reads the files and brings the random numbers, and
 * the same ones give the same figures.
 */
@NullMarked
package dev.underlay.pool.tune;

import org.jspecify.annotations.NullMarked;
