package dev.underlay.lab;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * How the launcher answered.
 *
 * @param exitCode 0 for success
 * @param out standard output, one JSON document or nothing
 * @param err standard error
 * @param took from start to end of the program
 */
record CniReply(int exitCode, String out, String err, Duration took) {
    private static final ObjectMapper JSON = new ObjectMapper();

    boolean ok() {
        return exitCode == 0;
    }

    /** Standard output as JSON; a missing node when there is none or it is none. */
    JsonNode json() {
        try {
            return out.isBlank() ? MissingNode.getInstance() : JSON.readTree(out);
        } catch (JsonProcessingException e) {
            return MissingNode.getInstance();
        }
    }

    /** The code of the CNI error object, 0 without one. */
    int errorCode() {
        return json().path("code").asInt();
    }

    /** The first address of the result, without its prefix length; empty without one. */
    String address() {
        return addresses().stream().findFirst().orElse("");
    }

    /** The first address of a family, likewise. */
    String address(Family family) {
        return addresses().stream()
                .filter(address -> Family.of(address) == family)
                .findFirst()
                .orElse("");
    }

    /** All addresses of the result, without their prefix lengths. */
    List<String> addresses() {
        return addresses(json());
    }

    /** The addresses of a result. */
    static List<String> addresses(JsonNode result) {
        List<String> addresses = new ArrayList<>();
        for (JsonNode ip : result.path("ips")) {
            String cidr = ip.path("address").asText();
            int slash = cidr.indexOf('/');
            addresses.add(slash < 0 ? cidr : cidr.substring(0, slash));
        }
        return addresses;
    }

    /** One line for people. */
    String line() {
        if (ok()) {
            return out.isBlank() ? "success" : String.join(" ", addresses());
        }
        JsonNode error = json();
        return error.has("msg")
                ? "code %d: %s%s"
                        .formatted(
                                errorCode(),
                                error.path("msg").asText(),
                                error.path("details").asText().isEmpty()
                                        ? ""
                                        : "; " + error.path("details").asText())
                : "exit code %d, stdout '%s', stderr '%s'"
                        .formatted(exitCode, out.strip(), err.strip());
    }
}
