package dev.underlay.localvpc.ec2;

import dev.underlay.localvpc.Auditor;
import dev.underlay.localvpc.Dials;
import dev.underlay.localvpc.state.Ec2Refusal;
import dev.underlay.localvpc.state.Vpc;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.Supplier;
import software.amazon.awssdk.core.SdkPojo;

/**
 * The actions that are known, each with the parameters that it understands. What is not among them
 * is refused and noted as a finding: code under test called something that nobody planned.
 */
final class Ec2Calls {
    /** One action. */
    private record Call(
            Supplier<? extends SdkPojo> builder,
            Set<String> parameters,
            Function<Object, SdkPojo> body) {}

    private final Map<String, Call> calls = new TreeMap<>();
    private final Auditor auditor;

    Ec2Calls(Vpc vpc, Dials dials, Auditor auditor) {
        this.auditor = auditor;
        Ec2Shapes shapes = new Ec2Shapes(vpc);
        new Changes(vpc, dials, auditor, shapes).addTo(this);
        new Reads(vpc, shapes).addTo(this);
    }

    /**
     * Decodes the request; nothing is changed yet.
     *
     * @return applies it
     * @throws Ec2Refusal for an unknown action or parameter, which is a finding too
     */
    Supplier<SdkPojo> prepare(String action, NavigableMap<String, String> parameters) {
        Call call = calls.get(action);
        if (call == null) {
            auditor.note("unknown action " + action);
            throw new Ec2Refusal(
                    400,
                    "InvalidAction",
                    "The action " + action + " is not valid for this web service.");
        }
        Set<String> unknown = new TreeSet<>();
        Object request =
                QueryCodec.decode(call.builder.get(), parameters, call.parameters, unknown);
        if (!unknown.isEmpty()) {
            auditor.note("unknown parameters of " + action + ": " + unknown);
            throw new Ec2Refusal(
                    400, "UnknownParameter", "The parameters " + unknown + " are not recognized");
        }
        return () -> call.body.apply(request);
    }

    /**
     * Adds an action.
     *
     * @param parameters the top-level ones that the body looks at; others are refused
     * @throws IllegalArgumentException if the model has no such parameter
     */
    <R> void add(
            String action,
            Supplier<? extends SdkPojo> builder,
            Class<R> type,
            Function<R, SdkPojo> body,
            String... parameters) {
        Set<String> known = Set.of(parameters);
        Set<String> modelled = new TreeSet<>();
        builder.get().sdkFields().forEach(field -> modelled.add(field.locationName()));
        if (!modelled.containsAll(known)) {
            throw new IllegalArgumentException(
                    action + " has " + modelled + ", not all of " + new TreeSet<>(known));
        }
        calls.put(action, new Call(builder, known, request -> body.apply(type.cast(request))));
    }
}
