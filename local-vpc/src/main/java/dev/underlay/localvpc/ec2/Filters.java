package dev.underlay.localvpc.ec2;

import dev.underlay.localvpc.state.Ec2Refusal;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;
import software.amazon.awssdk.services.ec2.model.Filter;

/**
 * The filters that a Describe call knows. A thing passes if each filter has a value among the
 * thing's own; {@code *} and {@code ?} in a filter's value stand for any text and any character.
 *
 * @param known from a filter's name to the thing's values
 * @param tags of a thing, for {@code tag:KEY} and {@code tag-key}
 */
record Filters<T>(
        Map<String, Function<T, List<String>>> known, Function<T, Map<String, String>> tags) {

    /**
     * The things that pass.
     *
     * @throws Ec2Refusal for a name that is not known, or a filter without values
     */
    List<T> apply(Collection<T> things, List<Filter> filters) {
        List<T> passed = List.copyOf(things);
        for (Filter filter : filters) {
            Function<T, List<String>> values = valuesOf(String.valueOf(filter.name()));
            if (filter.values().isEmpty()) {
                throw Ec2Refusal.parameterValue("The filter '" + filter.name() + "' has no values");
            }
            List<Pattern> wanted = filter.values().stream().map(Filters::pattern).toList();
            passed = passed.stream().filter(one -> matches(values.apply(one), wanted)).toList();
        }
        return passed;
    }

    private Function<T, List<String>> valuesOf(String name) {
        if (name.startsWith("tag:")) {
            String key = name.substring("tag:".length());
            return thing -> {
                String value = tags.apply(thing).get(key);
                return value == null ? List.of() : List.of(value);
            };
        }
        if (name.equals("tag-key")) {
            return thing -> List.copyOf(tags.apply(thing).keySet());
        }
        Function<T, List<String>> values = known.get(name);
        if (values == null) {
            throw Ec2Refusal.parameterValue("The filter '" + name + "' is invalid");
        }
        return values;
    }

    private static boolean matches(List<String> values, List<Pattern> wanted) {
        return values.stream()
                .anyMatch(value -> wanted.stream().anyMatch(p -> p.matcher(value).matches()));
    }

    private static Pattern pattern(String value) {
        StringBuilder regex = new StringBuilder();
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            regex.append(
                    switch (c) {
                        case '*' -> ".*";
                        case '?' -> ".";
                        default -> Pattern.quote(String.valueOf(c));
                    });
        }
        return Pattern.compile(regex.toString(), Pattern.DOTALL);
    }
}
