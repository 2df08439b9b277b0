/**
 * The port {@link dev.underlay.pool.CloudNetwork} over EC2 (AWS SDK for Java v2) and the instance
 * metadata service (version 2 only).
 *
 * <p>Open {@link dev.underlay.cloud.aws.AwsCloudNetwork} first. No type of the SDK is part of the
 * public face, so that the SDK's classes are loaded by the first call and not by the daemon's
 * start.
 */
@NullMarked
package dev.underlay.cloud.aws;

import org.jspecify.annotations.NullMarked;
