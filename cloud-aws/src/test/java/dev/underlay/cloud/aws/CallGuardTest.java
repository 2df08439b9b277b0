package dev.underlay.cloud.aws;

import static org.assertj.core.api.Assertions.assertThat;

import dev.underlay.cloud.aws.CallGuard.Kind;
import dev.underlay.cloud.aws.CloudCallListener.Outcome;
import dev.underlay.pool.Refusal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordingFile;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Budget, deadline, back-off and what can be heard and recorded of a call. */
final class CallGuardTest {
    private final Map<Outcome, Integer> heard = new EnumMap<>(Outcome.class);

    private CallGuard guard(CallPolicy policy) {
        return new CallGuard(
                "EC2", policy, (_, outcome, _) -> heard.merge(outcome, 1, Integer::sum));
    }

    private static @Nullable CallFailure call(
            CallGuard guard, Kind kind, Deadline deadline, CallGuard.Attempt<String> attempt) {
        try {
            guard.call("Do", "eni-1", kind, deadline, attempt);
            return null;
        } catch (CallFailure failure) {
            return failure;
        }
    }

    private static Deadline soon() {
        return Deadline.in(Duration.ofSeconds(20));
    }

    @Test
    void a_burst_beyond_the_budget_is_refused_by_ourselves_and_reads_have_their_own() {
        CallGuard guard = guard(Expect.fastWithBudget(3));
        List<@Nullable CallFailure> ends = new ArrayList<>();
        // The budget's period may turn while these run, once: then six more are let through.
        for (int i = 0; i < 20; i++) {
            ends.add(call(guard, Kind.CHANGE, soon(), () -> "ok"));
        }
        assertThat(ends.stream().filter(end -> end == null).count()).isBetween(6L, 12L);
        assertThat(ends)
                .filteredOn(end -> end != null)
                .allSatisfy(end -> {
                    assertThat(Optional.ofNullable(end).map(CallFailure::refusal))
                            .contains(Refusal.THROTTLED);
                    assertThat(end).hasMessageContaining("own budget");
                });
        assertThat(call(guard, Kind.READ, soon(), () -> "ok")).isNull();
    }

    @Test
    void a_burst_has_the_calls_of_two_seconds() {
        Budget budget = new Budget("test", 5, Duration.ZERO);
        assertThat(IntStream.range(0, 10)).allMatch(_ -> budget.take(Duration.ofSeconds(1)));
        assertThat(budget.perSecond()).isEqualTo(5);
    }

    @Test
    void hazard_14_a_throttled_call_halves_the_budget_down_to_one() {
        Budget budget = new Budget("test", 8, Duration.ZERO);
        budget.throttled();
        assertThat(budget.perSecond()).isEqualTo(4);
        for (int i = 0; i < 9; i++) {
            budget.throttled();
        }
        budget.answered(); // within the same second: nothing comes back
        assertThat(budget.perSecond()).isEqualTo(1);
        long limit = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (budget.perSecond() < 2) {
            budget.answered();
            assertThat(System.nanoTime()).isLessThan(limit);
            LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
        }
    }

    @Test
    void nothing_is_sent_after_the_deadline_and_no_repeat_starts() {
        CallPolicy policy = Expect.fastWithBreaker(5);
        CallGuard guard = guard(policy);
        AtomicInteger sent = new AtomicInteger();
        for (int i = 0; i < policy.breakerWindow(); i++) {
            CallFailure late =
                    call(
                            guard,
                            Kind.READ,
                            new Deadline(System.nanoTime() - 1),
                            () -> "ok" + sent.incrementAndGet());
            assertThat(late).isNotNull().hasMessageContaining("deadline");
        }
        assertThat(sent).hasValue(0);
        assertThat(heard).containsOnlyKeys(Outcome.NOT_SENT);
        // What was not sent says nothing about EC2: the breaker is closed.
        assertThat(call(guard, Kind.READ, soon(), () -> "ok")).isNull();
    }

    @Test
    void a_refusal_is_final_and_a_passing_failure_is_repeated_up_to_the_bound() {
        CallGuard guard = guard(Expect.FAST);
        call(
                guard,
                Kind.CHANGE,
                soon(),
                () -> {
                    throw CallFailure.certain(Refusal.SUBNET_FULL, "full");
                });
        assertThat(heard).containsExactlyEntriesOf(Map.of(Outcome.REFUSED, 1));
        heard.clear();
        call(
                guard,
                Kind.CHANGE_ONCE,
                soon(),
                () -> {
                    throw CallFailure.certain(Refusal.THROTTLED, "slow down");
                });
        assertThat(heard)
                .containsExactlyEntriesOf(Map.of(Outcome.THROTTLED, Expect.FAST.attempts()));
        heard.clear();
        call(
                guard,
                Kind.CHANGE_ONCE,
                soon(),
                () -> {
                    throw CallFailure.ambiguous("no answer", null);
                });
        assertThat(heard).containsExactlyEntriesOf(Map.of(Outcome.FAILED, 1));
    }

    @Test
    void a_back_off_is_random_over_its_whole_width_and_bounded() {
        CallPolicy table = CallPolicy.EC2;
        for (int attempt = 1; attempt < 80; attempt++) {
            long bound =
                    Math.min(
                            table.backoffCap().toMillis(),
                            attempt > 10
                                    ? Long.MAX_VALUE
                                    : table.backoffBase().toMillis() << (attempt - 1));
            long least = Long.MAX_VALUE;
            long most = 0;
            for (int i = 0; i < 2_000; i++) {
                long wait = CallGuard.backoffMillis(table, attempt);
                least = Math.min(least, wait);
                most = Math.max(most, wait);
            }
            assertThat(least).as("attempt " + attempt).isBetween(0L, bound / 10);
            assertThat(most).as("attempt " + attempt).isBetween(bound - bound / 10, bound);
        }
    }

    @Test
    void an_attempt_is_in_the_flight_recording(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("calls.jfr");
        try (Recording recording = new Recording()) {
            recording.enable("dev.underlay.CloudCall").withThreshold(Duration.ZERO);
            recording.start();
            call(guard(Expect.FAST), Kind.READ, soon(), () -> "ok");
            recording.stop();
            recording.dump(file);
        }
        assertThat(Files.size(file)).isPositive();
        assertThat(RecordingFile.readAllEvents(file))
                .filteredOn(
                        event -> event.getEventType().getName().equals("dev.underlay.CloudCall"))
                .singleElement()
                .satisfies(event -> {
                    assertThat(event.getString("action")).isEqualTo("Do");
                    assertThat(event.getString("thing")).isEqualTo("eni-1");
                    assertThat(event.getString("outcome")).isEqualTo("OK");
                });
    }
}
