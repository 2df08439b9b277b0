/**
 * What the cloud knows: subnets, instances, interfaces, addresses, and the rules of changing them.
 * {@code Vpc} is the file to open first. Nothing here knows HTTP or the AWS SDK.
 */
@NullMarked
package dev.underlay.localvpc.state;

import org.jspecify.annotations.NullMarked;
