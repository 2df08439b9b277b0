package dev.underlay.cni.nft;

import jnr.ffi.Pointer;

/**
 * The functions of {@code nftables/libnftables.h} in use. Public only because jnr-ffi generates the
 * implementation elsewhere; call {@link Nftables}.
 */
public interface LibNftables {
    Pointer nft_ctx_new(int flags);

    void nft_ctx_free(Pointer context);

    int nft_ctx_buffer_output(Pointer context);

    int nft_ctx_buffer_error(Pointer context);

    void nft_ctx_output_set_flags(Pointer context, int flags);

    int nft_run_cmd_from_buffer(Pointer context, String commands);

    String nft_ctx_get_output_buffer(Pointer context);

    String nft_ctx_get_error_buffer(Pointer context);
}
