/**
 * EC2's query protocol in front of the state. {@code Ec2Endpoint} is the file to open first, {@code
 * Changes} and {@code Reads} have the actions. Shapes on the wire come from the AWS SDK's own field
 * metadata, so none is written by hand here.
 */
@NullMarked
package dev.underlay.localvpc.ec2;

import org.jspecify.annotations.NullMarked;
