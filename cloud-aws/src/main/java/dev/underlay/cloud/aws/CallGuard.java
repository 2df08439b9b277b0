package dev.underlay.cloud.aws;

import dev.underlay.cloud.aws.CloudCallListener.Outcome;
import dev.underlay.pool.Refusal;
import io.github.resilience4j.circuitbreaker.CallNotPermittedException;
import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.retry.Retry;
import io.github.resilience4j.retry.RetryConfig;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What stands around every call to one service: retry with full jitter, then the budget, then the
 * circuit breaker, then the attempt. It is the only layer that repeats anything by itself.
 *
 * <p>When the breaker is open a call is refused at once; after a while one probe is let through.
 */
final class CallGuard {
    private static final Logger LOG = LoggerFactory.getLogger(CallGuard.class);

    /** Which budget a call draws on, and whether a repeat of it is harmless. */
    enum Kind {
        /** Reads; may be repeated. */
        READ,
        /** Changes something, but a repeat changes nothing more. */
        CHANGE,
        /**
         * Changes something and has no client token: repeated only if it certainly had no effect.
         */
        CHANGE_ONCE
    }

    /** One attempt. */
    @FunctionalInterface
    interface Attempt<T> {
        T run() throws CallFailure;
    }

    private final String service;
    private final CallPolicy policy;
    private final CloudCallListener listener;
    private final Budget reads;
    private final Budget changes;
    private final CircuitBreaker breaker;
    private volatile boolean closed;

    CallGuard(String service, CallPolicy policy, CloudCallListener listener) {
        this.service = service;
        this.policy = policy;
        this.listener = listener;
        this.reads = new Budget(service + "-reads", policy.readsPerSecond(), policy.budgetWait());
        this.changes =
                new Budget(service + "-changes", policy.changesPerSecond(), policy.budgetWait());
        this.breaker =
                CircuitBreaker.of(
                        service,
                        CircuitBreakerConfig.custom()
                                .slidingWindowType(
                                        CircuitBreakerConfig.SlidingWindowType.COUNT_BASED)
                                .slidingWindowSize(policy.breakerWindow())
                                .minimumNumberOfCalls(policy.breakerWindow())
                                .failureRateThreshold(80)
                                .waitDurationInOpenState(policy.breakerOpen())
                                .permittedNumberOfCallsInHalfOpenState(1)
                                .recordException(CallGuard::breaks)
                                .build());
        breaker.getEventPublisher()
                .onStateTransition(event ->
                        LOG.warn(
                                "cloud.breaker service={} {}",
                                service,
                                event.getStateTransition()));
    }

    /**
     * Makes a call.
     *
     * @param action its name in metrics and messages
     * @param thing what it is about, for messages
     * @throws CallFailure the last attempt's failure
     */
    <T> T call(String action, String thing, Kind kind, Deadline deadline, Attempt<T> attempt)
            throws CallFailure {
        Retry retry =
                Retry.of(
                        action,
                        RetryConfig.<T>custom()
                                .maxAttempts(policy.attempts())
                                .intervalFunction(n ->
                                        Math.min(
                                                backoffMillis(policy, n),
                                                deadline.left().toMillis()))
                                .retryOnException(e -> mayRepeat(e, kind, deadline))
                                .build());
        try {
            return retry.executeCallable(() -> once(action, thing, kind, deadline, attempt));
        } catch (CallFailure | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException("an attempt throws nothing else", e);
        }
    }

    /** No attempt starts after this. */
    void close() {
        closed = true;
    }

    /** A random wait of full width, so that nodes which failed together do not return together. */
    static long backoffMillis(CallPolicy policy, int attempt) {
        long bound =
                Math.min(
                        policy.backoffCap().toMillis(),
                        policy.backoffBase().toMillis() << Math.min(attempt - 1, 20));
        return ThreadLocalRandom.current().nextLong(bound + 1);
    }

    private static boolean mayRepeat(Throwable failure, Kind kind, Deadline deadline) {
        return failure instanceof CallFailure call
                && call.passing()
                && !(call.getCause() instanceof CallNotPermittedException)
                && !(call.ambiguous() && kind == Kind.CHANGE_ONCE)
                && !deadline.passed();
    }

    private <T> T once(
            String action, String thing, Kind kind, Deadline deadline, Attempt<T> attempt)
            throws CallFailure {
        if (closed) {
            throw CallFailure.certain(
                    Refusal.UNAVAILABLE, what(action, thing) + " was not sent: shutting down");
        }
        Budget budget = kind == Kind.READ ? reads : changes;
        if (!budget.take(deadline.left())) {
            listener.onCall(action, Outcome.THROTTLED, 0);
            throw CallFailure.certain(
                    Refusal.THROTTLED,
                    what(action, thing)
                            + " was not sent: the node's own budget of "
                            + budget.perSecond()
                            + " calls a second is used up; it is tried again later");
        }
        if (deadline.passed()) {
            // Before the breaker, which counts only what was sent.
            listener.onCall(action, Outcome.NOT_SENT, 0);
            throw CallFailure.certain(
                    Refusal.UNAVAILABLE,
                    what(action, thing) + " was not sent: the call's deadline passed");
        }
        if (!breaker.tryAcquirePermission()) {
            listener.onCall(action, Outcome.NOT_SENT, 0);
            throw CallFailure.certain(
                    Refusal.UNAVAILABLE,
                    what(action, thing)
                            + " was not sent: the last calls got no usable answer; a probe is sent"
                            + " every "
                            + policy.breakerOpen().toMillis()
                            + " ms",
                    CallNotPermittedException.createCallNotPermittedException(breaker));
        }
        CloudCallEvent event = new CloudCallEvent(action, thing);
        event.begin();
        long start = System.nanoTime();
        Outcome outcome = Outcome.FAILED;
        try {
            T result = attempt.run();
            outcome = Outcome.OK;
            breaker.onSuccess(System.nanoTime() - start, TimeUnit.NANOSECONDS);
            budget.answered();
            return result;
        } catch (CallFailure failure) {
            outcome = outcome(failure);
            breaker.onError(System.nanoTime() - start, TimeUnit.NANOSECONDS, failure);
            if (outcome == Outcome.THROTTLED) {
                budget.throttled();
            }
            LOG.debug(
                    "cloud.call action={} thing={} failure={}", action, thing, failure.toString());
            throw failure;
        } catch (RuntimeException | Error bug) {
            breaker.releasePermission();
            throw bug;
        } finally {
            long nanos = System.nanoTime() - start;
            event.outcome = outcome.name();
            event.commit();
            listener.onCall(action, outcome, nanos);
        }
    }

    private static Outcome outcome(CallFailure failure) {
        return switch (failure.refusal()) {
            case THROTTLED -> Outcome.THROTTLED;
            case UNAVAILABLE, UNKNOWN_OUTCOME -> Outcome.FAILED;
            case SUBNET_FULL,
                    NO_FREE_PREFIX,
                    INTERFACE_FULL,
                    ATTACHMENT_LIMIT,
                    DEVICE_INDEX_TAKEN,
                    QUOTA_EXCEEDED,
                    GONE,
                    BUSY,
                    NOT_PERMITTED,
                    MISCONFIGURED ->
                    Outcome.REFUSED;
        };
    }

    private static boolean breaks(Throwable failure) {
        return !(failure instanceof CallFailure call) || call.refusal() == Refusal.UNAVAILABLE;
    }

    private String what(String action, String thing) {
        return service + " " + action + " for " + thing;
    }
}
