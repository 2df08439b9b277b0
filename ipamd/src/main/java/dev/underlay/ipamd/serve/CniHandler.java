package dev.underlay.ipamd.serve;

import dev.underlay.cni.linux.Fd;
import dev.underlay.cni.linux.LinuxException;
import dev.underlay.cni.protocol.CniError;
import dev.underlay.cni.protocol.CniRequest;
import dev.underlay.cni.protocol.ParseResult;
import dev.underlay.cni.socket.LauncherCall;
import dev.underlay.cni.socket.LauncherHandler;
import dev.underlay.cni.socket.LauncherReply;
import dev.underlay.cni.wiring.WiringException;
import dev.underlay.ipamd.observe.Events;
import dev.underlay.ipamd.observe.Metrics;
import dev.underlay.ipamd.owner.PoolOwner;
import dev.underlay.pool.AttachmentKey;
import java.io.IOException;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.LongSupplier;

/** One call from the runtime to its answer. */
public final class CniHandler implements LauncherHandler {
    private final PoolOwner owner;
    private final AddVerb add;
    private final DelVerb del;
    private final CheckVerb check;
    private final GcVerb gc;
    private final PastDels past;
    private final Metrics metrics;
    private final LongSupplier clock;

    /**
     * @param ownNamespace the inode of the daemon's own network namespace
     * @param clock nanoseconds since boot
     */
    public CniHandler(
            PoolOwner owner,
            Kernel kernel,
            DelVerb del,
            PastDels past,
            long ownNamespace,
            Metrics metrics,
            LongSupplier clock) {
        this.owner = owner;
        this.add = new AddVerb(owner, kernel.pods(), kernel.facts(), ownNamespace);
        this.del = del;
        this.check = new CheckVerb(owner, kernel.pods(), add);
        this.gc = new GcVerb(owner, del);
        this.past = past;
        this.metrics = metrics;
        this.clock = clock;
    }

    /** The kernel as the verbs use it. */
    public record Kernel(PodNetwork pods, LinkFacts facts) {}

    @Override
    public LauncherReply handle(LauncherCall call, HangUp hangUp) {
        long start = System.nanoTime();
        ParseResult parsed = CniRequest.parse(call.environment(), call.standardInput());
        return switch (parsed) {
            case ParseResult.Refused(var error, var version) -> {
                count("INVALID", error.code(), start);
                Events.warn("cni.refused", "code", error.code(), "error", error.message());
                yield LauncherReply.failure(error, version);
            }
            case CniRequest request -> {
                try {
                    LauncherReply reply = answer(request, call, hangUp);
                    count(request.verb().name(), 0, start);
                    yield reply;
                } catch (CniFailure e) {
                    count(request.verb().name(), e.error().code(), start);
                    log(request, e.error());
                    yield LauncherReply.failure(e.error(), request.version());
                }
            }
        };
    }

    private LauncherReply answer(CniRequest request, LauncherCall call, HangUp hangUp)
            throws CniFailure {
        switch (request.verb()) {
            case ADD -> {
                return LauncherReply.success(add(request, call, hangUp), request.version());
            }
            case DEL -> delete(request, call);
            case CHECK -> check.run(request, call);
            case STATUS -> {
                Optional<CniError> refusal = owner.state().refusal(clock.getAsLong());
                if (refusal.isPresent()) {
                    throw new CniFailure(refusal.get());
                }
            }
            case GC -> gc.run(request);
        }
        return LauncherReply.success();
    }

    private dev.underlay.cni.protocol.CniResult add(
            CniRequest request, LauncherCall call, HangUp hangUp) throws CniFailure {
        try {
            past.before(key(request));
            return add.run(request, call, hangUp);
        } catch (WiringException | LinuxException e) {
            throw new CniFailure(CniError.kernelRefused(String.valueOf(e.getMessage()), ""));
        } catch (IOException e) {
            throw new CniFailure(CniError.tryAgain(String.valueOf(e.getMessage()), ""));
        }
    }

    private void delete(CniRequest request, LauncherCall call) throws CniFailure {
        AttachmentKey key = key(request);
        Optional<Fd> routeSocket = call.descriptor(LauncherCall.ROUTE_SOCKET);
        try {
            del.run(key, routeSocket, OptionalLong.empty());
        } catch (IOException e) {
            throw new CniFailure(DelVerb.error(key, e));
        }
    }

    static AttachmentKey key(CniRequest request) {
        return new AttachmentKey(request.network(), request.containerId(), request.interfaceName());
    }

    @Override
    public void note(String event, String reason) {
        metrics.fault("launcher");
        Events.warn(event, "error", reason);
    }

    private void count(String verb, int code, long start) {
        metrics.called(verb, code, System.nanoTime() - start);
    }

    private static void log(CniRequest request, CniError error) {
        Events.warn(
                "cni.failed",
                "verb",
                request.verb(),
                "code",
                error.code(),
                "container",
                request.containerId().isEmpty() ? "-" : request.containerId(),
                "error",
                error.message());
    }
}
