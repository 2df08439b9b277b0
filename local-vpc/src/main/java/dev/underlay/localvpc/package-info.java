/**
 * A VPC on one Linux machine. {@code LocalVpc} is the front: it holds the cloud's state, answers
 * EC2 and metadata requests, and tells the {@link dev.underlay.localvpc.Fabric} what each answer
 * means for packets. Security groups are not enforced.
 */
@NullMarked
package dev.underlay.localvpc;

import org.jspecify.annotations.NullMarked;
