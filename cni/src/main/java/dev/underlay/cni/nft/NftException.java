package dev.underlay.cni.nft;

import java.io.IOException;

/** A transaction that nftables refused; none of it was carried out. */
public final class NftException extends IOException {
    private static final long serialVersionUID = 1L;

    NftException(String message) {
        super(message);
    }
}
