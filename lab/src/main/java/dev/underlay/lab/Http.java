package dev.underlay.lab;

import dev.underlay.localvpc.fabric.Netns;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * One answer of a daemon's own pages.
 *
 * @param status the HTTP status
 * @param body its text
 */
record Http(int status, String body) {
    /**
     * Asks from inside a namespace, where the daemon's loopback is.
     *
     * @throws IOException when nobody answers
     */
    static Http get(Netns namespace, URI uri, Duration limit) throws IOException {
        return namespace.call(() -> {
            HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
            connection.setConnectTimeout((int) limit.toMillis());
            connection.setReadTimeout((int) limit.toMillis());
            // A kept connection would be found again by its address, which every node has.
            connection.setRequestProperty("Connection", "close");
            int status = connection.getResponseCode();
            try (InputStream body =
                    status < HttpURLConnection.HTTP_BAD_REQUEST
                            ? connection.getInputStream()
                            : connection.getErrorStream()) {
                return new Http(
                        status,
                        body == null
                                ? ""
                                : new String(body.readAllBytes(), StandardCharsets.UTF_8));
            }
        });
    }
}
