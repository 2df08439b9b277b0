package dev.underlay.localvpc.state;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.StringTokenizer;
import java.util.TreeMap;

/**
 * What an instance type can hold. The table {@code instance-types.csv} beside this class names its
 * source.
 *
 * @param name such as {@code m5.large}
 * @param interfacesPerCard on each network card, the primary counted
 * @param addressesPerInterface IPv4 slots: primary, secondaries and prefixes take one each; as many
 *     again for IPv6 addresses and prefixes
 * @param hypervisor {@code nitro}, {@code xen} or {@code unknown}
 * @param bareMetal whether there is no hypervisor
 * @param cards network cards
 */
public record InstanceType(
        String name,
        int interfacesPerCard,
        int addressesPerInterface,
        String hypervisor,
        boolean bareMetal,
        int cards) {
    private static final SortedMap<String, InstanceType> ALL = load();

    /** All types by name. */
    public static Map<String, InstanceType> all() {
        return ALL;
    }

    /** The type of an instance. */
    public static InstanceType of(Instance instance) {
        return Objects.requireNonNull(ALL.get(instance.type()));
    }

    /** Whether prefixes can be assigned: only on Nitro. */
    public boolean takesPrefixes() {
        return bareMetal || hypervisor.equals("nitro");
    }

    private static SortedMap<String, InstanceType> load() {
        SortedMap<String, InstanceType> types = new TreeMap<>();
        try (InputStream table = InstanceType.class.getResourceAsStream("instance-types.csv")) {
            if (table == null) {
                throw new IOException("instance-types.csv is not beside " + InstanceType.class);
            }
            BufferedReader lines =
                    new BufferedReader(new InputStreamReader(table, StandardCharsets.UTF_8));
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (!line.startsWith("#") && !line.startsWith("instance_type")) {
                    InstanceType type = read(new StringTokenizer(line, ","));
                    types.put(type.name, type);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Collections.unmodifiableSortedMap(types);
    }

    private static InstanceType read(StringTokenizer cells) {
        return new InstanceType(
                cells.nextToken(),
                Integer.parseInt(cells.nextToken()),
                Integer.parseInt(cells.nextToken()),
                cells.nextToken(),
                Boolean.parseBoolean(cells.nextToken()),
                Integer.parseInt(cells.nextToken()));
    }
}
