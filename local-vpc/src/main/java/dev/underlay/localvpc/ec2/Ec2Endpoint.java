package dev.underlay.localvpc.ec2;

import dev.underlay.localvpc.Auditor;
import dev.underlay.localvpc.CallLedger;
import dev.underlay.localvpc.Dials;
import dev.underlay.localvpc.Faults.Fault;
import dev.underlay.localvpc.VpcSpec;
import dev.underlay.localvpc.http.HttpListener;
import dev.underlay.localvpc.http.HttpListener.Outcome;
import dev.underlay.localvpc.http.HttpListener.Request;
import dev.underlay.localvpc.state.Ec2Refusal;
import dev.underlay.localvpc.state.Vpc;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.time.InstantSource;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.core.SdkPojo;

/**
 * EC2 over HTTP. A request passes, in this order: the signature's presence, the token bucket, a
 * planned fault, the caller's permission, decoding, the action's latency, and the state. A change
 * is applied when its latency has passed, so the answers leave in the order of the changes.
 */
public final class Ec2Endpoint implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Ec2Endpoint.class);
    private static final String XML = "text/xml;charset=UTF-8";

    /** The scope's region and service; the signature itself is not checked. */
    private static final Pattern SIGV4 =
            Pattern.compile(
                    "AWS4-HMAC-SHA256 Credential=[^/]+/\\d{8}/([^/]+)/([^/]+)/aws4_request,"
                            + " ?SignedHeaders=[^,]+, ?Signature=[0-9a-f]{64}");

    private final HttpListener listener;
    private final Ec2Calls calls;
    private final TokenBuckets buckets = new TokenBuckets();
    private final String region;
    private final Dials dials;
    private final InstantSource clock;
    private final Auditor auditor;
    private final CallLedger ledger;
    private final Function<InetAddress, String> callers;

    /**
     * Listens from here on.
     *
     * @param callers from a source address to an instance's identifier, or to {@code -}
     */
    public Ec2Endpoint(
            VpcSpec spec,
            Vpc vpc,
            Auditor auditor,
            CallLedger ledger,
            Function<InetAddress, String> callers)
            throws IOException {
        this.auditor = auditor;
        this.ledger = ledger;
        this.callers = callers;
        region = spec.region();
        dials = spec.dials();
        clock = spec.clock();
        calls = new Ec2Calls(vpc, dials, auditor);
        listener = new HttpListener(spec.ec2Address(), dials::ec2, this::handle);
    }

    /** Where it listens. */
    public URI uri() {
        return listener.uri();
    }

    @Override
    public void close() {
        listener.close();
    }

    private Outcome handle(Request request) throws InterruptedException {
        String requestId = UUID.randomUUID().toString();
        String action = "-";
        String outcome = "ok";
        try {
            NavigableMap<String, String> parameters = QueryCodec.form(request.body());
            action = Objects.requireNonNullElse(parameters.get("Action"), "-");
            checkSigned(request);
            checkBucket(action);
            Fault fault = dials.faults().take(action).orElse(null);
            outcome = fault == null ? "ok" : nameOf(fault);
            return switch (fault) {
                case Fault.Refuse(int status, String code, String message) ->
                        throw new Ec2Refusal(status, code, message);
                case Fault.DropBefore _ -> new Outcome.Drop();
                case Fault.Html500 _ ->
                        new Outcome.Answer(
                                500,
                                "text/html",
                                "<html><body>Internal Server Error</body></html>");
                case Fault.Stall _ -> new Outcome.Silence();
                case Fault.DropAfter _ -> {
                    apply(action, parameters, requestId);
                    yield new Outcome.Drop();
                }
                case Fault.Truncate _ ->
                        new Outcome.Truncated(apply(action, parameters, requestId));
                case null -> apply(action, parameters, requestId);
            };
        } catch (Ec2Refusal refused) {
            outcome = refused.code();
            return new Outcome.Answer(
                    refused.status(),
                    XML,
                    QueryCodec.error(refused.code(), refused.text(), requestId));
        } catch (RuntimeException e) {
            outcome = "InternalError";
            auditor.note("EC2 failed in " + action + ": " + e);
            LOG.error("ec2.failed action={}", action, e);
            return new Outcome.Answer(
                    500,
                    XML,
                    QueryCodec.error("InternalError", "An internal error has occurred", requestId));
        } finally {
            String caller = callers.apply(request.exchange().getRemoteAddress().getAddress());
            ledger.count(action, caller, outcome);
            LOG.debug("ec2.call action={} instance={} outcome={}", action, caller, outcome);
        }
    }

    private Outcome.Answer apply(
            String action, NavigableMap<String, String> parameters, String requestId)
            throws InterruptedException {
        if (dials.isDenied(action)) {
            throw new Ec2Refusal(
                    403,
                    "UnauthorizedOperation",
                    "You are not authorized to perform this operation: ec2:" + action);
        }
        Supplier<SdkPojo> prepared = calls.prepare(action, parameters);
        listener.pause(dials.callLatency(action));
        if (Boolean.parseBoolean(parameters.get("DryRun"))) {
            throw new Ec2Refusal(
                    412,
                    "DryRunOperation",
                    "Request would have succeeded, but DryRun flag is set.");
        }
        SdkPojo response = prepared.get();
        return new Outcome.Answer(200, XML, QueryCodec.encode(action, response, requestId));
    }

    private void checkSigned(Request request) {
        Matcher signature = SIGV4.matcher(request.header("Authorization").orElse(""));
        if (!signature.matches()) {
            throw new Ec2Refusal(
                    401, "AuthFailure", "AWS was not able to validate the provided credentials");
        }
        if (!signature.group(1).equals(region) || !signature.group(2).equals("ec2")) {
            throw new Ec2Refusal(
                    401,
                    "AuthFailure",
                    "Credential should be scoped to %s and ec2, not to %s and %s."
                            .formatted(region, signature.group(1), signature.group(2)));
        }
    }

    private void checkBucket(String action) {
        if (!buckets.take(action, dials.throttle(), clock.instant())) {
            throw new Ec2Refusal(503, "RequestLimitExceeded", "Request limit exceeded.");
        }
    }

    private static String nameOf(Fault fault) {
        return switch (fault) {
            case Fault.Refuse refuse -> refuse.code();
            case Fault.DropBefore _ -> "drop-before";
            case Fault.DropAfter _ -> "drop-after";
            case Fault.Truncate _ -> "truncate";
            case Fault.Html500 _ -> "html-500";
            case Fault.Stall _ -> "stall";
        };
    }
}
