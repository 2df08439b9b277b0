package dev.underlay.localvpc.ec2;

import dev.underlay.localvpc.state.Ec2Refusal;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Set;
import java.util.StringTokenizer;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.core.protocol.MarshallingKnownType;
import software.amazon.awssdk.core.traits.ListTrait;
import software.amazon.awssdk.core.util.SdkAutoConstructList;
import software.amazon.awssdk.utils.builder.Buildable;

/**
 * EC2's query protocol: form parameters to the SDK's request classes, and its response classes to
 * XML. Both directions follow the field metadata that the SDK generates from the service's model.
 */
final class QueryCodec {
    /** Parameters of every request that belong to no request class. */
    private static final Set<String> ENVELOPE = Set.of("Action", "Version");

    private static final String NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/";

    private QueryCodec() {}

    /**
     * The parameters of a form body.
     *
     * @throws Ec2Refusal for a repeated name or broken escapes
     */
    static NavigableMap<String, String> form(String body) {
        NavigableMap<String, String> parameters = new TreeMap<>();
        StringTokenizer pairs = new StringTokenizer(body, "&");
        while (pairs.hasMoreTokens()) {
            String pair = pairs.nextToken();
            int equals = pair.indexOf('=');
            String name = decoded(equals < 0 ? pair : pair.substring(0, equals));
            String value = equals < 0 ? "" : decoded(pair.substring(equals + 1));
            if (parameters.put(name, value) != null) {
                throw new Ec2Refusal(
                        400, "InvalidParameter", "The parameter " + name + " is given twice");
            }
        }
        return parameters;
    }

    /**
     * Fills a request's builder.
     *
     * @param known top-level parameters that the action understands
     * @param unknown receives the parameters that the model or the action does not know
     * @throws Ec2Refusal for a value that does not fit its type
     */
    static Object decode(
            SdkPojo builder,
            NavigableMap<String, String> parameters,
            Set<String> known,
            Set<String> unknown) {
        Set<String> used = new TreeSet<>(ENVELOPE);
        Object request = new Reader(parameters, used).pojo(builder, "", known);
        parameters.keySet().stream().filter(name -> !used.contains(name)).forEach(unknown::add);
        return request;
    }

    /** The answer's XML. */
    static String encode(String action, SdkPojo response, String requestId) {
        StringBuilder xml = new StringBuilder(1024);
        xml.append("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<").append(action);
        xml.append("Response xmlns=\"").append(NAMESPACE).append("\"><requestId>");
        xml.append(requestId).append("</requestId>");
        writeFields(xml, response);
        return xml.append("</").append(action).append("Response>").toString();
    }

    /** An error's XML. */
    static String error(String code, String message, String requestId) {
        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>"
                + escaped(code)
                + "</Code><Message>"
                + escaped(message)
                + "</Message></Error></Errors><RequestID>"
                + requestId
                + "</RequestID></Response>";
    }

    private static String decoded(String text) {
        try {
            return URLDecoder.decode(text, StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw new Ec2Refusal(400, "MalformedQueryString", String.valueOf(e.getMessage()));
        }
    }

    /** Reads parameters and remembers which were of use. */
    private record Reader(NavigableMap<String, String> parameters, Set<String> used) {

        Object pojo(SdkPojo builder, String prefix, @Nullable Set<String> known) {
            for (SdkField<?> field : builder.sdkFields()) {
                String name = prefix + field.locationName();
                boolean understood = known == null || known.contains(field.locationName());
                if (understood && isPresent(name)) {
                    field.set(builder, value(field, name));
                }
            }
            return ((Buildable) builder).build();
        }

        private Object value(SdkField<?> field, String name) {
            MarshallingKnownType type = field.marshallingType().getKnownType();
            if (type == MarshallingKnownType.LIST) {
                SdkField<?> member = field.getRequiredTrait(ListTrait.class).memberFieldInfo();
                List<Object> list = new ArrayList<>();
                for (int i = 1; isPresent(name + "." + i); i++) {
                    list.add(value(member, name + "." + i));
                }
                return list;
            }
            if (type == MarshallingKnownType.SDK_POJO) {
                return pojo(field.constructor().get(), name + ".", null);
            }
            used.add(name);
            String text = Objects.requireNonNullElse(parameters.get(name), "");
            try {
                return scalar(type, text);
            } catch (IllegalArgumentException | DateTimeException e) {
                throw Ec2Refusal.parameterValue(
                        "Invalid value '" + text + "' for parameter " + name);
            }
        }

        private boolean isPresent(String name) {
            String next = parameters.ceilingKey(name + ".");
            return parameters.containsKey(name) || (next != null && next.startsWith(name + "."));
        }
    }

    private static Object scalar(MarshallingKnownType type, String text) {
        return switch (type) {
            case INTEGER -> Integer.valueOf(text);
            case LONG -> Long.valueOf(text);
            case DOUBLE -> Double.valueOf(text);
            case INSTANT -> Instant.parse(text);
            case BOOLEAN -> {
                if (!text.equals("true") && !text.equals("false")) {
                    throw new IllegalArgumentException(text);
                }
                yield Boolean.valueOf(text);
            }
            case STRING -> text;
            default -> throw new IllegalStateException("EC2 has no parameters of type " + type);
        };
    }

    private static void writeFields(StringBuilder xml, SdkPojo pojo) {
        for (SdkField<?> field : pojo.sdkFields()) {
            Object value = field.getValueOrDefault(pojo);
            if (value != null && !(value instanceof SdkAutoConstructList)) {
                write(xml, field.unmarshallLocationName(), value);
            }
        }
    }

    private static void write(StringBuilder xml, String name, Object value) {
        xml.append('<').append(name).append('>');
        switch (value) {
            case List<?> list -> list.forEach(item -> write(xml, "item", item));
            case SdkPojo pojo -> writeFields(xml, pojo);
            default -> xml.append(escaped(value.toString()));
        }
        xml.append("</").append(name).append('>');
    }

    private static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
