package dev.underlay.ipamd.cli;

import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;

/**
 * The pages of the daemon on this machine.
 *
 * @param address where it answers, host and port
 */
record DaemonPages(String address) {
    static final String DEFAULT_ADDRESS = "127.0.0.1:61679";
    static final int NO_DAEMON = 69; // EX_UNAVAILABLE, sysexits.h

    private static final int CONNECT_MILLIS = 5_000;
    private static final int ANSWER_MILLIS = 30_000; // A repair looks four times and waits between.

    /**
     * Reads a page.
     *
     * @throws IOException for the user to read: no daemon, or its reason not to answer
     */
    String get(String path) throws IOException {
        return ask("GET", path);
    }

    /** Has a page act; as {@link #get}. */
    String post(String path) throws IOException {
        return ask("POST", path);
    }

    private String ask(String method, String path) throws IOException {
        HttpURLConnection connection =
                (HttpURLConnection) URI.create("http://" + address + path).toURL().openConnection();
        connection.setRequestMethod(method);
        connection.setConnectTimeout(CONNECT_MILLIS);
        connection.setReadTimeout(ANSWER_MILLIS);
        int code;
        try {
            code = connection.getResponseCode();
        } catch (IOException e) {
            throw new IOException(
                    "no answer from ipamd at "
                            + address
                            + ": "
                            + e.getMessage()
                            + "; is it running on this node?",
                    e);
        }
        if (code != HttpURLConnection.HTTP_OK) {
            throw new IOException(
                    "ipamd at "
                            + address
                            + " has no "
                            + path
                            + " now: "
                            + code
                            + " "
                            + words(connection));
        }
        try (InputStream in = connection.getInputStream()) {
            return text(in);
        }
    }

    private static String words(HttpURLConnection connection) throws IOException {
        try (InputStream in = connection.getErrorStream()) {
            return in == null ? "" : text(in).strip();
        }
    }

    private static String text(InputStream in) throws IOException {
        return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
}
