package dev.underlay.ipamd.serve;

import dev.underlay.cni.protocol.CniError;

/** A call ends with this error; never leaves this package. */
final class CniFailure extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient CniError error;

    CniFailure(CniError error) {
        super(error.message(), null, false, false);
        this.error = error;
    }

    CniError error() {
        return error;
    }
}
