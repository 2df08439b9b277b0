package dev.underlay.cni.protocol;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collection;

/**
 * The error object of the CNI specification. Every error that the daemon gives a runtime is built
 * here; the launcher builds its own in {@code underlay.c} with the same codes.
 *
 * <table>
 * <caption>Codes: below 100 from SPEC section "Error", from 100 ours</caption>
 * <tr><td>1</td><td>the configuration's version, or the verb in that version, is not spoken</td></tr>
 * <tr><td>3</td><td>the container is unknown (CHECK)</td></tr>
 * <tr><td>4</td><td>a variable is missing or wrong</td></tr>
 * <tr><td>5</td><td>standard input could not be read (launcher)</td></tr>
 * <tr><td>6</td><td>the configuration is not JSON</td></tr>
 * <tr><td>7</td><td>the configuration is wrong</td></tr>
 * <tr><td>8</td><td>the network namespace cannot be used</td></tr>
 * <tr><td>11</td><td>not now; the same call can succeed later</td></tr>
 * <tr><td>50</td><td>STATUS: an ADD cannot succeed now</td></tr>
 * <tr><td>51</td><td>STATUS: as 50, and pods that run may lack connectivity</td></tr>
 * <tr><td>100</td><td>the attachment exists already with another namespace</td></tr>
 * <tr><td>101</td><td>the kernel refused a step of the wiring</td></tr>
 * <tr><td>102</td><td>CHECK found something broken</td></tr>
 * <tr><td>103</td><td>the launcher lacks a permission (launcher)</td></tr>
 * <tr><td>104</td><td>launcher and daemon do not understand each other</td></tr>
 * <tr><td>999</td><td>a bug</td></tr>
 * </table>
 *
 * @param message what failed, on which thing, why and what to do next; it reaches the pod's event
 * @param details more for the log, may be empty
 */
public record CniError(int code, String message, String details) {
    public CniError {
        message = reworded(message);
        details = reworded(details);
    }

    // ---- the request is wrong

    static CniError incompatibleVersion(String version) {
        return new CniError(
                1,
                "the network configuration has cniVersion \""
                        + version
                        + "\"; set it to one of "
                        + String.join(", ", SpecVersion.texts()),
                "configuration: "
                        + version
                        + ", plugin: "
                        + String.join(", ", SpecVersion.texts()));
    }

    static CniError verbTooNew(CniVerb verb, SpecVersion version) {
        return new CniError(
                1,
                verb
                        + " came with cniVersion "
                        + version.text()
                        + " but exists since "
                        + verb.since().text()
                        + "; raise cniVersion in the network configuration",
                "");
    }

    static CniError unknownVerb(String verb) {
        return new CniError(
                4,
                "CNI_COMMAND is \""
                        + verb
                        + "\"; the runtime must set it to ADD, DEL, CHECK, STATUS, GC or VERSION",
                "");
    }

    static CniError missingVariables(Collection<String> names) {
        return new CniError(
                4,
                "variables missing or empty: "
                        + String.join(", ", names)
                        + "; the runtime must set them",
                "");
    }

    /** A variable is wrong; {@code rule} completes "must be". */
    public static CniError badVariable(String name, String value, String rule) {
        return new CniError(4, name + " is \"" + value + "\" but must be " + rule, "");
    }

    static CniError notJson(String why) {
        return new CniError(
                6,
                "the network configuration on standard input is not a JSON object; check the files"
                        + " in the CNI configuration folder",
                why);
    }

    static CniError badConfig(String field, String why) {
        return new CniError(7, "network configuration, \"" + field + "\": " + why, "");
    }

    /** The container has no attachment of that name. */
    public static CniError unknownContainer(String containerId, String interfaceName) {
        return new CniError(
                3,
                "no lease for interface "
                        + interfaceName
                        + " of container "
                        + containerId
                        + "; delete the pod so that it is set up again",
                "");
    }

    /** The namespace cannot be used; {@code why} ends with the next step. */
    public static CniError badNamespace(String path, String why) {
        return new CniError(8, "network namespace " + path + ": " + why, "");
    }

    // ---- it cannot be served now

    /** The same call can succeed later. */
    public static CniError tryAgain(String message, String details) {
        return new CniError(11, message, details);
    }

    /** STATUS: an ADD that starts now cannot succeed. */
    public static CniError notAvailable(String message, String details) {
        return new CniError(50, message, details);
    }

    /** STATUS: as {@link #notAvailable}, and running pods may lack connectivity. */
    public static CniError limitedConnectivity(String message, String details) {
        return new CniError(51, message, details);
    }

    // ---- it went wrong

    /** An ADD repeats a container and interface that are attached to another namespace. */
    public static CniError attachedElsewhere(String containerId, String interfaceName) {
        return new CniError(
                100,
                "interface "
                        + interfaceName
                        + " of container "
                        + containerId
                        + " is attached already to another network namespace; the runtime must send"
                        + " DEL before it sends ADD again",
                "");
    }

    /** The kernel refused a step; what was done before it is undone. */
    public static CniError kernelRefused(String message, String details) {
        return new CniError(101, message, details);
    }

    /** CHECK: the first thing that is not as ADD left it. */
    public static CniError broken(String message, String details) {
        return new CniError(102, message, details);
    }

    /** Launcher and daemon speak different protocols, or the bytes are broken. */
    public static CniError notUnderstood(String why) {
        return new CniError(
                104,
                "launcher and daemon do not understand each other: "
                        + why
                        + "; restart ipamd, which installs its own launcher",
                "");
    }

    /** A promise of ours is broken. */
    public static CniError bug(Throwable cause) {
        return new CniError(
                999,
                "internal error: " + cause + "; ipamd's log has the stack, please report it",
                "");
    }

    /** The object as one line of JSON. */
    public String json(SpecVersion version) {
        ObjectNode object = JsonNodeFactory.instance.objectNode();
        object.put("cniVersion", version.text()).put("code", code).put("msg", message);
        if (!details.isEmpty()) {
            object.put("details", details);
        }
        return object.toString();
    }

    /**
     * containerd takes a DEL error with these words for success (go-cni, {@code Remove}) and would
     * never send the DEL again.
     */
    private static String reworded(String text) {
        return text.replaceAll("(?i)not found", "missing")
                .replaceAll("(?i)no such file or directory", "does not exist");
    }
}
