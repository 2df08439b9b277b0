package dev.underlay.pool.tune;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.TreeSet;

/**
 * Reads a trace line by line: a header {@code pod_id,node,start_s,end_s}, then a row for each pod.
 * Times are whole seconds since the start of the trace; a {@code start_s} of -1 says that the pod
 * runs already, an empty {@code end_s} that it is not deleted within the trace.
 */
public final class TraceParser {
    /** The columns, as the first line names them. */
    public static final String HEADER = "pod_id,node,start_s,end_s";

    /** More rows are refused: a day of a cluster with 5,000 nodes has fewer. About 100 MB. */
    public static final int MOST_PODS = 1_000_000;

    /** The highest node number plus one. */
    public static final int MOST_NODES = 5_000;

    /** Ten years: more is not a time in seconds. */
    public static final long MOST_SECONDS = 10 * 366 * 86_400L;

    private static final int COLUMNS = 4;

    private final List<Trace.Pod> pods = new ArrayList<>();
    private final TreeSet<Integer> nodes = new TreeSet<>();
    private long end;
    private boolean header;

    /** A trace without a line. */
    public TraceParser() {}

    /**
     * Takes the next line.
     *
     * @throws IllegalArgumentException when it is not as it should be; the message names the column
     *     and what is expected there
     */
    public void line(String line) {
        String text = line.strip();
        if (!header) {
            require(text.equals(HEADER), "the first line must be \"" + HEADER + "\"");
            header = true;
        } else if (!text.isEmpty()) {
            require(pods.size() < MOST_PODS, "more than " + MOST_PODS + " pods; split the file");
            row(columns(text));
        }
    }

    /**
     * The trace.
     *
     * @throws IllegalArgumentException when there is nothing in it
     */
    public Trace finish() {
        require(header, "it is empty; the first line must be \"" + HEADER + "\"");
        require(end > 0, "it has no pod that starts or ends after second 0");
        return new Trace(pods, nodes.size(), end);
    }

    private void row(List<String> columns) {
        int node = (int) number("node", columns.get(1), 0, MOST_NODES - 1);
        long start = number("start_s", columns.get(2), Trace.RUNNING, MOST_SECONDS);
        OptionalLong endsAt = OptionalLong.empty();
        if (!columns.get(3).isEmpty()) {
            endsAt = OptionalLong.of(number("end_s", columns.get(3), 0, MOST_SECONDS));
            require(
                    endsAt.getAsLong() >= start,
                    "end_s " + endsAt.getAsLong() + " is before start_s " + start);
        }
        nodes.add(node);
        end = Math.max(end, Math.max(start, endsAt.orElse(0)));
        pods.add(new Trace.Pod(node, start, endsAt));
    }

    private static List<String> columns(String line) {
        List<String> columns = new ArrayList<>();
        int from = 0;
        for (int comma = line.indexOf(','); comma >= 0; comma = line.indexOf(',', from)) {
            columns.add(line.substring(from, comma));
            from = comma + 1;
        }
        columns.add(line.substring(from));
        require(
                columns.size() == COLUMNS,
                "it has " + columns.size() + " columns; expected are " + HEADER);
        return columns;
    }

    private static long number(String column, String text, long least, long most) {
        try {
            long value = Long.parseLong(text.strip());
            if (value >= least && value <= most) {
                return value;
            }
        } catch (NumberFormatException _) {
            // The same answer as for a number out of range.
        }
        throw new IllegalArgumentException(
                "%s is \"%s\"; it must be a whole number from %d to %d"
                        .formatted(column, text, least, most));
    }

    private static void require(boolean kept, String otherwise) {
        if (!kept) {
            throw new IllegalArgumentException(otherwise);
        }
    }
}
