/**
 * nftables through libnftables (Debian's package {@code libnftables1}): whole transactions in nft's
 * own language, listings as text or JSON. Nothing that happens per pod goes through here.
 */
@NullMarked
package dev.underlay.cni.nft;

import org.jspecify.annotations.NullMarked;
