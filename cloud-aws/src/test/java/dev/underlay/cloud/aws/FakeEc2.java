package dev.underlay.cloud.aws;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.StringTokenizer;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/**
 * An EC2 that keeps interfaces of one instance, answers the query protocol and fails on command. It
 * is lenient about what is right and exact about what happened: every request is counted.
 */
final class FakeEc2 implements AutoCloseable {
    static final String INSTANCE = "i-0123";
    static final String SUBNET = "subnet-a";

    /** How one request goes wrong. */
    record Fault(boolean apply, int status, @Nullable String code, String body) {
        /** EC2's own refusal, nothing done. */
        static Fault error(int status, String code, String message) {
            return new Fault(false, status, code, message);
        }

        /** The connection ends without an answer and without an effect. */
        static Fault lostRequest() {
            return new Fault(false, 0, null, "");
        }

        /** The effect happens and the answer is lost. */
        static Fault lostAnswer() {
            return new Fault(true, 0, null, "");
        }

        /** Something that is not EC2's protocol, after or without the effect. */
        static Fault page(boolean apply, int status) {
            return new Fault(apply, status, null, "<html><body>oops</body></html>");
        }
    }

    static final class Nic {
        final String id;
        final String address;
        final List<String> addresses = new ArrayList<>();
        final List<String> prefixes = new ArrayList<>();
        final Map<String, String> tags = new TreeMap<>();
        String subnet = SUBNET;
        String type = "interface";
        @Nullable String attachmentId;
        String instance = INSTANCE;
        int deviceIndex;
        int card;
        String status = "attached";
        boolean endsWithInstance;
        int looksUntilDetached;

        Nic(String id, String address) {
            this.id = id;
            this.address = address;
        }
    }

    final Map<String, Nic> nics = new LinkedHashMap<>();
    final List<String> calls = new ArrayList<>();
    final List<Map<String, String>> requests = new ArrayList<>();

    /**
     * Answers of an assign list everything on the interface, as some that speak the protocol do.
     */
    boolean listsEverything;

    /** How many looks a detach takes. */
    int detachLooks;

    /** Describes answered from the state of before the last change. */
    int staleLooks;

    int pageSize = 1_000;

    private final Map<String, Deque<Fault>> faults = new HashMap<>();
    private final Map<String, Nic> tokens = new HashMap<>();
    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private String lastInterfaces = "";
    private int next = 10;

    FakeEc2() throws IOException {
        Nic primary = new Nic("eni-primary", "10.0.0.10");
        primary.attachmentId = "eni-attach-primary";
        primary.endsWithInstance = true;
        nics.put(primary.id, primary);
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    URI endpoint() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    synchronized void fail(String action, Fault... next) {
        faults.computeIfAbsent(action, _ -> new ArrayDeque<>()).addAll(List.of(next));
    }

    synchronized void failAlways(String action, Fault fault) {
        fail(action, Collections.nCopies(500, fault).toArray(Fault[]::new));
    }

    synchronized void heal() {
        faults.clear();
    }

    synchronized long count(String action) {
        return calls.stream().filter(action::equals).count();
    }

    synchronized Map<String, String> last(String action) {
        return requests.reversed().stream()
                .filter(r -> action.equals(r.get("Action")))
                .findFirst()
                .orElseThrow();
    }

    synchronized Nic nic(String id) {
        Nic nic = nics.get(id);
        if (nic == null) {
            throw new IllegalStateException("no " + id);
        }
        return nic;
    }

    synchronized Nic add(String id) {
        Nic nic = new Nic(id, nextAddress());
        nic.tags.put(Tags.INSTANCE_ID, INSTANCE);
        nics.put(id, nic);
        return nic;
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String form =
                    new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            Map<String, String> request = parse(form);
            String action = request.getOrDefault("Action", "");
            int status = 200;
            String body;
            synchronized (this) {
                calls.add(action);
                requests.add(request);
                Deque<Fault> queue = faults.getOrDefault(action, new ArrayDeque<>());
                Fault fault = queue.poll();
                if (fault != null && !fault.apply()) {
                    status = fault.status();
                    body = fault.code() == null ? fault.body() : error(fault.code(), fault.body());
                } else {
                    try {
                        body = apply(action, request);
                    } catch (Refused refused) {
                        status = 400;
                        body = error(refused.code, String.valueOf(refused.getMessage()));
                    }
                    if (fault != null) {
                        status = fault.status();
                        body = fault.body();
                    }
                }
            }
            if (status == 0) {
                return; // closing the exchange without an answer ends the connection
            }
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().add("Content-Type", "text/xml");
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }

    private static final class Refused extends RuntimeException {
        final String code;

        Refused(String code, String message) {
            super(message);
            this.code = code;
        }
    }

    private String apply(String action, Map<String, String> request) {
        String before = interfaces(nics.values());
        String body = answer(action, request);
        if (!action.startsWith("Describe")) {
            lastInterfaces = before;
        }
        return body;
    }

    private String answer(String action, Map<String, String> request) {
        return switch (action) {
            case "DescribeNetworkInterfaces" -> describe(request);
            case "DescribeSubnets" ->
                    "<DescribeSubnetsResponse><subnetSet><item><subnetId>"
                            + request.get("Filter.1.Value.1")
                            + "</subnetId><cidrBlock>10.0.0.0/24</cidrBlock></item></subnetSet>"
                            + "</DescribeSubnetsResponse>";
            case "DescribeInstanceTypes" ->
                    "<DescribeInstanceTypesResponse><instanceTypeSet><item><instanceType>"
                            + request.get("InstanceType.1")
                            + "</instanceType><hypervisor>nitro</hypervisor><networkInfo><maximumNetworkInterfaces>99"
                            + "</maximumNetworkInterfaces><ipv4AddressesPerInterface>11"
                            + "</ipv4AddressesPerInterface><defaultNetworkCardIndex>0"
                            + "</defaultNetworkCardIndex><networkCards><item><networkCardIndex>0"
                            + "</networkCardIndex><maximumNetworkInterfaces>4"
                            + "</maximumNetworkInterfaces></item></networkCards></networkInfo>"
                            + "</item></instanceTypeSet></DescribeInstanceTypesResponse>";
            case "CreateNetworkInterface" -> create(request);
            case "AttachNetworkInterface" -> attach(request);
            case "ModifyNetworkInterfaceAttribute" -> {
                find(request.get("NetworkInterfaceId")).endsWithInstance =
                        Boolean.parseBoolean(request.get("Attachment.DeleteOnTermination"));
                yield done(action);
            }
            case "AssignPrivateIpAddresses" -> assign(request);
            case "UnassignPrivateIpAddresses" -> {
                Nic nic = find(request.get("NetworkInterfaceId"));
                List<String> gone = list(request, "PrivateIpAddress.");
                if (!nic.addresses.containsAll(gone)) {
                    throw new Refused(
                            "InvalidParameterValue", "Some of the addresses are not on it");
                }
                nic.addresses.removeAll(gone);
                nic.prefixes.removeAll(list(request, "Ipv4Prefix."));
                yield done(action);
            }
            case "DetachNetworkInterface" -> {
                Nic nic =
                        nics.values().stream()
                                .filter(n ->
                                        Objects.equals(request.get("AttachmentId"), n.attachmentId))
                                .findFirst()
                                .orElseThrow(() ->
                                        new Refused(
                                                "InvalidAttachmentID.NotFound",
                                                "The attachment does not exist"));
                nic.status = "detaching";
                nic.looksUntilDetached = detachLooks;
                if (detachLooks == 0) {
                    nic.attachmentId = null;
                }
                yield done(action);
            }
            case "DeleteNetworkInterface" -> {
                Nic nic = find(request.get("NetworkInterfaceId"));
                if (nic.attachmentId != null) {
                    throw new Refused(
                            "InvalidParameterValue",
                            "Network interface '" + nic.id + "' is currently in use.");
                }
                nics.remove(nic.id);
                yield done(action);
            }
            default -> throw new Refused("InvalidAction", action);
        };
    }

    private String describe(Map<String, String> request) {
        if (staleLooks > 0) {
            staleLooks--;
            return page(lastInterfaces, null);
        }
        String filter = request.get("Filter.1.Name");
        List<Nic> found =
                nics.values().stream()
                        .filter(n ->
                                "attachment.instance-id".equals(filter)
                                        ? n.attachmentId != null && INSTANCE.equals(n.instance)
                                        : INSTANCE.equals(n.tags.get(Tags.INSTANCE_ID)))
                        .toList();
        int from = Integer.parseInt(request.getOrDefault("NextToken", "0"));
        int to = Math.min(found.size(), from + pageSize);
        String page = interfaces(found.subList(from, to));
        for (Nic n : found) {
            if (n.status.equals("detaching") && n.looksUntilDetached-- <= 1) {
                n.attachmentId = null;
                n.status = "attached";
            }
        }
        return page(page, to < found.size() ? String.valueOf(to) : null);
    }

    private static String page(String items, @Nullable String nextToken) {
        return "<DescribeNetworkInterfacesResponse><networkInterfaceSet>"
                + items
                + "</networkInterfaceSet>"
                + (nextToken == null ? "" : "<nextToken>" + nextToken + "</nextToken>")
                + "</DescribeNetworkInterfacesResponse>";
    }

    private String create(Map<String, String> request) {
        Nic nic = tokens.get(request.get("ClientToken"));
        if (nic == null) {
            nic = new Nic("eni-" + next, nextAddress());
            int count =
                    Integer.parseInt(request.getOrDefault("SecondaryPrivateIpAddressCount", "0"));
            for (int i = 0; i < count; i++) {
                nic.addresses.add(nextAddress());
            }
            int prefixes = Integer.parseInt(request.getOrDefault("Ipv4PrefixCount", "0"));
            for (int i = 0; i < prefixes; i++) {
                nic.prefixes.add("10.0.1." + 16 * i + "/28");
            }
            for (int i = 1; request.containsKey("TagSpecification.1.Tag." + i + ".Key"); i++) {
                nic.tags.put(
                        request.get("TagSpecification.1.Tag." + i + ".Key"),
                        request.get("TagSpecification.1.Tag." + i + ".Value"));
            }
            nics.put(nic.id, nic);
            tokens.put(request.get("ClientToken"), nic);
        }
        return "<CreateNetworkInterfaceResponse><networkInterface>"
                + fields(nic)
                + "</networkInterface></CreateNetworkInterfaceResponse>";
    }

    private String attach(Map<String, String> request) {
        Nic nic = find(request.get("NetworkInterfaceId"));
        if (nic.attachmentId != null) {
            throw new Refused(
                    "InvalidNetworkInterface.InUse", "Interface: [" + nic.id + "] in use.");
        }
        nic.deviceIndex = Integer.parseInt(request.get("DeviceIndex"));
        nic.instance = request.getOrDefault("InstanceId", "none");
        nic.attachmentId = "eni-attach-" + next++;
        return "<AttachNetworkInterfaceResponse><attachmentId>"
                + nic.attachmentId
                + "</attachmentId></AttachNetworkInterfaceResponse>";
    }

    private String assign(Map<String, String> request) {
        Nic nic = find(request.get("NetworkInterfaceId"));
        List<String> fresh = new ArrayList<>();
        int count = Integer.parseInt(request.getOrDefault("SecondaryPrivateIpAddressCount", "0"));
        for (int i = 0; i < count; i++) {
            fresh.add(nextAddress());
        }
        nic.addresses.addAll(fresh);
        List<String> listed = new ArrayList<>();
        if (listsEverything) {
            listed.add(nic.address);
            listed.addAll(nic.addresses);
        } else {
            listed.addAll(fresh);
        }
        StringBuilder body =
                new StringBuilder(
                        "<AssignPrivateIpAddressesResponse><assignedPrivateIpAddressesSet>");
        for (String address : listed) {
            body.append("<item><privateIpAddress>")
                    .append(address)
                    .append("</privateIpAddress></item>");
        }
        body.append("</assignedPrivateIpAddressesSet>");
        if (request.containsKey("Ipv4PrefixCount")) {
            nic.prefixes.add("10.0.2.0/28");
            body.append("<assignedIpv4PrefixSet><item><ipv4Prefix>10.0.2.0/28</ipv4Prefix></item>")
                    .append("</assignedIpv4PrefixSet>");
        }
        return body.append("</AssignPrivateIpAddressesResponse>").toString();
    }

    private Nic find(@Nullable String id) {
        Nic nic = nics.get(id);
        if (nic == null) {
            throw new Refused(
                    "InvalidNetworkInterfaceID.NotFound",
                    "The networkInterface ID '" + id + "' does not exist");
        }
        return nic;
    }

    private static String interfaces(Collection<Nic> some) {
        StringBuilder items = new StringBuilder();
        some.forEach(n -> items.append("<item>").append(fields(n)).append("</item>"));
        return items.toString();
    }

    private static String fields(Nic n) {
        StringBuilder xml = new StringBuilder();
        xml.append("<networkInterfaceId>").append(n.id).append("</networkInterfaceId>");
        xml.append("<subnetId>").append(n.subnet).append("</subnetId>");
        xml.append("<interfaceType>").append(n.type).append("</interfaceType>");
        xml.append("<macAddress>0A:00:00:00:00:01</macAddress>");
        xml.append("<privateIpAddress>").append(n.address).append("</privateIpAddress>");
        xml.append("<groupSet><item><groupId>sg-1</groupId></item></groupSet>");
        xml.append("<privateIpAddressesSet><item><privateIpAddress>")
                .append(n.address)
                .append("</privateIpAddress><primary>true</primary></item>");
        for (String address : n.addresses) {
            xml.append("<item><privateIpAddress>")
                    .append(address)
                    .append("</privateIpAddress><primary>false</primary></item>");
        }
        xml.append("</privateIpAddressesSet><ipv4PrefixSet>");
        for (String prefix : n.prefixes) {
            xml.append("<item><ipv4Prefix>").append(prefix).append("</ipv4Prefix></item>");
        }
        xml.append("</ipv4PrefixSet><tagSet>");
        n.tags.forEach((key, value) ->
                xml.append("<item><key>")
                        .append(key)
                        .append("</key><value>")
                        .append(value)
                        .append("</value></item>"));
        xml.append("</tagSet>");
        if (n.attachmentId != null) {
            xml.append("<attachment><attachmentId>")
                    .append(n.attachmentId)
                    .append("</attachmentId><instanceId>")
                    .append(n.instance)
                    .append("</instanceId><deviceIndex>")
                    .append(n.deviceIndex)
                    .append("</deviceIndex><networkCardIndex>")
                    .append(n.card)
                    .append("</networkCardIndex><status>")
                    .append(n.status)
                    .append("</status><deleteOnTermination>")
                    .append(n.endsWithInstance)
                    .append("</deleteOnTermination></attachment>");
        }
        return xml.toString();
    }

    private String nextAddress() {
        return "10.0.0." + ++next;
    }

    private static String done(String action) {
        return "<" + action + "Response><return>true</return></" + action + "Response>";
    }

    private static String error(String code, String message) {
        return "<Response><Errors><Error><Code>"
                + code
                + "</Code><Message>"
                + message
                + "</Message></Error></Errors><RequestID>r</RequestID></Response>";
    }

    private static List<String> list(Map<String, String> request, String prefix) {
        List<String> values = new ArrayList<>();
        for (int i = 1; request.containsKey(prefix + i); i++) {
            values.add(request.get(prefix + i));
        }
        return values;
    }

    private static Map<String, String> parse(String form) {
        Map<String, String> fields = new TreeMap<>();
        StringTokenizer pairs = new StringTokenizer(form, "&");
        while (pairs.hasMoreTokens()) {
            String pair = pairs.nextToken();
            int equals = pair.indexOf('=');
            fields.put(
                    URLDecoder.decode(pair.substring(0, equals), StandardCharsets.UTF_8),
                    URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8));
        }
        return fields;
    }
}
