package dev.underlay.localvpc.ec2;

import dev.underlay.localvpc.state.Ec2Refusal;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A page of a Describe call's answer. Things are sorted by their key, and a token names the key
 * that the next page begins after, bound to the query that it was made for.
 *
 * @param items in the order of their keys
 * @param nextToken null on the last page
 */
record Page<T>(List<T> items, @Nullable String nextToken) {

    /**
     * How a caller asks for pages.
     *
     * @param maxResults null if it was not given
     * @param token null on the first page
     * @param byId whether identifiers were named, which excludes pages
     * @param query the request's text without the token
     */
    record Ask(@Nullable Integer maxResults, @Nullable String token, boolean byId, String query) {}

    static <T> Page<T> of(
            List<T> things, Function<T, String> key, Ask ask, int defaultSize, int maxSize) {
        if (ask.byId && ask.maxResults != null) {
            throw Ec2Refusal.parameterCombination(
                    "The parameter MaxResults cannot be used with identifiers");
        }
        if (ask.maxResults != null && (ask.maxResults < 5 || ask.maxResults > maxSize)) {
            throw Ec2Refusal.parameterValue(
                    "Value (%d) for parameter maxResults is invalid. Expecting 5 to %d."
                            .formatted(ask.maxResults, maxSize));
        }
        String bound = Integer.toHexString(ask.query.hashCode()) + ":";
        String after = ask.token == null ? "" : after(ask.token, bound);
        int size = ask.maxResults == null ? defaultSize : ask.maxResults;
        List<T> rest =
                things.stream()
                        .sorted(Comparator.comparing(key))
                        .filter(thing -> key.apply(thing).compareTo(after) > 0)
                        .toList();
        if (rest.size() <= size) {
            return new Page<>(rest, null);
        }
        List<T> items = rest.subList(0, size);
        String last = bound + key.apply(items.get(size - 1));
        return new Page<>(
                items,
                Base64.getUrlEncoder().encodeToString(last.getBytes(StandardCharsets.UTF_8)));
    }

    private static String after(String token, String bound) {
        try {
            String text = new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8);
            if (text.startsWith(bound)) {
                return text.substring(bound.length());
            }
        } catch (IllegalArgumentException e) {
            // Not one of ours; refused below.
        }
        throw Ec2Refusal.parameterValue("The token '" + token + "' is invalid for this query");
    }
}
