package dev.underlay.cni.protocol;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.underlay.cni.netlink.IpPrefix;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * The result of an ADD, in the shape of 1.1.0; older shapes are made when it is written. An absent
 * text is empty and an absent number 0, as in the specification's own types, unless 0 means
 * something.
 */
public record CniResult(List<Interface> interfaces, List<Ip> ips, List<Route> routes, Dns dns) {
    private static final JsonMapper JSON = new JsonMapper();

    public CniResult {
        interfaces = List.copyOf(interfaces);
        ips = List.copyOf(ips);
        routes = List.copyOf(routes);
    }

    /**
     * One link.
     *
     * @param sandbox {@code CNI_NETNS} exactly as it came; empty for a link on the host
     * @param mtuBytes since 1.1.0
     * @param socketPath since 1.1.0
     * @param pciId since 1.1.0
     */
    public record Interface(
            String name,
            String mac,
            int mtuBytes,
            String sandbox,
            String socketPath,
            String pciId) {
        /** A link on the host. */
        public static Interface onHost(String name, String mac, int mtuBytes) {
            return new Interface(name, mac, mtuBytes, "", "", "");
        }

        /** A link in the pod. */
        public static Interface inPod(String name, String mac, int mtuBytes, String sandbox) {
            return new Interface(name, mac, mtuBytes, sandbox, "", "");
        }
    }

    /**
     * One address.
     *
     * @param interfaceIndex place in {@link CniResult#interfaces}
     */
    public record Ip(IpPrefix address, Optional<InetAddress> gateway, OptionalInt interfaceIndex) {}

    /**
     * One route.
     *
     * @param mtuBytes since 1.1.0, as are the numbers after it
     */
    public record Route(
            IpPrefix destination,
            Optional<InetAddress> gateway,
            int mtuBytes,
            int advertisedMss,
            int priority,
            OptionalInt table,
            OptionalInt scope) {
        /** A route without the numbers of 1.1.0. */
        public static Route via(IpPrefix destination, InetAddress gateway) {
            return new Route(
                    destination,
                    Optional.of(gateway),
                    0,
                    0,
                    0,
                    OptionalInt.empty(),
                    OptionalInt.empty());
        }
    }

    /** Resolver settings; Underlay gives none, earlier plugins may. */
    public record Dns(
            List<String> nameservers, String domain, List<String> search, List<String> options) {
        public static final Dns NONE = new Dns(List.of(), "", List.of(), List.of());

        public Dns {
            nameservers = List.copyOf(nameservers);
            search = List.copyOf(search);
            options = List.copyOf(options);
        }
    }

    /**
     * This result, then {@code later} behind it, with the indexes of its interfaces moved. An
     * earlier plugin's entries are never dropped.
     */
    public CniResult plus(CniResult later) {
        int shift = interfaces.size();
        Stream<Ip> moved =
                later.ips.stream()
                        .map(ip ->
                                new Ip(
                                        ip.address,
                                        ip.gateway,
                                        ip.interfaceIndex.isPresent()
                                                ? OptionalInt.of(
                                                        ip.interfaceIndex.getAsInt() + shift)
                                                : ip.interfaceIndex));
        return new CniResult(
                Stream.concat(interfaces.stream(), later.interfaces.stream()).toList(),
                Stream.concat(ips.stream(), moved).toList(),
                Stream.concat(routes.stream(), later.routes.stream()).toList(),
                later.dns.equals(Dns.NONE) ? dns : later.dns);
    }

    // ---- writing

    /** The object as one line of JSON, with the fields that {@code version} has and no others. */
    public String json(SpecVersion version) {
        ObjectNode object = JsonNodeFactory.instance.objectNode();
        object.put("cniVersion", version.text());
        if (!interfaces.isEmpty()) {
            ArrayNode list = object.putArray("interfaces");
            interfaces.forEach(i -> write(i, list.addObject(), version));
        }
        if (!ips.isEmpty()) {
            ArrayNode list = object.putArray("ips");
            ips.forEach(ip -> write(ip, list.addObject(), version));
        }
        if (!routes.isEmpty()) {
            ArrayNode list = object.putArray("routes");
            routes.forEach(route -> write(route, list.addObject(), version));
        }
        if (!dns.equals(Dns.NONE)) {
            ObjectNode node = object.putObject("dns");
            put(node, "nameservers", dns.nameservers);
            put(node, "domain", dns.domain);
            put(node, "search", dns.search);
            put(node, "options", dns.options);
        }
        return object.toString();
    }

    private static void write(Interface link, ObjectNode node, SpecVersion version) {
        node.put("name", link.name);
        put(node, "mac", link.mac);
        if (version.atLeast(SpecVersion.V1_1_0)) {
            put(node, "mtu", link.mtuBytes);
        }
        put(node, "sandbox", link.sandbox);
        if (version.atLeast(SpecVersion.V1_1_0)) {
            put(node, "socketPath", link.socketPath);
            put(node, "pciID", link.pciId);
        }
    }

    private static void write(Ip ip, ObjectNode node, SpecVersion version) {
        if (!version.atLeast(SpecVersion.V1_0_0)) {
            node.put("version", ip.address.isIpv6() ? "6" : "4");
        }
        ip.interfaceIndex.ifPresent(index -> node.put("interface", index));
        node.put("address", ip.address.toString());
        ip.gateway.ifPresent(gateway -> node.put("gateway", IpPrefix.text(gateway)));
    }

    private static void write(Route route, ObjectNode node, SpecVersion version) {
        node.put("dst", route.destination.toString());
        route.gateway.ifPresent(gateway -> node.put("gw", IpPrefix.text(gateway)));
        if (version.atLeast(SpecVersion.V1_1_0)) {
            put(node, "mtu", route.mtuBytes);
            put(node, "advmss", route.advertisedMss);
            put(node, "priority", route.priority);
            route.table.ifPresent(table -> node.put("table", table));
            route.scope.ifPresent(scope -> node.put("scope", scope));
        }
    }

    private static void put(ObjectNode node, String field, String value) {
        if (!value.isEmpty()) {
            node.put(field, value);
        }
    }

    private static void put(ObjectNode node, String field, int value) {
        if (value != 0) {
            node.put(field, value);
        }
    }

    private static void put(ObjectNode node, String field, List<String> values) {
        if (!values.isEmpty()) {
            values.forEach(node.putArray(field)::add);
        }
    }

    // ---- reading, for prevResult and stored results

    /**
     * Reads what {@link #json} wrote.
     *
     * @throws IllegalArgumentException naming what is wrong
     */
    public static CniResult parse(String json) {
        try {
            return parse(JSON.readTree(json));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("not JSON: " + e.getOriginalMessage(), e);
        }
    }

    /**
     * Reads a result of any spoken version; which one does not matter, the shapes differ in fields
     * that are absent. Lists and {@code dns} may be null.
     *
     * @throws IllegalArgumentException naming the field that is wrong
     */
    static CniResult parse(JsonNode object) {
        return new CniResult(
                each(object, "interfaces").stream().map(CniResult::parseInterface).toList(),
                each(object, "ips").stream().map(CniResult::parseIp).toList(),
                each(object, "routes").stream().map(CniResult::parseRoute).toList(),
                new Dns(
                        texts(object.path("dns"), "nameservers"),
                        text(object.path("dns"), "domain"),
                        texts(object.path("dns"), "search"),
                        texts(object.path("dns"), "options")));
    }

    private static Interface parseInterface(JsonNode node) {
        return new Interface(
                text(node, "name"),
                text(node, "mac"),
                number(node, "mtu").orElse(0),
                text(node, "sandbox"),
                text(node, "socketPath"),
                text(node, "pciID"));
    }

    private static Ip parseIp(JsonNode node) {
        return new Ip(
                IpPrefix.parse(text(node, "address")),
                address(node, "gateway"),
                number(node, "interface"));
    }

    private static Route parseRoute(JsonNode node) {
        return new Route(
                IpPrefix.parse(text(node, "dst")),
                address(node, "gw"),
                number(node, "mtu").orElse(0),
                number(node, "advmss").orElse(0),
                number(node, "priority").orElse(0),
                number(node, "table"),
                number(node, "scope"));
    }

    private static List<JsonNode> each(JsonNode node, String field) {
        JsonNode list = node.path(field);
        if (list.isMissingNode() || list.isNull()) {
            return List.of();
        }
        if (!list.isArray()) {
            throw new IllegalArgumentException(field + " is not a list");
        }
        List<JsonNode> elements = new ArrayList<>();
        list.forEach(elements::add);
        return elements;
    }

    private static List<String> texts(JsonNode node, String field) {
        return each(node, field).stream().map(JsonNode::asText).toList();
    }

    private static String text(JsonNode node, String field) {
        JsonNode value = node.path(field);
        return value.isTextual() ? value.textValue() : "";
    }

    private static OptionalInt number(JsonNode node, String field) {
        JsonNode value = node.path(field);
        if (value.isMissingNode() || value.isNull()) {
            return OptionalInt.empty();
        }
        if (!value.canConvertToExactIntegral() || !value.canConvertToInt()) {
            throw new IllegalArgumentException(field + " is not a whole number: " + value);
        }
        return OptionalInt.of(value.intValue());
    }

    private static Optional<InetAddress> address(JsonNode node, String field) {
        String text = text(node, field);
        return text.isEmpty() ? Optional.empty() : Optional.of(IpPrefix.literal(text));
    }
}
