package dev.underlay.cloud.aws;

import dev.underlay.pool.Refusal;
import java.util.Optional;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens after a call whose outcome is not known: looks, then perhaps a repeat, never a blind
 * one.
 *
 * <pre>
 *   sent -> answered                          the answer counts
 *   sent -> no usable answer -> effect seen   done
 *                            -> no effect     sent again, up to a bound; then "unavailable"
 *                            -> look failed   "unknown outcome"
 * </pre>
 */
final class Settlement {
    private static final Logger LOG = LoggerFactory.getLogger(Settlement.class);

    private final InterfaceView view;
    private final CallPolicy policy;

    Settlement(InterfaceView view, CallPolicy policy) {
        this.view = view;
        this.policy = policy;
    }

    @FunctionalInterface
    interface Call<T> {
        T run() throws CallFailure;
    }

    /**
     * Makes a call that has no client token. When its outcome is unknown it looks until the effect
     * shows or the time in which EC2's reads lag is over; only then the call is made again. When
     * EC2 does not know the interface, which may just have been made, it looks until it does.
     *
     * @param effect the call's result if a look shows that it has happened
     */
    <T> T settle(
            String interfaceId,
            Deadline deadline,
            Call<T> call,
            Function<Optional<NodeInterface>, Optional<T>> effect)
            throws CallFailure {
        Pace betweenRounds = new Pace(policy);
        for (int round = 1; ; round++) {
            CallFailure failure;
            try {
                return call.run();
            } catch (CallFailure e) {
                failure = e;
            }
            boolean unseen = failure.refusal() == Refusal.GONE;
            if (!failure.ambiguous() && !unseen) {
                throw failure;
            }
            Seen<T> seen =
                    lookUntil(
                            failure,
                            deadline,
                            () -> {
                                Optional<NodeInterface> now = view.look(interfaceId, deadline);
                                Optional<T> done = effect.apply(now);
                                return new Seen<>(
                                        done, done.isPresent() || (unseen && now.isPresent()));
                            });
            if (seen.result().isPresent()) {
                LOG.info(
                        "cloud.call_settled interface={} round={} failure=\"{}\"",
                        interfaceId,
                        round,
                        failure.getMessage());
                return seen.result().get();
            }
            boolean repeat = failure.ambiguous() || seen.enough();
            if (!repeat || round >= policy.rounds() || !betweenRounds.sleep(deadline)) {
                throw failure.withoutEffect();
            }
        }
    }

    /**
     * What a look showed.
     *
     * @param result the call's result, if it has happened
     * @param enough whether there is no point in looking again
     */
    record Seen<T>(Optional<T> result, boolean enough) {}

    /** Looks until it has seen enough or the settling time is over. */
    <T> Seen<T> lookUntil(CallFailure failure, Deadline deadline, Call<Seen<T>> look)
            throws CallFailure {
        Deadline settled = Deadline.in(policy.settle());
        Pace pace = new Pace(policy);
        while (true) {
            Seen<T> seen;
            try {
                seen = look.run();
            } catch (CallFailure lookFailure) {
                throw failure.ambiguous() ? failure.unknown(lookFailure) : failure;
            }
            if (seen.enough() || settled.passed() || !pace.sleep(deadline)) {
                return seen;
            }
        }
    }

    /** One look to explain a refusal; when it fails the refusal stands. */
    Optional<NodeInterface> lookOnce(CallFailure failure, String id, Deadline deadline)
            throws CallFailure {
        try {
            return view.look(id, deadline);
        } catch (CallFailure lookFailure) {
            failure.addSuppressed(lookFailure);
            throw failure;
        }
    }
}
