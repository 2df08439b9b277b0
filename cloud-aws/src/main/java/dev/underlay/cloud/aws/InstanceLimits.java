package dev.underlay.cloud.aws;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.underlay.pool.NodeIdentity.Limits;
import dev.underlay.pool.Refusal;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.StringTokenizer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceTypesResponse;
import software.amazon.awssdk.services.ec2.model.InstanceTypeHypervisor;
import software.amazon.awssdk.services.ec2.model.InstanceTypeInfo;
import software.amazon.awssdk.services.ec2.model.NetworkCardInfo;
import software.amazon.awssdk.services.ec2.model.NetworkInfo;

/**
 * How many interfaces and addresses an instance type may hold. EC2 is asked once for each type; if
 * it does not answer, a table that comes with the program does, and EC2 is asked again next time.
 */
public final class InstanceLimits {
    private static final Logger LOG = LoggerFactory.getLogger(InstanceLimits.class);
    private static final String TABLE = "instance-limits.txt";

    /** A node has one type; a second one appears only if the machine was stopped and changed. */
    private static final int REMEMBERED_TYPES = 8;

    private final Cache<String, Limits> known =
            Caffeine.newBuilder().maximumSize(REMEMBERED_TYPES).build();

    /**
     * The limits of a type.
     *
     * @param ask asks EC2; throws when it does not say
     * @throws CallFailure when neither EC2 nor the table knows the type
     */
    Limits of(String type, Source ask) throws CallFailure {
        Limits cached = known.getIfPresent(type);
        if (cached != null) {
            return cached;
        }
        try {
            Limits told = ask.limits();
            known.put(type, told);
            return told;
        } catch (CallFailure failure) {
            Limits fromTable =
                    fromTable(type)
                            .orElseThrow(() ->
                                    CallFailure.certain(
                                            failure.refusal() == Refusal.UNAVAILABLE
                                                    ? Refusal.UNAVAILABLE
                                                    : Refusal.MISCONFIGURED,
                                            "the limits of instance type "
                                                    + type
                                                    + " are not in the table that comes"
                                                    + " with the program, and "
                                                    + failure.getMessage(),
                                            failure));
            LOG.info(
                    "limits.table type={} interfaces={} addresses_per_interface={} reason=\"{}\"",
                    type,
                    fromTable.interfaces(),
                    fromTable.addressesPerInterface(),
                    failure.getMessage());
            return fromTable;
        }
    }

    /** Asks EC2. */
    @FunctionalInterface
    interface Source {
        Limits limits() throws CallFailure;
    }

    /**
     * Reads EC2's answer about one type.
     *
     * @throws IllegalArgumentException when it says nothing about the type's network
     */
    static Limits read(String type, DescribeInstanceTypesResponse response) {
        InstanceTypeInfo info =
                response.instanceTypes().stream()
                        .filter(one -> type.equals(one.instanceTypeAsString()))
                        .filter(one -> one.networkInfo() != null)
                        .findFirst()
                        .orElseThrow(
                                () -> new IllegalArgumentException("no network limits of " + type));
        NetworkInfo network = info.networkInfo();
        // Our interfaces all sit on the default card; the type's total counts every card.
        Integer interfaces =
                network.networkCards().stream()
                        .filter(card ->
                                card.networkCardIndex() != null
                                        && card.networkCardIndex().equals(defaultCard(network)))
                        .map(NetworkCardInfo::maximumNetworkInterfaces)
                        .findFirst()
                        .orElse(network.maximumNetworkInterfaces());
        Integer addresses = network.ipv4AddressesPerInterface();
        if (interfaces == null || addresses == null || interfaces < 1 || addresses < 1) {
            throw new IllegalArgumentException("no usable network limits of " + type);
        }
        return new Limits(interfaces, addresses, takesPrefixes(info));
    }

    /** "Prefix delegation is supported on Nitro-based instances": bare metal is among them. */
    private static boolean takesPrefixes(InstanceTypeInfo info) {
        return info.hypervisor() == InstanceTypeHypervisor.NITRO
                || Boolean.TRUE.equals(info.bareMetal());
    }

    private static Integer defaultCard(NetworkInfo network) {
        Integer index = network.defaultNetworkCardIndex();
        return index == null ? 0 : index;
    }

    /** Looks a type up in the table; one pass over the file, nothing is kept. */
    public static Optional<Limits> fromTable(String type) {
        try (InputStream stream = InstanceLimits.class.getResourceAsStream(TABLE)) {
            if (stream == null) {
                throw new IllegalStateException(TABLE + " is missing from the jar");
            }
            BufferedReader lines =
                    new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8));
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("#")) {
                    continue;
                }
                StringTokenizer words = new StringTokenizer(line);
                int interfaces = Integer.parseInt(words.nextToken());
                int addresses = Integer.parseInt(words.nextToken());
                boolean prefixes = words.nextToken().equals("prefixes");
                while (words.hasMoreTokens()) {
                    if (words.nextToken().equals(type)) {
                        return Optional.of(new Limits(interfaces, addresses, prefixes));
                    }
                }
            }
            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException("reading " + TABLE, e);
        }
    }
}
