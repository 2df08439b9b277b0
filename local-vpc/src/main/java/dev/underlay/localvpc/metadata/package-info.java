/**
 * The instance metadata service, version 2 of its protocol. {@code MetadataEndpoint} has the tokens
 * and the faults, {@code MetadataTree} the content.
 */
@NullMarked
package dev.underlay.localvpc.metadata;

import org.jspecify.annotations.NullMarked;
