package dev.underlay.cloud.aws;

import dev.underlay.pool.CloudAnswer;
import java.time.Duration;

/** What tests expect of an answer, and a table of waits that fits tests. */
final class Expect {
    private static final Duration MILLI = Duration.ofMillis(1);

    /** The production table with short waits. */
    static final CallPolicy FAST =
            new CallPolicy(
                    MILLI.multipliedBy(500),
                    MILLI.multipliedBy(500),
                    MILLI.multipliedBy(20_000),
                    MILLI.multipliedBy(1_000),
                    MILLI.multipliedBy(2_000),
                    3,
                    3,
                    MILLI.multipliedBy(2),
                    MILLI.multipliedBy(10),
                    10_000,
                    10_000,
                    MILLI.multipliedBy(500),
                    50,
                    MILLI.multipliedBy(100),
                    MILLI.multipliedBy(60),
                    MILLI.multipliedBy(10));

    private Expect() {}

    /** The same with another window of the breaker. */
    static CallPolicy fastWithBreaker(int window) {
        return with(FAST.changesPerSecond(), FAST.budgetWait(), window);
    }

    /** The same with a budget for changes that nobody waits for. */
    static CallPolicy fastWithBudget(int changesPerSecond) {
        return with(changesPerSecond, Duration.ZERO, FAST.breakerWindow());
    }

    private static CallPolicy with(int changesPerSecond, Duration budgetWait, int window) {
        return new CallPolicy(
                FAST.connectTimeout(),
                FAST.attemptTimeout(),
                FAST.callDeadline(),
                FAST.limitsDeadline(),
                FAST.detachDeadline(),
                FAST.attempts(),
                FAST.rounds(),
                FAST.backoffBase(),
                FAST.backoffCap(),
                changesPerSecond,
                FAST.readsPerSecond(),
                budgetWait,
                window,
                FAST.breakerOpen(),
                FAST.settle(),
                FAST.lookEvery());
    }

    static <T> T done(CloudAnswer<T> answer) {
        return switch (answer) {
            case CloudAnswer.Done<T>(var value) -> value;
            case CloudAnswer.Refused<T>(var refusal, var message) ->
                    throw new AssertionError(refusal + ": " + message);
        };
    }

    static <T> CloudAnswer.Refused<T> refused(CloudAnswer<T> answer) {
        return switch (answer) {
            case CloudAnswer.Done<T>(var value) -> throw new AssertionError("done: " + value);
            case CloudAnswer.Refused<T> no -> no;
        };
    }
}
