/** What kernel tests share: namespaces that are made and removed, programs run inside them. */
@NullMarked
package dev.underlay.cni.testing;

import org.jspecify.annotations.NullMarked;
