package dev.underlay.lab;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The checks of a run in the order they were made: each on a stream as it is made, all of them
 * together at the end. Not thread-safe.
 */
final class Report {
    /** Looks at something; its message is the evidence, an exception the failure. */
    @FunctionalInterface
    interface Look {
        String run() throws Exception;
    }

    /** What a look found broken. Its message says what was wanted and what was seen. */
    static final class Broken extends Exception {
        private static final long serialVersionUID = 1L;

        Broken(String seen) {
            super(seen);
        }
    }

    private final PrintStream stream;
    private final List<Check> checks = new ArrayList<>();

    Report(PrintStream stream) {
        this.stream = stream;
    }

    /** Makes one check; whatever is thrown makes it fail and never ends the run. */
    boolean check(String name, Look look) {
        try {
            add(new Check(name, true, look.run()));
            return true;
        } catch (Exception e) {
            failed(name, e);
            return false;
        }
    }

    /** Notes what did not hold because of a failure. */
    void failed(String name, Exception why) {
        boolean told = why instanceof Broken || why instanceof IOException;
        add(new Check(name, false, told ? String.valueOf(why.getMessage()) : why.toString()));
    }

    private void add(Check check) {
        checks.add(check);
        stream.println(line(check));
    }

    boolean ok() {
        return !checks.isEmpty() && checks.stream().allMatch(Check::ok);
    }

    List<Check> checks() {
        return List.copyOf(checks);
    }

    /** The whole result as one JSON object. */
    String json(int pods) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("ok", ok());
        object.put("pods", pods);
        object.put("checks", checks);
        try {
            return new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(object);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The end of a report for people. */
    String summary(int pods, long seconds) {
        long failed = checks.stream().filter(check -> !check.ok()).count();
        return failed == 0
                ? "%n%d pods, %d checks, all hold (%d s). Look around in one that stays: ./underlay lab up"
                        .formatted(pods, checks.size(), seconds)
                : "%n%d of %d checks do not hold (%d pods, %d s):%n%s"
                        .formatted(
                                failed,
                                checks.size(),
                                pods,
                                seconds,
                                checks.stream()
                                        .filter(check -> !check.ok())
                                        .map(Report::line)
                                        .collect(Collectors.joining("\n")));
    }

    private static String line(Check check) {
        return "  %s  %s%n        %s"
                .formatted(check.ok() ? "ok  " : "FAIL", check.name(), check.evidence());
    }
}
