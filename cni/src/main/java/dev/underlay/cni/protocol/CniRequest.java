package dev.underlay.cni.protocol;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * One call of a runtime, checked. The key of an attachment is container id and interface name,
 * never the pod's name: two sandboxes of one pod can stand side by side.
 *
 * @param version what the configuration says and the answer is written in
 * @param network the configuration's {@code name}
 * @param containerId empty for STATUS and GC
 * @param interfaceName empty for STATUS and GC
 * @param netns {@code CNI_NETNS} exactly as it came, for the result's {@code sandbox}; may be empty
 *     for DEL
 * @param arguments {@code CNI_ARGS}; absent outside Kubernetes
 * @param mtuBytes the configuration's {@code mtu}; 0 takes the network interface's own
 * @param previous the result of earlier plugins (ADD) or of the whole list (CHECK)
 * @param validAttachments for GC: what must stay; absent if the caller gave no list at all, which
 *     must not be read as an empty one
 */
public record CniRequest(
        CniVerb verb,
        SpecVersion version,
        String network,
        String containerId,
        String interfaceName,
        String netns,
        Map<String, String> arguments,
        int mtuBytes,
        Optional<CniResult> previous,
        Optional<List<ValidAttachment>> validAttachments)
        implements ParseResult {

    /** The smallest {@code mtu}: what every IPv4 host must be able to receive (RFC 791). */
    static final int MIN_MTU_BYTES = 576;

    static final int MAX_MTU_BYTES = 65535;

    // SPEC, "Parameters" and "Configuration format".
    private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9][a-zA-Z0-9_.-]*");

    // At most 15 bytes (IFNAMSIZ - 1); the kernel reads '%' as a template.
    private static final Pattern INTERFACE = Pattern.compile("[!-~&&[^/:%]]{1,15}");

    private static final JsonMapper JSON =
            JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

    public CniRequest {
        arguments = Map.copyOf(arguments);
        validAttachments = validAttachments.map(List::copyOf);
    }

    /** One entry of {@code cni.dev/valid-attachments}. */
    public record ValidAttachment(String containerId, String interfaceName) {}

    /** The pod's Kubernetes namespace, empty outside Kubernetes. */
    public String podNamespace() {
        return arguments.getOrDefault("K8S_POD_NAMESPACE", "");
    }

    /** The pod's name, empty outside Kubernetes. */
    public String podName() {
        return arguments.getOrDefault("K8S_POD_NAME", "");
    }

    /** The pod's uid, empty outside Kubernetes. */
    public String podUid() {
        return arguments.getOrDefault("K8S_POD_UID", "");
    }

    /**
     * Checks a call. Unknown keys of the configuration are ignored. For DEL nothing is refused that
     * its work does not need.
     *
     * @param environment the {@code CNI_*} variables
     * @param standardInput the network configuration
     */
    public static ParseResult parse(Map<String, String> environment, String standardInput) {
        SpecVersion version = SpecVersion.NEWEST;
        try {
            CniVerb verb = verb(environment);
            JsonNode config = config(standardInput);
            version = version(config);
            if (!version.atLeast(verb.since())) {
                throw new Wrong(CniError.verbTooNew(verb, version));
            }
            boolean attaches = verb == CniVerb.ADD || verb == CniVerb.CHECK;
            return new CniRequest(
                    verb,
                    version,
                    network(config),
                    environment.getOrDefault("CNI_CONTAINERID", ""),
                    environment.getOrDefault("CNI_IFNAME", ""),
                    environment.getOrDefault("CNI_NETNS", ""),
                    arguments(environment.getOrDefault("CNI_ARGS", ""), attaches),
                    attaches ? mtuBytes(config) : 0,
                    attaches ? previous(config, verb) : Optional.empty(),
                    verb == CniVerb.GC ? validAttachments(config) : Optional.empty());
        } catch (Wrong wrong) {
            return new Refused(wrong.error, version);
        }
    }

    /** What an error about a call is written in that is answered without its being parsed. */
    public static SpecVersion answerVersion(String standardInput) {
        try {
            return version(config(standardInput));
        } catch (Wrong wrong) {
            return SpecVersion.NEWEST;
        }
    }

    private static CniVerb verb(Map<String, String> environment) throws Wrong {
        String command = environment.getOrDefault("CNI_COMMAND", "");
        CniVerb verb =
                CniVerb.of(command).orElseThrow(() -> new Wrong(CniError.unknownVerb(command)));
        List<String> missing =
                verb.required().stream()
                        .filter(name -> environment.getOrDefault(name, "").isEmpty())
                        .toList();
        if (!missing.isEmpty()) {
            throw new Wrong(CniError.missingVariables(missing));
        }
        if (verb.required().contains("CNI_CONTAINERID")) {
            require(
                    environment,
                    "CNI_CONTAINERID",
                    NAME,
                    "letters, digits, '_', '.' and '-', beginning with a letter or digit");
            require(
                    environment,
                    "CNI_IFNAME",
                    INTERFACE,
                    "1 to 15 printable characters without '/', ':', '%' and spaces, not . or ..");
        }
        return verb;
    }

    private static void require(
            Map<String, String> environment, String name, Pattern pattern, String rule)
            throws Wrong {
        String value = environment.getOrDefault(name, "");
        if (!pattern.matcher(value).matches() || value.equals(".") || value.equals("..")) {
            throw new Wrong(CniError.badVariable(name, value, rule));
        }
    }

    private static JsonNode config(String standardInput) throws Wrong {
        JsonNode config;
        try {
            config = JSON.readTree(standardInput);
        } catch (JsonProcessingException e) {
            throw new Wrong(CniError.notJson(e.getOriginalMessage()));
        }
        if (!config.isObject()) {
            throw new Wrong(CniError.notJson("it is " + config.getNodeType()));
        }
        return config;
    }

    private static SpecVersion version(JsonNode config) throws Wrong {
        // SPEC: no cniVersion means 0.1.0, whose result shape is not spoken here.
        String text = config.path("cniVersion").asText("0.1.0");
        return SpecVersion.of(text)
                .orElseThrow(() -> new Wrong(CniError.incompatibleVersion(text)));
    }

    private static String network(JsonNode config) throws Wrong {
        String name = config.path("name").asText("");
        if (!NAME.matcher(name).matches()) {
            throw new Wrong(
                    CniError.badConfig(
                            "name",
                            "\""
                                    + name
                                    + "\" must be letters, digits, '_', '.' and '-', beginning with"
                                    + " a letter or digit"));
        }
        return name;
    }

    private static Map<String, String> arguments(String text, boolean strict) throws Wrong {
        Map<String, String> arguments = new LinkedHashMap<>();
        for (String pair : (Iterable<String>) Pattern.compile(";").splitAsStream(text)::iterator) {
            int equals = pair.indexOf('=');
            if (equals > 0) {
                arguments.put(pair.substring(0, equals), pair.substring(equals + 1));
            } else if (strict && !pair.isEmpty()) {
                throw new Wrong(
                        CniError.badVariable("CNI_ARGS", text, "KEY=VALUE pairs joined by ';'"));
            }
        }
        return arguments;
    }

    private static int mtuBytes(JsonNode config) throws Wrong {
        JsonNode mtu = config.path("mtu");
        if (mtu.isMissingNode() || mtu.isNull()) {
            return 0;
        }
        if (mtu.isIntegralNumber() && mtu.canConvertToInt()) {
            int bytes = mtu.intValue();
            if (bytes == 0 || (bytes >= MIN_MTU_BYTES && bytes <= MAX_MTU_BYTES)) {
                return bytes;
            }
        }
        throw new Wrong(
                CniError.badConfig(
                        "mtu",
                        mtu
                                + " must be 0 (the network interface's own) or a number from "
                                + MIN_MTU_BYTES
                                + " to "
                                + MAX_MTU_BYTES));
    }

    private static Optional<CniResult> previous(JsonNode config, CniVerb verb) throws Wrong {
        JsonNode previous = config.path("prevResult");
        if (previous.isObject()) {
            try {
                return Optional.of(CniResult.parse(previous));
            } catch (IllegalArgumentException e) {
                throw new Wrong(CniError.badConfig("prevResult", String.valueOf(e.getMessage())));
            }
        }
        if (verb == CniVerb.CHECK) {
            throw new Wrong(
                    CniError.badConfig(
                            "prevResult",
                            "CHECK needs the result of ADD; the runtime must add it"));
        }
        return Optional.empty();
    }

    private static Optional<List<ValidAttachment>> validAttachments(JsonNode config) throws Wrong {
        // libcni also writes the list under the first key, a slip of an early draft.
        String key =
                config.has("cni.dev/valid-attachments")
                        ? "cni.dev/valid-attachments"
                        : "cni.dev/attachments";
        if (!config.has(key)) {
            return Optional.empty();
        }
        JsonNode list = config.path(key);
        if (!list.isArray() && !list.isNull()) {
            throw new Wrong(CniError.badConfig(key, "it must be a list"));
        }
        List<ValidAttachment> valid = new ArrayList<>();
        for (JsonNode entry : list) {
            String containerId = entry.path("containerID").asText("");
            String interfaceName = entry.path("ifname").asText("");
            if (containerId.isEmpty() || interfaceName.isEmpty()) {
                // A half-read list would free what must stay.
                throw new Wrong(CniError.badConfig(key, "each entry needs containerID and ifname"));
            }
            valid.add(new ValidAttachment(containerId, interfaceName));
        }
        return Optional.of(valid);
    }

    /** Leaves the middle of {@link #parse}; never leaves this class. */
    private static final class Wrong extends Exception {
        private static final long serialVersionUID = 1L;
        private final transient CniError error;

        Wrong(CniError error) {
            super(error.message(), null, false, false);
            this.error = error;
        }
    }
}
