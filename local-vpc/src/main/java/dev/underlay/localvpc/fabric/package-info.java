/**
 * The kernel side of the local VPC: named network namespaces, and the fabric whose route table is
 * the VPC's mapping of addresses to interfaces. Start at {@link
 * dev.underlay.localvpc.fabric.NamespaceFabric}. Nothing here touches the root namespace's routes,
 * rules or sysctls, and nothing here knows an API: identifiers are opaque.
 */
@NullMarked
package dev.underlay.localvpc.fabric;

import org.jspecify.annotations.NullMarked;
