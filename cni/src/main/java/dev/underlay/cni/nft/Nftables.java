package dev.underlay.cni.nft;

import dev.underlay.cni.linux.OtherThread;
import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Pointer;
import org.jspecify.annotations.Nullable;

/**
 * One libnftables context and the only thread that touches it: a context used by two threads at
 * once ends the process. It belongs to the network namespace of the thread that opened it. Methods
 * block and may be called from any thread.
 */
public final class Nftables implements AutoCloseable {
    private static final int OUTPUT_STATELESS = 1 << 2; // nftables/libnftables.h
    private static final int OUTPUT_JSON = 1 << 4;
    private static final int OUTPUT_NUMERIC_PRIO = 1 << 8;

    private static final String LIBRARY = "libnftables.so.1";

    private final ExecutorService owner =
            Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().name("nftables").daemon(true).factory());
    private final LibNftables library;
    private @Nullable Pointer context;

    private Nftables(LibNftables library) {
        this.library = library;
    }

    /**
     * Opens a context in the calling thread's network namespace.
     *
     * @throws IOException when libnftables is missing
     */
    public static Nftables open() throws IOException {
        Nftables nftables = new Nftables(load());
        // The owner's thread is started here and so lives in the caller's namespace.
        nftables.call(() -> {
            Pointer context = nftables.library.nft_ctx_new(0);
            if (context == null
                    || nftables.library.nft_ctx_buffer_output(context) != 0
                    || nftables.library.nft_ctx_buffer_error(context) != 0) {
                throw new IOException("libnftables gives no context: out of memory");
            }
            nftables.context = context;
            return true;
        });
        return nftables;
    }

    /**
     * Carries out commands in nft's language, all of them or none.
     *
     * @throws NftException with the place and the reason of the refusal
     */
    public void run(String commands) throws IOException {
        call(() -> execute(commands, 0));
    }

    /**
     * What a {@code list} command prints, without counters and with priorities as numbers; the
     * exception of one that lists what is not there says {@code No such file or directory}.
     */
    public String list(String command) throws IOException {
        return call(() -> execute(command, OUTPUT_STATELESS | OUTPUT_NUMERIC_PRIO));
    }

    /** As {@link #list(String)}, as one JSON document. */
    public String listJson(String command) throws IOException {
        return call(() -> execute(command, OUTPUT_STATELESS | OUTPUT_JSON));
    }

    /** Frees the context and ends its thread; idempotent. */
    @Override
    public void close() {
        if (!owner.isShutdown()) {
            owner.execute(() -> {
                if (context != null) {
                    library.nft_ctx_free(context);
                    context = null;
                }
            });
            owner.shutdown();
        }
    }

    private String execute(String commands, int outputFlags) throws NftException {
        Pointer open = context;
        if (open == null) {
            throw new IllegalStateException("the nftables context is closed");
        }
        library.nft_ctx_output_set_flags(open, outputFlags);
        int status = library.nft_run_cmd_from_buffer(open, commands);
        String output = library.nft_ctx_get_output_buffer(open);
        String error = library.nft_ctx_get_error_buffer(open);
        if (status != 0) {
            throw new NftException("nftables refused a transaction: " + error.strip());
        }
        return output;
    }

    private <T> T call(Callable<T> body) throws IOException {
        return OtherThread.result(owner.submit(body), "nftables");
    }

    private static LibNftables load() throws IOException {
        try {
            return LibraryLoader.create(LibNftables.class).failImmediately().load(LIBRARY);
        } catch (UnsatisfiedLinkError e) {
            throw new IOException(
                    "cannot load "
                            + LIBRARY
                            + ": "
                            + e.getMessage()
                            + "; install the package libnftables1",
                    e);
        }
    }
}
