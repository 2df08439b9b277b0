package dev.underlay.ipamd.observe;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Log lines: a stable event name, then {@code key=value} pairs. A value with anything but plain
 * characters is quoted, so that a hostile name cannot forge a second line or another key.
 */
public final class Events {
    private static final Logger LOG = LoggerFactory.getLogger("underlay");

    private Events() {}

    /** A change of state that an operator cares about. */
    public static void info(String event, @Nullable Object... pairs) {
        if (LOG.isInfoEnabled()) {
            LOG.info("{}", line(event, pairs));
        }
    }

    /** Detail for the search of a fault. */
    public static void debug(String event, @Nullable Object... pairs) {
        if (LOG.isDebugEnabled()) {
            LOG.debug("{}", line(event, pairs));
        }
    }

    /** Something failed that the daemon bears and a person should know of. */
    public static void warn(String event, @Nullable Object... pairs) {
        LOG.warn("{}", line(event, pairs));
    }

    /** A bug or a fault that needs a person. */
    public static void error(String event, Throwable cause, @Nullable Object... pairs) {
        LOG.error("{}", line(event, pairs), cause);
    }

    static String line(String event, @Nullable Object... pairs) {
        StringBuilder line = new StringBuilder(event);
        for (int i = 0; i + 1 < pairs.length; i += 2) {
            line.append(' ').append(pairs[i]).append('=');
            appendValue(line, String.valueOf(pairs[i + 1]));
        }
        return line.toString();
    }

    private static void appendValue(StringBuilder line, String value) {
        if (!value.isEmpty() && value.chars().allMatch(Events::plain)) {
            line.append(value);
            return;
        }
        line.append('"');
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '"' || c == '\\') {
                line.append('\\').append(c);
            } else if (c < ' ' || c == 0x7f) {
                line.append(String.format("\\u%04x", (int) c));
            } else {
                line.append(c);
            }
        }
        line.append('"');
    }

    private static boolean plain(int c) {
        return c > ' ' && c < 0x7f && c != '"' && c != '=' && c != '\\';
    }
}
