package dev.underlay.localvpc.metadata;

import dev.underlay.localvpc.Auditor;
import dev.underlay.localvpc.CallLedger;
import dev.underlay.localvpc.Dials;
import dev.underlay.localvpc.Dials.MetadataTokens;
import dev.underlay.localvpc.Faults;
import dev.underlay.localvpc.Faults.Fault;
import dev.underlay.localvpc.VpcSpec;
import dev.underlay.localvpc.http.HttpListener;
import dev.underlay.localvpc.http.HttpListener.Outcome;
import dev.underlay.localvpc.http.HttpListener.Outcome.Answer;
import dev.underlay.localvpc.http.HttpListener.Request;
import dev.underlay.localvpc.state.Instance;
import dev.underlay.localvpc.state.Vpc;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * The instance metadata service over HTTP. It knows the instance by the caller's source address,
 * and a token is good for the instance that asked for it.
 */
public final class MetadataEndpoint implements AutoCloseable {
    private static final String TTL_HEADER = "X-aws-ec2-metadata-token-ttl-seconds";
    private static final String TOKEN_HEADER = "X-aws-ec2-metadata-token";
    private static final String TOKEN_PATH = "/latest/api/token";
    private static final String ROOT = "/latest/meta-data";
    private static final int MAX_TTL_SECONDS = 21_600;
    private static final int MAX_TOKENS = 100_000;

    private record Token(String instanceId, Instant expires) {}

    private final Map<String, Token> tokens = new ConcurrentHashMap<>();
    private final SecureRandom random = new SecureRandom();
    private final HttpListener listener;
    private final Vpc vpc;
    private final String region;
    private final Dials dials;
    private final InstantSource clock;
    private final Auditor auditor;
    private final CallLedger ledger;
    private final Function<InetAddress, Optional<Instance>> callers;

    /**
     * Listens from here on.
     *
     * @param callers from a source address to the instance that has it
     */
    public MetadataEndpoint(
            VpcSpec spec,
            Vpc vpc,
            Auditor auditor,
            CallLedger ledger,
            Function<InetAddress, Optional<Instance>> callers)
            throws IOException {
        this.vpc = vpc;
        this.auditor = auditor;
        this.ledger = ledger;
        this.callers = callers;
        region = spec.region();
        dials = spec.dials();
        clock = spec.clock();
        listener = new HttpListener(spec.metadataAddress(), dials::metadata, this::handle);
    }

    /** Where it listens. */
    public URI uri() {
        return listener.uri();
    }

    @Override
    public void close() {
        listener.close();
    }

    private Outcome handle(Request request) {
        InetAddress source = request.exchange().getRemoteAddress().getAddress();
        Optional<Instance> caller = callers.apply(source);
        Outcome outcome =
                dials.faults().take(Faults.METADATA).map(fault -> met(fault)).orElse(null);
        if (outcome == null) {
            if (caller.isPresent()) {
                outcome = answer(request, caller.get());
            } else {
                auditor.note("metadata was asked for by " + source + ", which no instance has");
                outcome = text(404, "");
            }
        }
        ledger.count(
                Faults.METADATA,
                caller.map(Instance::id).orElse("-"),
                switch (outcome) {
                    case Answer answer when answer.status() != 200 ->
                            Integer.toString(answer.status());
                    case Answer _, Outcome.Headed _ -> "ok";
                    case Outcome.Truncated _, Outcome.Drop _, Outcome.Silence _ -> "fault";
                });
        return outcome;
    }

    /** A metadata request changes nothing, so both kinds of drop are the same. */
    private static Outcome met(Fault fault) {
        return switch (fault) {
            case Fault.Refuse refuse -> text(refuse.status(), refuse.message());
            case Fault.DropBefore _, Fault.DropAfter _ -> new Outcome.Drop();
            case Fault.Truncate _ -> new Outcome.Truncated(text(200, "truncated in the middle"));
            case Fault.Html500 _ -> new Answer(500, "text/html", "<html><body>500</body></html>");
            case Fault.Stall _ -> new Outcome.Silence();
        };
    }

    private Outcome answer(Request request, Instance caller) {
        if (dials.metadataTokens() == MetadataTokens.OFF) {
            return text(403, "");
        }
        String method = request.exchange().getRequestMethod();
        String path = request.exchange().getRequestURI().getPath();
        if (path.equals(TOKEN_PATH)) {
            return method.equals("PUT") ? token(request, caller) : text(405, "");
        }
        if (!method.equals("GET")) {
            return text(405, "");
        }
        Optional<String> token = request.header(TOKEN_HEADER);
        boolean open = dials.metadataTokens() == MetadataTokens.OPTIONAL && token.isEmpty();
        if (!open && !token.map(text -> isGood(text, caller)).orElse(false)) {
            return text(401, "");
        }
        if (!path.equals(ROOT) && !path.startsWith(ROOT + "/")) {
            auditor.note("undeclared metadata path " + path);
            return text(404, "");
        }
        String inner = path.equals(ROOT) ? "" : path.substring(ROOT.length() + 1);
        if (!MetadataTree.isDeclared(inner)) {
            auditor.note("undeclared metadata path " + path);
        }
        return new MetadataTree(vpc, region, caller)
                .get(inner)
                .map(content -> text(200, content))
                .orElse(text(404, ""));
    }

    private Outcome token(Request request, Instance caller) {
        if (request.header("X-Forwarded-For").isPresent()) {
            return text(403, "");
        }
        OptionalInt ttl =
                request.header(TTL_HEADER).map(MetadataEndpoint::ttl).orElse(OptionalInt.empty());
        if (ttl.isEmpty()) {
            return text(400, "");
        }
        Instant now = clock.instant();
        tokens.values().removeIf(old -> !old.expires.isAfter(now));
        if (tokens.size() >= MAX_TOKENS) {
            return text(503, "");
        }
        byte[] bytes = new byte[40];
        random.nextBytes(bytes);
        String token = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
        tokens.put(token, new Token(caller.id(), now.plusSeconds(ttl.getAsInt())));
        return new Outcome.Headed(text(200, token), TTL_HEADER, Integer.toString(ttl.getAsInt()));
    }

    private boolean isGood(String text, Instance caller) {
        Token token = tokens.get(text);
        return token != null
                && token.instanceId.equals(caller.id())
                && token.expires.isAfter(clock.instant());
    }

    private static OptionalInt ttl(String text) {
        try {
            int seconds = Integer.parseInt(text);
            return seconds >= 1 && seconds <= MAX_TTL_SECONDS
                    ? OptionalInt.of(seconds)
                    : OptionalInt.empty();
        } catch (NumberFormatException e) {
            return OptionalInt.empty();
        }
    }

    private static Answer text(int status, String body) {
        return new Answer(status, "text/plain", body);
    }
}
